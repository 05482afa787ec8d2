/** The engine's own checks: what TypeScript should never hand over is an error with a name. */
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test } from 'vitest';
import { type Engine, type EngineOptions, type EngineTables, native } from '../../src/addon.js';
import { bucketsOf, cellOf } from '../../src/metrics/cells.js';
import { createRoom } from '../../src/metrics/room.js';
import type { ListeningSocket } from '../../src/model/message.js';
import { createBuckets } from '../../src/plane/buckets.js';
import { openAdmission } from '../support/plan.js';
import { dial } from '../support/tcp.js';
import { eventually } from '../support/wait.js';

const { arenaBytes, layout } = native;
const bufferBytes = 32_768;

const options: EngineOptions = {
  arena: new ArrayBuffer(arenaBytes(bufferBytes)),
  events: new ArrayBuffer(layout.eventsMax * layout.eventWords * 4),
  answers: new ArrayBuffer((1 + layout.answersMax * layout.answerWords) * 4 + layout.answerBytes),
  counters: new Float64Array(new SharedArrayBuffer(64)),
  counting: { workerRow: 1, cells: cellOf, buckets: bucketsOf },
  room: new Int32Array(createRoom()),
  buckets: new BigInt64Array(createBuckets()),
  bufferBytes,
  pipesMax: 0,
  worker: 0,
  onTurn: () => {},
};

const shorter = (buffer: ArrayBuffer) => new ArrayBuffer(buffer.byteLength - 4);

const engines: Engine[] = [];
afterEach(() => {
  for (const engine of engines.splice(0)) engine.close();
});

function create(change: Record<string, unknown> = {}): Engine {
  const engine = new native.Engine({ ...options, ...change } as EngineOptions);
  engines.push(engine);
  return engine;
}

describe('an engine is not made of', () => {
  const cases = [
    { why: 'a short arena', change: { arena: shorter(options.arena) }, error: RangeError },
    { why: 'a short event ring', change: { events: shorter(options.events) }, error: RangeError },
    { why: 'a short answer ring', change: { answers: shorter(options.answers) }, error: RangeError },
    { why: 'a short room', change: { room: new Int32Array(new SharedArrayBuffer(8)) }, error: RangeError },
    { why: 'short buckets', change: { buckets: new BigInt64Array(8) }, error: RangeError },
    { why: 'buckets of another kind', change: { buckets: new Uint8Array(8) as never }, error: TypeError },
    { why: 'counters of another kind', change: { counters: options.room }, error: TypeError },
    { why: 'a room of another kind', change: { room: new Uint8Array(8) }, error: TypeError },
    {
      why: 'a metric without a cell',
      change: { counting: { ...options.counting, cells: {} } },
      error: RangeError,
    },
    {
      why: 'a histogram without buckets',
      change: { counting: { ...options.counting, buckets: {} } },
      error: RangeError,
    },
    { why: 'an arena that is a view', change: { arena: new Uint8Array(8) }, error: TypeError },
  ];
  test.each(cases)('$why', ({ change, error }) => {
    expect(() => create(change)).toThrow(error);
  });
});

test('connections are taken only once there are tables for them', () => {
  const inbox = native.createInbox();
  expect(() => create().takeFrom(inbox)).toThrow(RangeError);
  const nowhere: ListeningSocket = { transport: 'tcp', socket: 0, listener: 1, fd: 0 };
  expect(() => create().prepare(tables, [nowhere])).toThrow(RangeError);
  native.closeInbox(inbox);
});

const tables: EngineTables = {
  generation: 1,
  identifyTimeoutMs: 60_000,
  identifyMinBytes: 1024,
  longOpeningsPerSource: 64,
  admission: openAdmission,
  identifyMaxBytes: 65_536,
  maxConnections: 10,
  flowsMax: 0,
  flowsPerSource: 0,
  tarpitMax: 256,
  tarpitHoldMs: 60_000,
  classifiers: [new native.Classifier({ automata: [], routable: 0 })],
  listeners: [
    {
      id: 2,
      classifier: 0,
      datagramClassifier: -1,
      quic: -1,
      row: 0,
      unknownRow: 0,
      silenceMs: 0,
      nameUnrouted: true,
      namingMs: 0,
      trustedProxies: [],
      trustsUnix: false,
      kcp: -1,
      kcpOnly: false,
      asksAtAccept: false,
      maxConnections: 0,
    },
  ],
  upstreams: [],
  dials: [],
  warmed: [],
  kcpProfiles: [],
};

function adopt(engine: Engine, its: EngineTables, sockets: readonly ListeningSocket[] = []): void {
  engine.prepare(its, sockets);
  engine.commit();
}

/** An engine of which nobody answers what it asks. */
async function createMute(change: Partial<EngineTables> = {}) {
  const engine = create();
  const fd = native.listen({ host: '127.0.0.1', port: 0 }, { reusePort: false, backlog: 16 });
  const socket: ListeningSocket = {
    transport: 'tcp',
    socket: native.socketNumber(fd),
    listener: 0,
    fd,
  };
  adopt(engine, { ...tables, ...change }, [socket]);
  const address = native.localAddress(fd);
  native.closeFd(fd);
  return { engine, socket, port: 'port' in address ? address.port : 0 };
}

test('a session whose decision never comes is ended', async () => {
  const { engine, port } = await createMute();
  const client = (await dial(port)).send('?');
  expect(await client.end()).toBe('reset');
  expect(engine.sessions()).toBe(0);
});

test('a plan is in use until the last session that began with it has ended', async () => {
  const { engine, socket, port } = await createMute();
  const client = await dial(port);
  await eventually('a session', () => engine.sessions() === 1);
  for (const generation of [2, 3]) adopt(engine, { ...tables, generation }, [socket]);
  expect([1, 2, 3].map((generation) => engine.usesPlan(generation))).toEqual([true, false, true]);
  client.reset();
  await eventually('its end', () => engine.sessions() === 0);
  expect([1, 3].map((generation) => engine.usesPlan(generation))).toEqual([false, true]);
});

test('tables that are prepared change nothing before they are committed', async () => {
  const { engine, socket } = await createMute();
  const uses = () => [1, 2, 3].filter((generation) => engine.usesPlan(generation));
  expect(() => engine.commit()).toThrow('no Plan has been prepared');
  engine.prepare({ ...tables, generation: 2 }, [socket]);
  expect(uses()).toEqual([1]);
  engine.discard();
  expect(() => engine.commit()).toThrow('no Plan has been prepared');
  engine.prepare({ ...tables, generation: 2 }, [socket]);
  expect(() => engine.prepare({ ...tables, generation: 3, listeners: [] }, [socket])).toThrow(
    'no such listener',
  );
  engine.commit();
  expect(uses()).toEqual([2]);
});

test('what fails after an engine was closed has nobody to tell', () => {
  const engine = create();
  engine.close();
  engine.close();
  expect(() => engine.flush()).not.toThrow();
});

test.each(['closed', 'forgotten'])('an engine that was %s gives its buffers back', async (how) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const freed = new Set<number>();
  const registry = new FinalizationRegistry((n: number) => freed.add(n));
  for (let n = 0; n < 4; n += 1) {
    const arena = new ArrayBuffer(arenaBytes(bufferBytes));
    registry.register(arena, n);
    if (how === 'forgotten') {
      new native.Engine({ ...options, arena });
      continue;
    }
    // As a worker does it: what is called once a turn leads back to the engine.
    const engine: Engine = new native.Engine({ ...options, arena, onTurn: () => engine.flush() });
    engine.close();
  }
  await eventually('the arenas of all but the last', async () => {
    await sleep(0);
    collect();
    return [0, 1, 2].every((n) => freed.has(n));
  });
});
