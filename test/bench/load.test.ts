/** The load of `anyport bench`: it serves itself, notices every wrong byte, and hides no stall. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { latencyOf } from '../../src/bench/latency.js';
import {
  type ClientArguments,
  type Endpoint,
  holdClients,
  LoadFailure,
  runClients,
  runReplay,
  startEndpoint,
} from '../../src/bench/load.js';
import { stunHead } from '../../src/bench/workloads/udp.js';
import { dial, listenTcp, type Peer } from '../support/tcp.js';
import { tempFolder } from '../support/temp.js';

let endpoint: Endpoint;
beforeAll(async () => {
  endpoint = await startEndpoint({ threads: 2 });
});
afterAll(() => endpoint.stop());

const MIB = 1024 * 1024;
const shapes = {
  ping: { kind: 'ping', bytes: 64 },
  'large ping': { kind: 'ping', bytes: MIB },
  visit: { kind: 'visit', bytes: 128 },
  download: { kind: 'download', bytes: MIB },
  upload: { kind: 'upload', bytes: MIB },
} as const satisfies Record<string, Partial<ClientArguments>>;
const short = { connections: 3, threads: 2, warmup_ms: 20, window_ms: 150 } as const;

test.each(Object.entries(shapes))('%s: answers are right, and counted', async (_name, shape) => {
  const counted = await runClients({ ...shape, ...short, port: endpoint.port, cpu_of: `${endpoint.pid}` });
  expect(counted.units).toBeGreaterThan(0);
  expect(latencyOf(counted.latency)?.count).toBe(counted.units);
  expect(counted.cpu).toHaveLength(2);
  for (const nanoseconds of counted.cpu) expect(nanoseconds).toBeGreaterThan(0);
  expect(counted.bytes > 0).toBe(['download', 'upload'].includes(shape.kind));
});

test('connections are held until they are released, and asked again', async () => {
  const held = await holdClients({ kind: 'hold', port: endpoint.port, connections: 300, threads: 2 });
  await held.release();
});

/** Between clients and endpoint; `change` sees the bytes of one direction. */
async function startRelay(up: Change, down: Change, port = endpoint.port) {
  return listenTcp(async (client: Peer) => {
    client.socket.pause(); // what comes meanwhile is for the server
    const server = await dial(port);
    pass(client, server, up);
    pass(server, client, down);
    client.socket.resume();
  });
}

type Change = (bytes: Buffer) => Buffer;

function pass(from: Peer, to: Peer, change: Change): void {
  from.socket.on('error', () => to.reset());
  from.socket.on('data', (bytes: Buffer) => to.socket.write(change(bytes)));
  from.socket.on('end', () => to.socket.end());
}

const same: Change = (bytes) => bytes;
/** Of a request the head stays as it is. */
const flipped: Change = (bytes) => {
  if (/^(?:GET|PUT) .*\r\n\r\n$/.test(bytes.toString('latin1'))) return bytes;
  const changed = Buffer.from(bytes);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  return changed;
};
const longer: Change = (bytes) => Buffer.concat([bytes, Buffer.from('x')]);
const shorter: Change = (bytes) => bytes.subarray(1);

const faults: readonly { shape: keyof typeof shapes; what: string; up?: Change; down?: Change }[] = [
  { shape: 'ping', what: 'a changed byte of an answer', down: flipped },
  { shape: 'ping', what: 'a byte too many', down: longer },
  { shape: 'visit', what: 'a changed byte of an answer', down: flipped },
  { shape: 'visit', what: 'a byte too many', down: longer },
  { shape: 'visit', what: 'a byte too few', down: shorter },
  { shape: 'download', what: 'a changed byte', down: flipped },
  { shape: 'download', what: 'a byte too few', down: shorter },
  { shape: 'upload', what: 'a changed byte on the way up', up: flipped },
];

/** Ends when something is wrong, long before its time. */
const failing = { ...short, window_ms: 60_000 } as const;

describe('datagrams', () => {
  const flow = { kind: 'flow', bytes: 64, head: stunHead(64) } as const;

  /** Echoes, but for what `change` makes of each; null: it is lost. */
  async function startEcho(change: (datagram: Buffer) => Buffer | null): Promise<Socket> {
    const socket = createSocket('udp4', (datagram, from) => {
      const answer = change(datagram);
      if (answer !== null) socket.send(answer, from.port, from.address);
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return socket;
  }

  test('answers are right, and counted', async () => {
    const echo = await startEndpoint({ threads: 2, datagrams: 1 });
    const counted = await runClients({ ...flow, ...short, port: echo.port });
    expect(counted.units).toBeGreaterThan(0);
    expect(counted.lost).toBe(0);
    await echo.stop();
  });

  test('a lost one is counted as late, and the flow goes on', async () => {
    let first = true;
    const socket = await startEcho((datagram) => {
      if (!first) return datagram;
      first = false;
      return null;
    });
    const one = { connections: 1, threads: 1, warmup_ms: 0, window_ms: 1500 };
    const counted = await runClients({ ...flow, ...one, port: socket.address().port });
    expect(counted.lost).toBe(1);
    expect(counted.units).toBeGreaterThan(0);
    socket.close();
  });

  test.each([
    ['changed', flipped],
    ['of another size', shorter],
    ['never sent', (datagram: Buffer) => Buffer.from(datagram).fill(0xff, 8, 16)],
  ])('one that is %s fails the load', async (_what, change) => {
    const socket = await startEcho(change);
    const load = runClients({ ...flow, ...failing, port: socket.address().port });
    await expect(load).rejects.toThrow(/^wrong answer: /);
    socket.close();
  });
});

describe('a replay', () => {
  const folder = tempFolder();
  const files = { scripts: `${folder.path}/scripts`, openings: `${folder.path}/openings` };
  const OPENING = 'SSH-2.0-x\r\n';
  // due, lasts, door, opening, up, down, exchanges, server closes
  const rows = [
    [-500, 20_000, 0, 1, 300, 5_000, 4, 1],
    [0, 1000, 0, 1, 0, 70_000, 1, 0],
    [0, 0, 0, 0, 400_000, 0, 1, 1],
    [500, 10_000, 0, 1, 15, 0, 16, 0],
    [1000, 0, 0, 0, 3, MIB, 3, 1],
  ];
  const [up, down] = [4, 5].map((column) => rows.reduce((sum, row) => sum + (row[column] ?? 0), 0));
  const heads = rows.reduce((sum, row) => sum + 8 + (row[3] === 1 ? OPENING.length : 0), 0);
  let told: Endpoint;
  beforeAll(async () => {
    writeFileSync(files.scripts, rows.map((row) => `${row.join(' ')}\n`).join(''));
    writeFileSync(files.openings, `${Buffer.from(OPENING).toString('hex')}\n`);
    told = await startEndpoint({ threads: 2, ...files });
  });
  afterAll(async () => {
    await told.stop();
    folder.remove();
  });
  const through = (port: number, connections = 10) =>
    runReplay({ ...files, ports: `${port}`, connections, threads: 2, span_us: 2000, slices: 2, cpu_of: '' });

  test.each([10, 1])('has all its sessions and bytes, with at most %i at once', async (most) => {
    const acted = await through(told.port, most);
    expect(acted).toMatchObject({ sessions: rows.length, up: (up ?? 0) + heads, down });
    expect(latencyOf(acted.durations)?.count).toBe(rows.length - 1); // one was open before it began
    expect(acted.slices.reduce((sum, { ended }) => sum + ended, 0)).toBe(rows.length);
  });

  test.each([
    ['a changed byte on the way up', flipped, same],
    ['a changed byte of an answer', same, flipped],
    ['a byte too many', same, longer],
    ['a byte too few', same, shorter],
    ['a changed opening', (bytes: Buffer) => Buffer.from(`x${bytes.toString('latin1')}`, 'latin1'), same],
  ])('fails: %s', async (_what, change, changeBack) => {
    const relay = await startRelay(change, changeBack, told.port);
    await expect(through(relay.port)).rejects.toThrow(LoadFailure);
    await relay.close();
  });
});

describe('a load fails', () => {
  test.each(faults)('$shape: $what', async ({ shape, up = same, down = same }) => {
    const relay = await startRelay(up, down);
    const load = runClients({ ...shapes[shape], ...failing, port: relay.port });
    await expect(load).rejects.toThrow(LoadFailure);
    await relay.close();
  });

  test('where nobody listens', async () => {
    const gone = await listenTcp(() => {});
    await gone.close();
    const load = runClients({ ...shapes.visit, ...failing, port: gone.port });
    await expect(load).rejects.toThrow(/refused/);
  });

  test('when a held connection is gone', async () => {
    const peers: Peer[] = [];
    const server = await listenTcp((peer) => {
      peers.push(peer);
      peer.socket.on('error', () => {});
      peer.socket.on('data', (bytes: Buffer) => peer.socket.write(bytes));
    });
    const held = await holdClients({ kind: 'hold', port: server.port, connections: 3, threads: 1 });
    peers[0]?.socket.end();
    await expect(held.release()).rejects.toThrow(LoadFailure);
    await server.close();
  });
});

test('an open load waits for nobody: what was due and not answered counts as late', async () => {
  const silent = await listenTcp((peer) => peer.socket.on('error', () => {}).resume());
  const counted = await runClients({
    ...shapes.ping,
    port: silent.port,
    connections: 1,
    threads: 1,
    rate: 2000,
    warmup_ms: 0,
    window_ms: 100,
  });
  const latency = latencyOf(counted.latency);
  expect(counted.units).toBe(0);
  // Some 200, of which one had a connection to wait on; the load waits two seconds for them.
  expect(counted.unfinished).toBeGreaterThan(100);
  expect(latency?.count).toBe(counted.unfinished);
  expect(latency?.p50).toBeGreaterThan(2_000_000);
  await silent.close();
});
