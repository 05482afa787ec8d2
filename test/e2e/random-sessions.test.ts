/** Sessions of random sizes with random pauses, compared by hash, most of them under limits of speed. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { createRandom, type Random } from '../support/random.js';
import { dial, echo, listenTcp, type Upstream } from '../support/tcp.js';

const SESSIONS = 10_000;
const AT_ONCE = 150;
const PAUSE_MS_MAX = 30;
/** Sizes are spread over magnitudes: 2 bytes to 512 KiB. */
const MAGNITUDES = 19;

const limits = {
  a: {},
  b: { bandwidth: { up: 2_000_000, down: 1_000_000 } },
  c: { bandwidth: { up: 20_000_000, down: 20_000_000, per: 'upstream' } },
  d: { bandwidth: { down: 10_000_000, per: 'source' } },
};
const names = Object.keys(limits) as (keyof typeof limits)[];

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

let daemon: Daemon;
let upstream: Upstream;

beforeAll(async () => {
  upstream = await listenTcp(echo);
  daemon = await startDaemon({
    server: { workers: 2, max_connections: 2 * AT_ONCE },
    logging: { access_log: false },
    protocols: names.map((name) => ({
      name: `P${name}`,
      start_bytes: [Buffer.from(name).toString('hex')],
      target: { endpoints: [upstream.target], ...limits[name] },
    })),
  });
});

afterAll(async () => {
  await daemon.stop();
  await upstream.close();
});

function bytesOf(random: Random): Buffer {
  const bytes = Buffer.alloc(2 + random(2 ** random(MAGNITUDES + 1)));
  for (let at = 0; at < bytes.length; at += 1 + random(64)) bytes[at] = random(256);
  bytes.write(names[random(names.length)] ?? 'a');
  return bytes;
}

async function session(random: Random): Promise<number> {
  const bytes = bytesOf(random);
  const client = await dial(daemon.port, `127.0.0.${1 + random(8)}`);
  for (let at = 0; at < bytes.length; ) {
    const piece = bytes.subarray(at, at + 1 + random(bytes.length));
    client.send(piece);
    at += piece.length;
    if (random(4) === 0) await sleep(random(PAUSE_MS_MAX));
  }
  client.finish();
  expect(await client.end()).toBe('fin');
  expect(hashOf(client.received)).toBe(hashOf(bytes));
  client.socket.destroy();
  return bytes.length;
}

test(`${SESSIONS} of them`, { timeout: 900_000 }, async () => {
  let left = SESSIONS;
  let bytes = 0;
  const run = async (seed: number) => {
    const random = createRandom(seed);
    for (; left > 0; ) {
      left -= 1;
      const sent = await session(random);
      bytes += sent;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, (_, seed) => run(seed + 1)));
  await daemon.metricBecomes('anyport_sessions_total', SESSIONS, { reason: 'done' });
  for (const direction of ['up', 'down'])
    expect(await daemon.metric('anyport_bytes_total', { direction })).toBe(bytes);
  expect(await daemon.metric('anyport_bandwidth_wait_seconds_total')).toBeGreaterThan(0);
});
