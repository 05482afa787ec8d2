/**
 * Many concurrent sessions, most of them misbehaving: complete transfers arrive complete, and every byte is accounted
 * for.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { createRandom } from '../support/random.js';
import { dial, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { within } from '../support/wait.js';

const SESSIONS = 400;
const AT_ONCE = 100;
const BYTES_MAX = 200_000;
const OPENING = Buffer.from('*1\r\n$4\r\nPING\r\n');

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

let daemon: Daemon;
let upstream: Upstream;

beforeEach(async () => {
  // Echoes, and resets on request.
  upstream = await listenTcp((peer) => {
    peer.socket.on('data', (chunk) => (chunk.includes('RESET') ? peer.reset() : peer.send(chunk)));
    peer.socket.on('end', () => peer.finish());
  });
  daemon = await startDaemon({
    server: { workers: 2 },
    protocols: [{ name: 'Redis', target: upstream.target }],
  });
});

afterEach(async () => {
  await daemon.stop();
  await upstream.close();
});

type Act = (client: Peer, bytes: Buffer) => Promise<unknown>;

const gone = (client: Peer) => within('the end', Promise.race([client.ended, once(client.socket, 'close')]));

const acts: readonly Act[] = [
  async (client, bytes) => {
    client.send(bytes).finish();
    expect(await client.end()).toBe('fin');
    expect(hashOf(client.received)).toBe(hashOf(bytes));
  },
  (client, bytes) => {
    client.send(bytes);
    const closed = gone(client);
    client.socket.once('data', () => client.reset());
    return closed;
  },
  (client, bytes) => {
    client.send(bytes.subarray(0, OPENING.length + 1000));
    client.send('RESET');
    return gone(client);
  },
  async (client, bytes) => {
    const closed = gone(client);
    client.send(bytes).reset();
    await closed;
  },
  async (client, bytes) => {
    client.socket.pause();
    client.send(bytes).finish();
    setTimeout(() => client.socket.resume(), 50);
    expect(await client.end()).toBe('fin');
    expect(hashOf(client.received)).toBe(hashOf(bytes));
  },
];

test('every session ends once, its bytes are in the log and in the metrics, and whole ones are whole', async () => {
  const random = createRandom(6);
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < SESSIONS) {
      const n = next++;
      const bytes = Buffer.concat([OPENING, Buffer.alloc(random(BYTES_MAX), `session ${n} `)]);
      const client = await dial(daemon.port, `127.0.0.${2 + (n % 19)}`);
      await acts[n % acts.length]?.(client, bytes);
      client.socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));

  const lines = await daemon.ended(SESSIONS);
  expect(lines).toHaveLength(SESSIONS);
  await daemon.metricBecomes('anyport_sessions_active', 0);
  await daemon.booksBalance();
  const sum = (key: 'bytes_up' | 'bytes_down') => lines.reduce((total, line) => total + line[key], 0);
  expect(await daemon.metric('anyport_bytes_total', { direction: 'up' })).toBe(sum('bytes_up'));
  expect(await daemon.metric('anyport_bytes_total', { direction: 'down' })).toBe(sum('bytes_down'));
  const done = lines.filter(({ reason }) => reason === 'done');
  expect(done.length).toBeGreaterThanOrEqual((2 * SESSIONS) / acts.length);
  expect(done.every((line) => line.bytes_up === line.bytes_down)).toBe(true);
});
