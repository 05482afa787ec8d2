/** A data plane on the test's own thread: the worker's task with a port, a listening socket and a Plan. */
import { randomInt } from 'node:crypto';
import { MessageChannel } from 'node:worker_threads';
import { afterEach, expect } from 'vitest';
import { type Admission, native } from '../../src/addon.js';
import { createHealthMemory } from '../../src/health/table.js';
import { createCounters } from '../../src/metrics/memory.js';
import { createRoom, Room } from '../../src/metrics/room.js';
import type { PlanIds } from '../../src/model/ids.js';
import type {
  FromWorker,
  ListeningSocket,
  PlanAnswer,
  SessionAsk,
  SessionReply,
  ToWorker,
} from '../../src/model/message.js';
import type { Plan, PlanEndpoint, PlanLimits, PlanUpstream } from '../../src/model/plan.js';
import { createBuckets } from '../../src/plane/buckets.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { createAffinityMemory } from '../../src/upstream/affinity.js';
import run from '../../src/worker/main.js';
import { samplesOf } from '../support/counts.js';
import { linesOf as textLines } from '../support/lines.js';
import { type Sample, total } from '../support/metrics.js';
import { listedRoutes, openAdmission, optionsWith, planned } from '../support/plan.js';
import { listenTcp, type Peer, type Upstream } from '../support/tcp.js';

export interface Plane {
  readonly port: number;
  readonly open: () => number;
  /** As the primary would have it. */
  readonly admission: Admission;
  /** Access-log lines so far. */
  readonly records: () => Record<string, unknown>[];
  /** Lines of any kind. */
  readonly linesOf: (msg: string) => Record<string, unknown>[];
  /** Current scrape. */
  readonly samples: () => Sample[];
  /** Current sum of a metric's samples. */
  readonly metric: (name: string, labels?: Record<string, string>) => number;
  /** Resolves with whether the worker prepared the Plan or refused it. */
  readonly prepare: (plan: Plan) => Promise<PlanAnswer>;
  readonly tell: (message: ToWorker) => void;
  /** Asks for live sessions. */
  readonly ask: (ask: SessionAsk) => Promise<SessionReply>;
  /** Prepares and commits. */
  readonly adopt: (plan: Plan) => Promise<void>;
  /** Drains; resolves when the worker's task has. */
  readonly stop: (deadlineMs?: number) => Promise<void>;
}

export const limits: PlanLimits = {
  identifyTimeoutMs: 10_000,
  dialTimeoutMs: 5_000,
  idleTimeoutMs: 60_000,
  halfCloseTimeoutMs: 10_000,
  cacheTtlMs: 300_000,
  bufferBytes: 32_768,
  identifyMinBytes: 1024,
  longOpeningsPerSource: 64,
  admission: openAdmission,
  identifyMaxBytes: 65_536,
  maxConnections: 500,
  flows: { max: 1000, perSource: 0, idleTimeoutMs: 60_000 },
  tarpitMax: 256,
  tarpitHoldMs: 60_000,
};

export function endpoint(port: number): PlanEndpoint {
  return {
    name: `127.0.0.1:${port}`,
    weight: 1,
    backup: false,
    state: 'up',
    addresses: [{ host: '127.0.0.1', port }],
  };
}

export function upstream(name: string, ...ports: number[]): PlanUpstream {
  return {
    name,
    handler: null,
    kcp: null,
    via: null,
    endpoints: ports.map(endpoint),
    options: optionsWith(),
  };
}

/** Shared by all Plans of the test. */
export const ids = new IdRegistry();

const NO_IDS: PlanIds = { listeners: [], protocols: [], upstreams: [], endpoints: [], kcp: [] };

/** A Plan as the primary would send it. */
export const withIds = (plan: Plan): Plan => ({ ...plan, ids: ids.of(plan) });

/** Everything that begins with `aa` goes to the first upstream, HTTP to the second when there is one; `startPlane` gives it its ids. */
export function planFor(upstreams: readonly PlanUpstream[], change: Partial<Plan> = {}): Plan {
  return {
    generation: 1,
    limits,
    listeners: [
      {
        name: 'front',
        address: '127.0.0.1:0',
        transport: 'tcp',
        kcp: null,
        protocols: [0, 1],

        datagramProtocols: [],
        onUnknown: { kind: 'end', closing: 'reset' },
        onSilence: null,
        proxyProtocol: null,
        maxConnections: 0,
      },
    ],
    protocols: [
      planned({ name: 'Custom', id: 'custom', signature: { startBytes: ['6161'] } }),
      planned({ name: 'HTTP', id: 'http' }),
    ],
    routes: listedRoutes(
      upstreams.slice(0, 2).map((_, index) => ({
        when: { protocol: index },
        to: { kind: 'upstream', upstream: index },
      })),
    ),
    upstreams,
    kcp: [],
    connectProxy: null,
    ids: NO_IDS,
    accessLog: { enabled: true, rate: 100_000 },
    ...change,
  };
}

/** `inbox`: takes connections from there too. */
export async function startPlane(plan: Plan, inbox = -1): Promise<Plane> {
  const { port1, port2 } = new MessageChannel();
  const fd = native.listen({ host: '127.0.0.1', port: 0 }, { reusePort: true, backlog: 4096 });
  const address = native.localAddress(fd);
  const sockets: ListeningSocket[] = [{ transport: 'tcp', socket: native.socketNumber(fd), listener: 0, fd }];
  const settings = { logLevel: 'info', workers: 1, own: [] };
  const counters = createCounters();
  const room = createRoom();
  const health = createHealthMemory();
  const samples = () => samplesOf([counters], ids);
  const lines: string[] = [];
  const waiting: { types: readonly FromWorker['type'][]; resolve: (message: FromWorker) => void }[] = [];
  port1.on('message', (message: FromWorker) => {
    if (message.type === 'log') lines.push(...textLines(message.lines));
    for (const waiter of waiting.filter(({ types }) => types.includes(message.type))) waiter.resolve(message);
  });
  const hears = (...types: FromWorker['type'][]) =>
    new Promise<FromWorker>((resolve) => waiting.push({ types, resolve }));
  const tell = (message: ToWorker) => port1.postMessage(message);
  const prepare = (next: Plan) => {
    const answer = hears('prepared', 'refused');
    tell({ type: 'prepare', plan: withIds(next), sockets, settings });
    return answer as Promise<PlanAnswer>;
  };
  const linesOf = (msg: string) =>
    lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter((line) => line.msg === msg);
  const ready = hears('ready');
  const setup = {
    worker: 0,
    port: port2,
    plan: withIds(plan),
    inbox,
    counters,
    room,
    buckets: createBuckets(),
    health,
    affinity: createAffinityMemory(),
    beats: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
    beatMs: 1000,
    pipes: 64,
    sockets,
    settings,
  };
  const task = run(setup);
  await Promise.race([ready, task]);
  return {
    port: 'port' in address ? address.port : 0,
    open: () => new Room(room).open,
    admission: new native.Admission({ room: new Int32Array(room) }),
    records: () => linesOf('session'),
    linesOf,
    samples,
    metric: (name, labels) => total(samples(), name, labels),
    prepare,
    tell,
    async ask(ask) {
      const request = randomInt(2 ** 32);
      const reply = hears('sessions');
      tell({ type: 'sessions', request, ask });
      const message = await reply;
      if (message.type !== 'sessions' || message.request !== request) throw new Error('another reply');
      return message.reply;
    },
    async adopt(next) {
      expect(await prepare(next)).toMatchObject({ type: 'prepared' });
      const adopted = hears('adopted');
      tell({ type: 'commit', generation: next.generation });
      await adopted;
    },
    async stop(deadlineMs = 0) {
      tell({ type: 'drain', deadlineMs });
      await task;
      native.closeFd(fd);
      await new Promise((resolve) => setImmediate(resolve));
      port1.close();
    },
  };
}

/** Servers and planes that are gone after each test. */
export function useStage() {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  return {
    /** Also done after the test. */
    later(cleanup: () => Promise<void>): void {
      cleanups.push(cleanup);
    },
    async serve(handle?: (peer: Peer) => void): Promise<Upstream> {
      const server = await listenTcp(handle);
      cleanups.push(() => server.close());
      return server;
    },
    async start(plan: Plan): Promise<Plane> {
      const plane = await startPlane(plan);
      cleanups.push(() => plane.stop());
      return plane;
    },
  };
}
