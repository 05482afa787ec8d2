/** Sockets of an engine come and go with its Plan, and what waits at them is begun under the right one. */
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Engine, type EngineTables, native } from '../../src/addon.js';
import { bucketsOf, cellOf } from '../../src/metrics/cells.js';
import { createRoom } from '../../src/metrics/room.js';
import type { ListeningSocket } from '../../src/model/message.js';
import { createBuckets } from '../../src/plane/buckets.js';
import { openAdmission } from '../support/plan.js';
import { openFiles } from '../support/proc.js';
import { dial } from '../support/tcp.js';
import { eventually } from '../support/wait.js';

const { arenaBytes, layout } = native;
const bufferBytes = 32_768;
const counters = new Float64Array(new SharedArrayBuffer(8 * 1024));
/** Row of a listener by its id. */
const rowOf = (id: number) => 200 * id;
const accepted = (id: number) => counters[rowOf(id) + cellOf.anyport_accepted_total];

let engine: Engine;
const open: { fd: number }[] = [];
const clients: Socket[] = [];

beforeEach(() => {
  counters.fill(0);
  engine = new native.Engine({
    arena: new ArrayBuffer(arenaBytes(bufferBytes)),
    events: new ArrayBuffer(layout.eventsMax * layout.eventWords * 4),
    answers: new ArrayBuffer((1 + layout.answersMax * layout.answerWords) * 4 + layout.answerBytes),
    counters,
    counting: { workerRow: 900, cells: cellOf, buckets: bucketsOf },
    room: new Int32Array(createRoom()),
    buckets: new BigInt64Array(createBuckets()),
    bufferBytes,
    pipesMax: 0,
    worker: 0,
    onTurn: () => {},
  });
});

afterEach(() => {
  engine.close();
  for (const socket of clients.splice(0)) socket.destroy();
  for (const { fd } of open.splice(0)) native.closeFd(fd);
});

/** Tables whose listeners have these ids. */
function tablesOf(generation: number, ...ids: number[]): EngineTables {
  return {
    generation,
    identifyTimeoutMs: 60_000,
    identifyMinBytes: 1024,
    longOpeningsPerSource: 64,
    admission: openAdmission,
    identifyMaxBytes: 65_536,
    maxConnections: 10_000,
    flowsMax: 0,
    flowsPerSource: 0,
    tarpitMax: 256,
    tarpitHoldMs: 60_000,
    classifiers: [new native.Classifier({ automata: [], routable: 0 })],
    listeners: ids.map((id) => ({
      id,
      classifier: 0,
      datagramClassifier: -1,
      quic: -1,
      row: rowOf(id),
      unknownRow: rowOf(id) + 100,
      silenceMs: 0,
      nameUnrouted: true,
      namingMs: 0,
      trustedProxies: [],
      trustsUnix: false,
      kcp: -1,
      kcpOnly: false,
      asksAtAccept: false,
      maxConnections: 0,
    })),
    upstreams: [],
    dials: [],
    warmed: [],
    kcpProfiles: [],
  };
}

interface TestSocket extends ListeningSocket {
  readonly port: number;
}

function listen(listener: number): TestSocket {
  const fd = native.listen({ host: '127.0.0.1', port: 0 }, { reusePort: false, backlog: 128 });
  const address = native.localAddress(fd);
  open.push({ fd });
  return {
    transport: 'tcp',
    socket: native.socketNumber(fd),
    listener,
    fd,
    port: 'port' in address ? address.port : 0,
  };
}

const at = (socket: TestSocket, listener: number): TestSocket => ({ ...socket, listener });

function adopt(tables: EngineTables, sockets: readonly ListeningSocket[]): void {
  engine.prepare(tables, sockets);
  engine.commit();
}

/** Connections that are established, and wait: this thread, which would accept them, does not return to its loop. */
async function queue({ port }: TestSocket, count: number): Promise<void> {
  for (let each = 0; each < count; each++) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    clients.push(socket);
  }
  await new Promise<void>((resolve) => process.nextTick(resolve));
}

const A = 1;
const B = 2;
const C = 3;

describe('what waits at a socket', () => {
  test('that goes begins under the Plan before, at its listener', async () => {
    const [a, b] = [listen(0), listen(1)];
    adopt(tablesOf(1, A, B), [a, b]);
    engine.prepare(tablesOf(2, A), [a]);
    await queue(b, 20);
    expect(engine.usesPlan(1)).toBe(true);
    engine.commit();
    expect([accepted(A), accepted(B)]).toEqual([0, 20]);
    expect(engine.usesPlan(1)).toBe(true);
  });

  test('that stays begins under the new Plan, at the new listener', async () => {
    const a = listen(0);
    adopt(tablesOf(1, A), [a]);
    engine.prepare(tablesOf(2, B, C), [at(a, 1)]);
    await queue(a, 20);
    engine.commit();
    expect([accepted(A), accepted(C)]).toEqual([0, 0]);
    await eventually('all', () => accepted(C) === 20);
    expect([accepted(A), accepted(B), engine.usesPlan(1)]).toEqual([0, 0, false]);
  });

  test('that comes begins after the commit, and not before', async () => {
    const a = listen(0);
    adopt(tablesOf(1), []);
    await queue(a, 5);
    engine.prepare(tablesOf(2, A), [a]);
    await dial(a.port);
    expect(accepted(A)).toBe(0);
    engine.commit();
    await eventually('all', () => accepted(A) === 6);
  });

  test('that is retired is begun, and then nobody accepts there', async () => {
    const [a, b] = [listen(0), listen(0)];
    adopt(tablesOf(1, A), [a, b]);
    await queue(b, 5);
    engine.release([b.socket, b.socket, 12_345]);
    expect(accepted(A)).toBe(5);
    await dial(b.port);
    await dial(a.port);
    await eventually('one at the other', () => accepted(A) === 6);
  });
});

test('what is prepared and discarded leaves no descriptor', () => {
  const [a, b] = [listen(0), listen(0)];
  adopt(tablesOf(1, A), [a]);
  const before = openFiles(process.pid);
  for (let round = 0; round < 3; round++) engine.prepare(tablesOf(2, A), [a, b]);
  expect(openFiles(process.pid)).toBe(before + 1);
  engine.discard();
  expect(openFiles(process.pid)).toBe(before);
  adopt(tablesOf(2), []);
  expect(openFiles(process.pid)).toBe(before - 1);
});

test('a socket that was closed since it was named is left out, whatever its descriptor is now', async () => {
  const gone = listen(0);
  native.closeFd(gone.fd);
  open.pop();
  engine.prepare(tablesOf(1, A), [gone]);
  engine.commit();
  const other = listen(0);
  expect(other.fd).toBe(gone.fd);
  adopt(tablesOf(2, A), [gone]);
  await dial(other.port);
  expect(accepted(A)).toBe(0);
  adopt(tablesOf(3, A), [other]);
  await eventually('it', () => accepted(A) === 1);
});

test('an engine that has stopped takes no sockets any more', async () => {
  const a = listen(0);
  adopt(tablesOf(1, A), []);
  engine.prepare(tablesOf(2, A), [a]);
  engine.stopAccepting();
  engine.commit();
  await dial(a.port);
  expect([accepted(A), engine.usesPlan(2)]).toEqual([0, true]);
});
