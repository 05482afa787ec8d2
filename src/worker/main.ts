/**
 * A worker: one data plane on one thread, as a single long task: of piscina's, or on the thread of the program that
 * embeds it. Resolves after a drain, when the last session has ended.
 */
import { once } from 'node:events';
import { type Engine, native } from '../addon.js';
import { systemClock } from '../base/clock.js';
import { describeFailure } from '../base/failure.js';
import { fromParcels } from '../base/parcels.js';
import { Slices, servingClock } from '../base/slices.js';
import { UserGate } from '../forward-proxy/users/index.js';
import { HealthTable } from '../health/table.js';
import { bucketsOf, cellOf } from '../metrics/cells.js';
import { WorkerCounters } from '../metrics/counters.js';
import { Room } from '../metrics/room.js';
import type { FromWorker, PlanMessage, SessionAsk, ToWorker, WorkerSetup } from '../model/message.js';
import type { EndedSession } from '../model/report.js';
import { Lookups } from '../providers/lookups.js';
import { createSystemResolver } from '../providers/resolver.js';
import { AffinityTable } from '../upstream/affinity.js';
import { Loads } from '../upstream/loads.js';
import { createAccount } from './account.js';
import { Adoption } from './adoption.js';
import { Answers } from './answers.js';
import { AtWork } from './at-work.js';
import { Draining } from './draining.js';
import { createEndpointWatch } from './endpoint-watch.js';
import { createFailures } from './failures.js';
import { Links } from './links.js';
import { Listing } from './listing.js';
import { createLogs, type WorkerLogs } from './logs.js';
import { createReports, reporting } from './reports.js';
import { Rest } from './rest.js';
import { EventCursor } from './rings.js';
import { createRuntime, type Runtime } from './runtime.js';
import { Runtimes } from './runtimes.js';
import { Sequencer } from './session.js';

/** Upper bound on the time for handlers to finish after the last session of a drain, before their thread ends. */
const HANDLERS_MS_MAX = 1000;

const nowMs = () => performance.now();

/** CLOCK_MONOTONIC: the same in all threads, as `performance.now` is not. */
const machineMs = () => {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
};

export default async function run(setup: WorkerSetup): Promise<void> {
  const rest = new Rest();
  const stopBeating = beat(setup, () => giveBack(rest.look(), setup));
  const worker = createWorker(setup, rest);
  try {
    await serve(worker, setup);
  } finally {
    worker.close();
    stopBeating();
  }
}

/** Heartbeat of the event loop, read by the primary; `each` is called with each. */
function beat({ beats, beatMs, worker }: WorkerSetup, each: () => void): () => void {
  const cells = new Int32Array(beats);
  const once = () => {
    Atomics.add(cells, worker, 1);
    each();
  };
  once();
  const timer = setInterval(once, beatMs);
  return () => clearInterval(timer);
}

type Drain = Extract<ToWorker, { type: 'drain' }>;

/** Runs until drained: told to drain, and the last session has ended. */
async function serve(worker: Worker, setup: WorkerSetup): Promise<void> {
  const cancelled = whenCancelled(setup);
  await Promise.race([worker.adoption.begin(setup), cancelled]);
  if (isCancelled(setup)) return;
  if (setup.inbox >= 0) worker.engine.takeFrom(setup.inbox);

  const { draining } = worker;
  const stopped = () => worker.post({ type: 'accepting_stopped' });
  const drain = async ({ deadlineMs, handsOver = false }: Drain): Promise<void> => {
    await draining.drain(deadlineMs, handsOver, stopped);
    if (setup.inline === undefined) await worker.atWork.finished(HANDLERS_MS_MAX);
  };
  const drained = new Promise<void>((resolve, reject) => {
    cancelled.then(() => draining.cut()).then(resolve, reject);
    setup.port.on('message', (message: ToWorker) => {
      if (isCancelled(setup)) return;
      if (message.type === 'drain') drain(message).then(resolve, reject);
      else if (message.type === 'cut') draining.cut().then(resolve, reject);
      else if (message.type === 'endpoint_down') worker.draining.endpointDown(message.endpoint);
      else if (message.type === 'release') worker.engine.release(message.sockets);
      else if (message.type === 'report') worker.account.reports = message.sessions;
      else if (message.type === 'sessions') void tell(message.request, message.ask, worker);
      else adopt(message, worker);
    });
  });
  worker.post({ type: 'ready', generation: setup.plan.generation });
  collectGarbage(setup); // of the start-up
  await drained;
}

/** In steps, because connections are waiting. The heap of the program that embeds the worker is the program's. */
function collectGarbage({ inline }: WorkerSetup): void {
  if (inline === undefined) native.compactHeapSoon();
}

function giveBack(what: ReturnType<Rest['look']>, setup: WorkerSetup): void {
  if (what === 'collect') collectGarbage(setup);
  else if (what === 'trim' && setup.inline === undefined) native.trimMemory();
}

const isCancelled = ({ inline }: WorkerSetup): boolean => inline?.cancelled.aborted ?? false;

/** A thread is not cancelled but terminated. */
async function whenCancelled({ inline }: WorkerSetup): Promise<void> {
  if (inline === undefined) await new Promise(() => {});
  else if (!inline.cancelled.aborted) await once(inline.cancelled, 'abort');
}

function adopt(message: PlanMessage, { adoption, post }: Worker): void {
  if (message.type === 'prepare') {
    post({ type: 'preparing', generation: message.plan.generation });
    void adoption.prepare(message);
  } else if (message.type === 'commit') adoption.commit(message.generation);
  else adoption.discard(message.generation);
}

async function tell(request: number, ask: SessionAsk, { listing, post }: Worker): Promise<void> {
  const reply = await listing.answer(ask);
  if (reply !== null) post({ type: 'sessions', request, reply });
}

type Worker = ReturnType<typeof createWorker>;

/** Wires the parts of a worker; long, because most of them refer to each other. */
function createWorker(setup: WorkerSetup, rest: Rest) {
  const { limits } = setup.plan;
  const { worker } = setup;
  const post = (message: FromWorker) => setup.port.postMessage(message);
  const counters = new WorkerCounters(setup.counters);
  const logs = createLogs(setup, counters, nowMs, (lines) =>
    setup.port.postMessage({ type: 'log', lines } satisfies FromWorker, [lines.buffer]),
  );
  const { logger, complain } = logs;
  const room = new Room(setup.room);
  const loads = new Loads((endpoint) => room.sessions(endpoint));
  const health = new HealthTable(setup.health);
  const affinity = new AffinityTable(setup.affinity);
  const lookedUp = (cache: 'affinity' | 'names') => (found: boolean) =>
    counters.addBy(found ? 'anyport_cache_hits_total' : 'anyport_cache_misses_total', cache, counters.worker);
  const reports = createReports((batch) => post({ type: 'reports', reports: batch }));
  const endpoints = createEndpointWatch(
    setup.reporting ? reporting(logs.endpoints, reports) : logs.endpoints,
  );
  const failures = createFailures((batch) => post({ type: 'failures', failures: batch }));
  const runtimes = new Runtimes({
    inUse: (generation) => engine.usesPlan(generation),
    forgotten: () => endpoints.keep(runtimes.endpoints()),
    collect: () => collectGarbage(setup),
  });

  const events = new EventCursor(native.layout);
  const answers = new Answers(native.layout, () => engine.flush());
  const arena = new ArrayBuffer(native.arenaBytes(limits.bufferBytes));
  const engine: Engine = new native.Engine({
    arena,
    events: events.memory,
    answers: answers.memory,
    counters: new Float64Array(setup.counters),
    counting: { workerRow: counters.worker, cells: cellOf, buckets: bucketsOf },
    room: room.words,
    buckets: new BigInt64Array(setup.buckets),
    bufferBytes: limits.bufferBytes,
    pipesMax: setup.pipes,
    worker,
    onKcp: (event) => links.on(event),
    onTurn(from, to) {
      rest.worked(to - from);
      loads.settle();
      sequencer.onTurn(from, to);
      draining.turned();
    },
  });
  const links = new Links({
    worker,
    engine,
    logger,
    profileOf: (id) => runtimes.kcpProfile(id),
    listenerOf: (id) => listenerName(runtimes.current, id),
    isOpen: () => open,
  });
  const resolver = createSystemResolver();
  const names = new Lookups({
    clock: systemClock,
    // As they stand: a search list would lead where nobody has asked for.
    lookup: (name) => resolver.lookup(`${name}.`),
    lookedUp: lookedUp('names'),
  });
  const draining = new Draining(engine);
  const atWork = new AtWork();
  const report = (session: EndedSession) => reports.add({ type: 'session', session });
  const account = createAccount({ worker, counters, logger, write: logs.write, nowMs, report });
  account.reports = setup.reporting?.sessions ?? false;
  let open = true;
  const sequencer = new Sequencer({
    worker,
    engine,
    flush: () => engine.flush(),
    flushSoon: () => setImmediate(() => open && engine.flush()),
    events,
    answers,
    arena: Buffer.from(arena),
    account,
    endpoints,
    failures,
    names,
    gate: new UserGate({ nowMs }),
    atWork,
    get debug() {
      return logs.debug;
    },
    complain,
    nowMs,
    someWait: (upstream) => room.someWait(upstream),
    runtimeOf: (generation) => runtimes.of(generation),
  });

  const listing = new Listing({
    worker,
    engine,
    runtimeOf: (generation) => runtimes.of(generation),
    sessionOf: (id) => sequencer.sessionOf(id),
    decisionOf: (slot) => sequencer.decisionOf(slot),
    linksOf: (limit) => links.list(limit),
    isOpen: () => open,
  });

  const local = setup.inline?.local;
  const balancing = {
    random: Math.random,
    loads,
    health,
    affinity,
    nowMs: machineMs,
    lookedUp: lookedUp('affinity'),
  };
  const around = { counters, balancing, complain, ...(local && { local }) };
  const adoption = new Adoption({
    create: (plan, classifierOf, { workers, own }) =>
      createRuntime(plan, {
        ...around,
        classifierOf,
        own,
        before: runtimes.current,
        share: (whole, endpoint) => shareOf(whole, worker + endpoint, workers),
      }),
    whole: (plan, rest, inForce) => fromParcels(plan, rest, new Slices(servingClock), inForce),
    engine,
    runtimes,
    apply({ accessLog }, settings) {
      logs.apply(accessLog, settings);
      account.apply(accessLog, settings.workers);
    },
    answer: post,
  });

  const leaveThread = setup.inline === undefined ? guardThread(logs) : () => {};

  function close(): void {
    open = false;
    leaveThread();
    links.close();
    runtimes.close();
    logs.flush();
    reports.flush();
    failures.close();
    resolver.cancel();
    engine.close();
    setup.port.close();
  }

  return { engine, account, adoption, atWork, draining, listing, close, post };
}

/** Hooks of a thread that belongs to the worker; returns what removes them. */
function guardThread({ complain, flush }: WorkerLogs): () => void {
  // From configured code; Node's default would end the thread and every session on it.
  const rejected = (reason: unknown) => complain({ ...describeFailure(reason) }, 'unhandled rejection');
  process.on('unhandledRejection', rejected);
  // The thread dies of a defect in configured code: nothing is delivered later.
  process.on('exit', flush);
  return () => {
    process.off('unhandledRejection', rejected);
    process.off('exit', flush);
  };
}

/** By id, of the Plan in force. */
function listenerName(runtime: Runtime | undefined, id: number): string | undefined {
  const index = runtime?.plan.ids.listeners.indexOf(id) ?? -1;
  return runtime?.plan.listeners[index]?.name;
}

/** Of a number that is for all workers together; those that are first in turn have what is left over. */
const shareOf = (whole: number, turn: number, workers: number): number =>
  Math.floor(whole / workers) + (turn % workers < whole % workers ? 1 : 0);
