/**
 * Reloads under load: listeners, protocols, routes, upstreams, endpoints and limits change in each of them, while short
 * sessions come and go and long ones stay. None fails, none is cut, the counters go on, and no memory is left behind.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { type Daemon, startDaemon, type TestConfig } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { freePort } from '../support/ports.js';
import { residentBytes } from '../support/proc.js';
import type { Running } from '../support/process.js';
import { type SteadyLoad, startEndpoint, startLoad } from '../support/steady.js';
import { dial, type Peer } from '../support/tcp.js';
import { eventually } from '../support/wait.js';
import { BooksWatch } from './books.js';
import { MIB, report, whole } from './soak.js';

const shape = whole
  ? { reloads: 100, gapMs: 600, rate: 2000, long: 500, intervalMs: 250 }
  : { reloads: 12, gapMs: 100, rate: 200, long: 50, intervalMs: 50 };

/** Shares of the reloads: by the first everything has been compiled and every table has its size. */
const isSettled = (n: number) => n > shape.reloads * 0.4 && n <= shape.reloads * 0.6;
const isLast = (n: number) => n > shape.reloads * 0.8;
const GROWTH_MAX = 4 * MIB;
/** Sessions of replaced configurations, each of another one: as many at the end as when memory has settled. */
const HELD_MAX = 20;

type Endpoint = Running & { readonly target: string };

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** The nth configuration; `extra`: ports of which one is a listener in each. */
function configOf(
  n: number,
  port: number,
  extra: readonly number[],
  endpoints: readonly Endpoint[],
): TestConfig {
  const [a, b] = endpoints.map(({ target }) => target) as [string, string];
  const targets = [[a], [a, { address: b, weight: 1 + (n % 5) }], [b], [b, a]][n % 4] as unknown[];
  const added = n % 7;
  return {
    server: {
      workers: 2,
      max_connections: 5000,
      identify_timeout: `${10 + (n % 3)}s`,
      reload_on_change: false,
    },
    logging: { access_log: false, access_log_rate: 100 + n },
    listeners: [
      { name: 'front', address: `127.0.0.1:${port}` },
      { name: `extra-${n % extra.length}`, address: `127.0.0.1:${extra[n % extra.length]}` },
    ],
    protocols: Array.from({ length: added }, (_, index) => ({
      name: `Custom${n + index}`,
      start_bytes: [`ee${(n + index).toString(16).padStart(4, '0')}`],
      target: a,
    })),
    routes: [
      ...Array.from({ length: n % 9 }, (_, index) => ({
        when: { protocol: 'http', host: `h${n + index}.example` },
        to: 'web',
      })),
      { when: { protocol: 'redis' }, to: 'web' },
    ],
    upstreams: { web: { endpoints: targets, balance: n % 2 === 0 ? 'round_robin' : 'least_connections' } },
  };
}

async function startWorld() {
  const endpoints = [await startEndpoint(), await startEndpoint()];
  cleanups.push(...endpoints.map((endpoint) => () => endpoint.stop()));
  const port = await freePort();
  const extra = [await freePort(), await freePort(), await freePort()];
  const config = (n: number) => configOf(n, port, extra, endpoints);
  const daemon = await startDaemon(config(0), { asInstalled: true });
  cleanups.push(() => daemon.stop());
  return { daemon, port, config, extraPort: (n: number) => extra[n % extra.length] as number };
}

/** A session that begins at a listener which the next reload takes away. */
async function beginAt(port: number): Promise<Peer> {
  const client = (await dial(port)).send(redisPing);
  await eventually('an answer, or an end', () => client.length === redisPing.length || client.ending);
  expect(client.ending).toBeUndefined();
  return client;
}

async function goesOn(client: Peer): Promise<boolean> {
  const before = client.length;
  client.send(redisPing);
  await client.bytes(before + redisPing.length);
  client.finish();
  return (await client.end()) === 'fin';
}

async function reloadMany(
  daemon: Daemon,
  { config, extraPort }: Awaited<ReturnType<typeof startWorld>>,
): Promise<{ ends: boolean[]; growth: number; tookMs: number[] }> {
  const clients: Peer[] = [];
  const ends: boolean[] = [];
  const tookMs: number[] = [];
  let settledBytes = Number.POSITIVE_INFINITY;
  let lastBytes = Number.POSITIVE_INFINITY;
  for (let n = 1; n <= shape.reloads; n += 1) {
    const outcome = await daemon.reload(config(n));
    expect(outcome, JSON.stringify(outcome)).toMatchObject({ msg: 'reloaded' });
    tookMs.push(Number(outcome.took_ms));
    clients.push(await beginAt(extraPort(n)));
    const oldest = clients.length > HELD_MAX ? clients.shift() : undefined;
    if (oldest !== undefined) ends.push(await goesOn(oldest));
    await sleep(shape.gapMs);
    // The least of several looks: what a collection would free is not left behind.
    const bytes = residentBytes(daemon.pid);
    if (isSettled(n)) settledBytes = Math.min(settledBytes, bytes);
    if (isLast(n)) lastBytes = Math.min(lastBytes, bytes);
  }
  ends.push(...(await Promise.all(clients.map(goesOn))));
  return { ends, growth: lastBytes - settledBytes, tookMs };
}

test('many reloads, each with changes of every kind: 0 failed, 0 cut, counters continuous', async () => {
  const world = await startWorld();
  const { daemon, port } = world;
  const watch = new BooksWatch(async () => (await daemon.get('/metrics')).text());
  const load: SteadyLoad = await startLoad([port], shape);
  cleanups.push(() => load.kill());
  const { ends, growth, tookMs } = await reloadMany(daemon, world);
  const { failures, ...figures } = await load.stop();
  await daemon.metricBecomes('anyport_sessions_active', 0);
  const books = await watch.stop();
  report(`${shape.reloads} reloads`, {
    ...figures,
    growth_mib: (growth / MIB).toFixed(1),
    reload_ms_max: Math.max(...tookMs),
    scrapes: watch.scrapes,
  });
  expect(failures).toBe('');
  expect(figures).toMatchObject({ failed: 0, cut: 0, long: shape.long });
  expect(ends).toEqual(Array.from({ length: shape.reloads }, () => true));
  expect(watch.faults).toEqual([]);
  const sessions = figures.sessions + figures.long + ends.length;
  expect(books).toEqual({ accepted: sessions, ended: sessions, active: 0, unusual: 0 });
  expect(await daemon.metric('anyport_config_reloads_total', { result: 'applied' })).toBe(shape.reloads);
  if (whole) expect(growth).toBeLessThan(GROWTH_MAX);
});
