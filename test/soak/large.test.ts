/** A large configuration comes into force while round trips go on: how long it takes, and how long nothing moves. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { startDaemon, type TestConfig } from '../support/daemon.js';
import { startEndpoint, startLoad } from '../support/steady.js';
import { report, whole } from './soak.js';

const ROUTES = 1000;
const UPSTREAMS = 200;
const RELOAD_MS_MAX = 300;
const PAUSE_MS_MAX = 20;

/** `startMs`: until the load's own beginning, a burst of connections to cold code, is over. */
const shape = whole
  ? { startMs: 2_000, reloads: 40, gapMs: 500, rate: 100, long: 50, intervalMs: 10 }
  : { startMs: 100, reloads: 3, gapMs: 100, rate: 20, long: 10, intervalMs: 20 };

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const namesOf = (count: number) => Array.from({ length: count }, (_, index) => index);

/** The nth: every tenth route leads elsewhere, and every tenth upstream has other endpoints. */
function configOf(n: number, target: string): TestConfig {
  const routes = namesOf(ROUTES).map((route) => {
    const [protocol, fact] = route % 2 === 0 ? ['http', 'host'] : ['tls', 'sni'];
    const to = route % 10 === n % 10 ? route + n : route;
    return { when: { protocol, [fact as string]: `h${route}.example.com` }, to: `u${to % UPSTREAMS}` };
  });
  const upstreams = namesOf(UPSTREAMS).map((upstream) => {
    const last = upstream % 10 === n % 10 ? n % 200 : 0;
    const endpoints = namesOf(5).map((endpoint) => `10.${upstream}.${last}.${endpoint + 1}:80`);
    return [`u${upstream}`, { endpoints }];
  });
  return {
    server: { workers: 2, reload_on_change: false },
    logging: { access_log: false },
    protocols: [{ name: 'Redis', target }],
    routes,
    upstreams: Object.fromEntries(upstreams),
  };
}

test(`${ROUTES} routes and ${UPSTREAMS} upstreams, reloaded under round trips`, async () => {
  const endpoint = await startEndpoint();
  cleanups.push(() => endpoint.stop());
  const daemon = await startDaemon(configOf(0, endpoint.target), { asInstalled: true });
  cleanups.push(() => daemon.stop());
  const load = await startLoad([daemon.port], shape);
  cleanups.push(() => load.kill());
  // The same load past the daemon: what the machine itself does to a round trip meanwhile.
  const beside = await startLoad([Number(endpoint.target.split(':')[1])], shape);
  cleanups.push(() => beside.kill());
  await sleep(shape.startMs);
  const tookMs: number[] = [];
  for (let n = 1; n <= shape.reloads; n += 1) {
    const outcome = await daemon.reload(configOf(n, endpoint.target));
    expect(outcome, JSON.stringify(outcome)).toMatchObject({ msg: 'reloaded' });
    tookMs.push(Number(outcome.took_ms));
    await sleep(shape.gapMs);
  }
  const { failures, ...figures } = await load.stop();
  const direct = await beside.stop();
  tookMs.sort((a, b) => a - b);
  const median = tookMs[tookMs.length >> 1] as number;
  report(`${shape.reloads} reloads of a large configuration`, {
    ...figures,
    direct_p999_us: direct.ping_p999_us,
    reload_ms_median: median,
    reload_ms_max: tookMs.at(-1) as number,
  });
  expect(failures).toBe('');
  expect(figures).toMatchObject({ failed: 0, cut: 0 });
  if (!whole) return;
  expect(median).toBeLessThan(RELOAD_MS_MAX);
  expect(figures.ping_p999_us).toBeLessThan(PAUSE_MS_MAX * 1000);
});
