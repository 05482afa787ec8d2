/**
 * Everything at once, a quarter of an hour with `ANYPORT_SOAK=1`: normal sessions, slow clients, garbage, trickled PROXY
 * headers, connections that only knock, and changes of the configuration. No normal session notices, the counters
 * balance at every scrape, and neither memory nor files are left. `npm run test:native` runs it on the sanitized addon.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { ATTACKERS, drip, type Orders, startAttackers } from '../support/attackers.js';
import { type Daemon, startDaemon, type TestConfig } from '../support/daemon.js';
import { freePort } from '../support/ports.js';
import { openFiles } from '../support/proc.js';
import { startEndpoint, startLoad } from '../support/steady.js';
import { BooksWatch } from './books.js';
import { heldBytes, MIB, report, whole } from './soak.js';

const shape = whole
  ? { rounds: 90, roundMs: 10_000, rate: 300, long: 64, intervalMs: 50, slow: 1000, garbage: 2000 }
  : { rounds: 3, roundMs: 1500, rate: 50, long: 16, intervalMs: 50, slow: 100, garbage: 200 };

/** Shares of the rounds: by the first everything has been compiled and every table has its size. */
const isSettled = (n: number) => n > shape.rounds * 0.3 && n <= shape.rounds * 0.5;
const isLast = (n: number) => n > shape.rounds * 0.8;
/** A sanitizer's allocator spreads what it holds: its bound finds a leak of some bytes a session, over a million of them. */
const GROWTH_MAX = (process.env.ASAN_OPTIONS === undefined ? 4 : 16) * MIB;
const FILES_MAX = 8;

/**
 * What is freed stays in a sanitizer's quarantine: small, it is full before memory is looked at. And it keeps the stack of
 * every allocation for ever, of which compiled JavaScript has ever new ones: of each it keeps one frame.
 */
const SANITIZER = {
  ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=4:malloc_context_size=1`,
};

const lasting: Orders = drip(
  shape.slow,
  ['GET /', 'a'],
  ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', '\0'],
  ['*1\r\n$9', '9'],
  ['PROXY TCP4 192.0.2.', '1'],
  ['\r\n\r\n\0\r\nQUIT\n\x21\x11\x10\0', '\x04'],
  ['', ''],
);
const passing: readonly Orders[] = [
  ['garbage', 32, shape.garbage],
  ['knock', 32, 32],
];

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const configOf = (n: number, port: number, target: string): TestConfig => ({
  server: { workers: 2, max_connections: 5000, identify_timeout: `${1 + (n % 2)}s` },
  logging: { access_log_rate: 10 },
  listeners: [
    {
      name: 'front',
      address: `127.0.0.1:${port}`,
      on_unknown: 'reset',
      proxy_protocol: { accept: true, trusted: [ATTACKERS] },
    },
  ],
  protocols: ['Redis', 'HTTP', 'TLS'].map((name) => ({ name, target })),
  routes: [
    { when: { protocol: 'HTTP', host: `a${n % 3}.test` }, to: 'web' },
    { when: { protocol: 'TLS', sni: 'a.test' }, to: 'web' },
  ],
  upstreams: { web: { endpoints: [target] } },
});

async function goThrough(
  daemon: Daemon,
  port: number,
  target: string,
): Promise<{ growth: number; opened: number }> {
  let [settled, last, opened] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0];
  for (let n = 1; n <= shape.rounds; n += 1) {
    const attacks = await Promise.all(passing.map((orders) => startAttackers(port, orders)));
    expect(await daemon.reload(configOf(n, port, target))).toMatchObject({ msg: 'reloaded' });
    await sleep(shape.roundMs);
    for (const attack of attacks) opened += (await attack.stop()).opened;
    // The least of several looks: what a collection would free is not left behind.
    const bytes = await heldBytes(daemon);
    if (isSettled(n)) settled = Math.min(settled, bytes);
    if (isLast(n)) last = Math.min(last, bytes);
  }
  return { growth: last - settled, opened };
}

test('normal sessions, attackers and changes together', { timeout: 1_800_000 }, async () => {
  const endpoint = await startEndpoint();
  cleanups.push(() => endpoint.stop());
  const port = await freePort();
  const daemon = await startDaemon(configOf(0, port, endpoint.target), { environment: SANITIZER });
  cleanups.push(() => daemon.stop());
  const files = openFiles(daemon.pid);
  const watch = new BooksWatch(async () => (await daemon.get('/metrics')).text());
  const load = await startLoad([port], shape);
  cleanups.push(() => load.kill());
  const slow = await startAttackers(port, lasting);
  const { growth, opened } = await goThrough(daemon, port, endpoint.target);
  const slowly = await slow.stop();
  const { failures, ...figures } = await load.stop();
  await daemon.metricBecomes('anyport_sessions_active', 0);
  const books = await watch.stop();
  report(`${shape.rounds} rounds`, {
    ...figures,
    attackers: opened + slowly.opened,
    growth_mib: (growth / MIB).toFixed(1),
    scrapes: watch.scrapes,
  });
  expect(failures).toBe('');
  expect(figures).toMatchObject({ failed: 0, cut: 0, long: shape.long });
  expect(watch.faults).toEqual([]);
  const normal = figures.sessions + figures.long;
  expect(books.accepted - books.unusual).toBe(normal);
  expect(books.accepted - normal).toBeGreaterThanOrEqual(opened + slowly.opened);
  expect(openFiles(daemon.pid)).toBeLessThanOrEqual(files + FILES_MAX);
  if (whole) expect(growth).toBeLessThan(GROWTH_MAX);
});
