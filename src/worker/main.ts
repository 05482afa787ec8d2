/**
 * A worker: one data plane on one thread, as a single long piscina task. Resolves after a drain, when the last session
 * has ended.
 */
import { type Engine, native } from '../addon.js';
import { describeFailure } from '../base/failure.js';
import { createLineBudget, createLogger, rateLimited } from '../base/log.js';
import { bucketsOf, cellOf } from '../metrics/cells.js';
import { WorkerCounters } from '../metrics/counters.js';
import { Room } from '../metrics/room.js';
import type { FromWorker, PlanMessage, ToWorker, WorkerSetup } from '../model/message.js';
import { type Ender, enders, type Reason, reasons } from '../model/session.js';
import { Loads } from '../upstream/upstream.js';
import { createAccount } from './account.js';
import { Adoption } from './adoption.js';
import { createEndpointWatch } from './endpoint-watch.js';
import { createLogBatch } from './log-batch.js';
import { Answers, EventCursor } from './rings.js';
import { createRuntime } from './runtime.js';
import { Runtimes } from './runtimes.js';
import { Sequencer } from './session.js';

const COMPLAINTS_PER_SECOND = 10;

const nowMs = () => performance.now();

export default async function run(setup: WorkerSetup): Promise<void> {
  const stopBeating = beat(setup);
  const worker = createWorker(setup);
  try {
    await serve(worker, setup);
  } finally {
    worker.close();
    stopBeating();
  }
}

/** Heartbeat of the event loop, read by the primary. */
function beat({ beats, beatMs, worker }: WorkerSetup): () => void {
  const cells = new Int32Array(beats);
  const once = () => Atomics.add(cells, worker, 1);
  once();
  const timer = setInterval(once, beatMs);
  return () => clearInterval(timer);
}

/** Runs until drained: told to drain, and the last session has ended. */
async function serve(worker: Worker, setup: WorkerSetup): Promise<void> {
  await worker.adoption.begin(setup.plan);
  for (const { fd, listener } of setup.sockets) worker.engine.listen(fd, listener);
  if (setup.inbox >= 0) worker.engine.takeFrom(setup.inbox);

  const drained = new Promise<void>((resolve, reject) => {
    setup.port.on('message', (message: ToWorker) => {
      if (message.type === 'drain') worker.drain(message.deadlineMs).then(resolve, reject);
      else if (message.type === 'cut') worker.cut().then(resolve, reject);
      else adopt(message, worker);
    });
  });
  worker.post({ type: 'ready', generation: setup.plan.generation });
  // Frees garbage of the start-up; in steps, because connections are waiting.
  native.compactHeapSoon();
  await drained;
}

function adopt(message: PlanMessage, { adoption }: Worker): void {
  if (message.type === 'prepare') void adoption.prepare(message.plan);
  else if (message.type === 'commit') adoption.commit(message.generation);
  else adoption.discard(message.generation);
}

type Worker = ReturnType<typeof createWorker>;

function createWorker(setup: WorkerSetup) {
  const { limits, accessLog } = setup.plan;
  const post = (message: FromWorker) => setup.port.postMessage(message);
  const logs = createLogBatch((lines) => post({ type: 'log', lines }));
  const logger = createLogger({ level: setup.logLevel, write: logs.write });
  const counters = new WorkerCounters(setup.counters);
  const complain = rateLimited(
    (fields, message) => logger.error(fields, message),
    COMPLAINTS_PER_SECOND,
    nowMs,
  );
  const room = new Room(setup.room);
  const loads = new Loads((endpoint) => room.sessions(endpoint));
  const around = {
    counters,
    random: Math.random,
    loads,
    complain,
  };
  const runtimes = new Runtimes(
    (generation) => engine.usesPlan(generation),
    () => endpoints.keep(runtimes.endpoints()),
  );

  const events = new EventCursor(native.layout);
  const answers = new Answers(native.layout, () => engine.flush());
  const arena = new ArrayBuffer(native.arenaBytes(limits.bufferBytes));
  let afterTurn = () => {};
  let open = true;
  const engine: Engine = new native.Engine({
    arena,
    events: events.memory,
    answers: answers.memory,
    counters: new Float64Array(setup.counters),
    counting: { workerRow: counters.worker, cells: cellOf, buckets: bucketsOf },
    room: room.words,
    bufferBytes: limits.bufferBytes,
    pipesMax: setup.pipes,
    onTurn(from, to) {
      loads.settle();
      sequencer.onTurn(from, to);
      afterTurn();
    },
  });
  const account = createAccount({
    worker: setup.worker,
    workers: setup.workers,
    accessLog,
    counters,
    logger,
    nowMs,
  });
  const turned = (level: 'warn' | 'info') =>
    rateLimited(
      (fields, message) => logger[level]({ ...fields, worker: setup.worker }, message),
      COMPLAINTS_PER_SECOND,
      nowMs,
    );
  const endpoints = createEndpointWatch({ warn: turned('warn'), info: turned('info') });
  const stages = createLineBudget(Math.ceil(accessLog.rate / setup.workers), nowMs);
  const debug = (fields: object, message: string) => {
    if (stages.take()) logger.debug(fields, message);
    else counters.add('anyport_log_lines_dropped_total', counters.worker);
  };
  const sequencer = new Sequencer({
    worker: setup.worker,
    engine,
    flushSoon: () => setImmediate(() => open && engine.flush()),
    events,
    answers,
    arena: Buffer.from(arena),
    account,
    endpoints,
    debug: logger.isLevelEnabled('debug') ? debug : null,
    complain,
    runtimeOf: (generation) => runtimes.of(generation),
  });

  const adoption = new Adoption({
    create: (plan, classifierOf) => createRuntime(plan, { ...around, classifierOf }),
    engine,
    runtimes,
    answer: post,
  });

  let deadline: NodeJS.Timeout | undefined;

  async function drain(deadlineMs: number): Promise<void> {
    engine.stopAccepting();
    post({ type: 'accepting_stopped' });
    deadline = setTimeout(() => endAll('timeout', 'drain_timeout'), deadlineMs);
    await allEnded();
    clearTimeout(deadline);
  }

  /** May interrupt `drain`, which then never resolves. */
  async function cut(): Promise<void> {
    clearTimeout(deadline);
    engine.stopAccepting();
    endAll('admin', 'admin');
    await allEnded();
  }

  const endAll = (by: Ender, reason: Reason) => engine.endAll(enders.indexOf(by), reasons.indexOf(reason));

  function allEnded(): Promise<void> {
    return new Promise((resolve) => {
      // Sessions that end during a turn are reported within it.
      afterTurn = () => engine.sessions() === 0 && setImmediate(resolve);
      afterTurn();
    });
  }

  // From configured code; Node's default would end the thread and every session on it.
  const rejected = (reason: unknown) => complain({ ...describeFailure(reason) }, 'unhandled rejection');
  process.on('unhandledRejection', rejected);

  function close(): void {
    open = false;
    process.off('unhandledRejection', rejected);
    runtimes.close();
    logs.flush();
    engine.close();
    setup.port.close();
  }

  return { engine, adoption, drain, cut, close, post };
}
