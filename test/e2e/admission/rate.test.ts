/** `security.rate_limit` from the clients' side: new sessions of a source, and of all together. */
import { afterEach, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import { redisPing } from '../../support/flights.js';
import { freePort } from '../../support/ports.js';
import { echo, listenTcp, type Upstream } from '../../support/tcp.js';
import { eventually } from '../../support/wait.js';
import { enter, type Visits, visit, visits } from './visits.js';

const PROXY = '127.0.0.9';

let daemon: Daemon;
let upstream: Upstream;
let port: number;

afterEach(async () => {
  await daemon.stop();
  await upstream.close();
});

interface Setting {
  readonly accept?: string;
  readonly security: object;
}

/** One port for everybody; at it, a proxy announces sources. */
const configOf = ({ accept = 'reuseport', security }: Setting) => ({
  server: { accept, workers: 2 },
  listeners: [
    { name: 'front', address: `127.0.0.1:${port}`, proxy_protocol: { accept: true, trusted: [PROXY] } },
  ],
  protocols: [{ name: 'Redis', target: upstream.target }],
  security,
});

async function start(setting: Setting): Promise<void> {
  upstream = await listenTcp(echo);
  port = await freePort();
  daemon = await startDaemon(configOf(setting));
}

const limited = (keys: object) => ({ enable_rate_limit: true, rate_limit: keys });

/** Not every refusal has a line. */
const refusedLine = () =>
  eventually('the line of a refusal', () => daemon.sessions.find(({ reason }) => reason === 'rate_limited'));

/** How many of so many a bucket of one token a second lets in: what it held, and what has grown meanwhile. */
function expectBurst({ served, seconds }: Pick<Visits, 'served' | 'seconds'>, burst: number): void {
  expect(served).toBeGreaterThanOrEqual(burst);
  expect(served).toBeLessThanOrEqual(burst + Math.floor(seconds) + 1);
}

/** Of one bucket. */
const together = (one: Visits, other: Visits) => ({
  served: one.served + other.served,
  seconds: one.seconds + other.seconds,
});

describe.each(['reuseport', 'handoff'])('a source, %s', (accept) => {
  test('is served its burst by two workers together, then reset, and served again later', async () => {
    await start({ accept, security: limited({ requests_per_second: 1, burst_size: 20 }) });
    const came = await visits(40, port);
    expectBurst(came, 20);
    const others = await visits(40, port, { from: '127.0.0.2' });
    expectBurst(others, 20);

    await daemon.metricBecomes('anyport_refused_total', came.refused + others.refused, {
      reason: 'rate_limited',
    });
    expect(await refusedLine()).toMatchObject({
      by: 'proxy',
      during: 'admit',
      error: 'rate_limit',
      protocol: null,
      bytes_up: 0,
    });
    await eventually('sessions of both workers', () => {
      const served = daemon.sessions.filter(({ reason }) => reason !== 'rate_limited');
      return new Set(served.map(({ worker }) => worker)).size === 2;
    });
    await daemon.booksBalance();
    await eventually('a token', async () => (await visit(port)) === 'served');
  });
});

describe('sources', () => {
  test('of IPv6 are their /64, and an IPv4-mapped address is the IPv4 address', async () => {
    await start({ security: limited({ requests_per_second: 1, burst_size: 10 }) });
    const announcing = (announced: string) => visits(30, port, { from: PROXY, announced });
    expectBurst(together(await announcing('2001:db8::1'), await announcing('2001:db8::ffff:2')), 10);
    expectBurst(await announcing('2001:db8:0:1::1'), 10);
    expectBurst(together(await announcing('192.0.2.1'), await announcing('::ffff:192.0.2.1')), 10);
    // The proxy itself has no limit: others come through it.
    expectBurst(await announcing('192.0.2.2'), 10);
    await daemon.booksBalance();
  });

  test('are counted over all listeners', async () => {
    await start({ security: {} });
    const second = await freePort();
    const config = configOf({ security: limited({ requests_per_second: 1, burst_size: 10 }) });
    const listeners = [...config.listeners, { name: 'second', address: `127.0.0.1:${second}` }];
    expect((await daemon.reload({ ...config, listeners })).msg).toBe('reloaded');
    expectBurst(together(await visits(30, port), await visits(30, second)), 10);
  });
});

describe('all sources together', () => {
  test('are served the burst in all, whoever comes', async () => {
    const keys = { requests_per_second: 1000, burst_size: 10, total_per_second: 1, total_burst: 12 };
    await start({ security: limited(keys) });
    const begin = performance.now();
    let served = 0;
    for (let n = 0; n < 10; n += 1) served += (await visits(4, port, { from: `127.0.1.${n}` })).served;
    expectBurst({ served, seconds: (performance.now() - begin) / 1000 }, 12);

    await daemon.metricBecomes('anyport_refused_total', 40 - served, { reason: 'rate_limited' });
    expect(await refusedLine()).toMatchObject({ during: 'admit', error: 'rate_limit in all' });
    await daemon.booksBalance();
    await eventually('a token', async () => (await visit(port)) === 'served');
  });
});

test('a reload begins, changes and ends the limit, and open sessions do not notice', async () => {
  await start({ security: {} });
  const open = await enter(port);
  expect(await visits(30, port)).toMatchObject({ served: 30, refused: 0 });

  await daemon.reload(configOf({ security: limited({ requests_per_second: 1, burst_size: 5 }) }));
  expectBurst(await visits(20, port), 5);
  await daemon.reload(configOf({ security: limited({ requests_per_second: 10_000, burst_size: 1000 }) }));
  await eventually('the new rate to let it in', async () => (await visit(port)) === 'served');
  expect(await visits(20, port)).toMatchObject({ served: 20 });
  await daemon.reload(configOf({ security: limited({ requests_per_second: 1, burst_size: 5 }) }));
  expect((await visits(20, port)).refused).toBeGreaterThan(0);
  await daemon.reload(configOf({ security: {} }));
  expect(await visits(30, port)).toMatchObject({ served: 30 });

  const before = open?.length ?? 0;
  open?.send(redisPing);
  await open?.bytes(before + redisPing.length);
  open?.reset();
  await daemon.booksBalance();
});
