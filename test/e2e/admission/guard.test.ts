/** `security.ddos_guard` from the clients' side: who comes too often, or never says what it speaks, is banned. */
import { afterEach, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import { redisPing } from '../../support/flights.js';
import { freePort } from '../../support/ports.js';
import { dial, echo, listenTcp, type Upstream } from '../../support/tcp.js';
import { eventually, waited } from '../../support/wait.js';
import { enter, visit, visits } from './visits.js';

const PROXY = '127.0.0.9';
/** No protocol begins so. */
const GARBAGE = '\x7f\x00\x7f\x00 no such protocol';

let daemon: Daemon;
let upstream: Upstream;
let port: number;

afterEach(async () => {
  await daemon.stop();
  await upstream.close();
});

const guarded = (keys: object) => ({ enable_ddos_guard: true, ddos_guard: { window: '10m', ...keys } });

const configOf = (security: object, server: object = {}) => ({
  server: { workers: 2, ...server },
  listeners: [
    {
      name: 'front',
      address: `127.0.0.1:${port}`,
      proxy_protocol: { accept: true, trusted: [PROXY] },
      on_unknown: 'reset',
    },
  ],
  protocols: [{ name: 'Redis', target: upstream.target }],
  security,
});

async function start(security: object, server: object = {}): Promise<void> {
  upstream = await listenTcp(echo);
  port = await freePort();
  daemon = await startDaemon(configOf(security, server));
}

const endedAs = (wanted: string) => daemon.sessions.filter(({ reason }) => reason === wanted);

describe.each(['reuseport', 'handoff'])('who comes too often, %s', (accept) => {
  test('is banned from one more than the threshold on, over both workers; others are served', async () => {
    await start(guarded({ threshold: 20, failures: 10, ban: '1h' }), { accept });
    const open = await enter(port);
    expect(await visits(19, port)).toMatchObject({ served: 19 });
    expect(await visits(5, port)).toMatchObject({ served: 0, refused: 5 });
    expect(await visits(20, port, { from: '127.0.0.2' })).toMatchObject({ served: 20 });

    await daemon.metricBecomes('anyport_refused_total', 5, { reason: 'banned' });
    const line = await eventually('its line', () => endedAs('banned')[0]);
    expect(line).toMatchObject({ by: 'proxy', during: 'admit', error: 'ban', bytes_up: 0 });
    await eventually(
      'sessions of both workers',
      () => new Set(daemon.sessions.map(({ worker }) => worker)).size === 2,
    );
    await daemon.metricBecomes('anyport_bans_active', 1);
    await daemon.metricBecomes('anyport_bans_total', 1, { cause: 'attempts' });
    await daemon.metricBecomes('anyport_sources', 2);

    // What is open goes on.
    const before = open?.length ?? 0;
    open?.send(redisPing);
    await open?.bytes(before + redisPing.length);
    open?.reset();
    await daemon.booksBalance();
  });
});

test('a ban ends, the next one begins with the same threshold, and lasts twice as long', async () => {
  await start(guarded({ threshold: 10, failures: 5, ban: '1s', ban_max: '4s' }));
  for (const [index, leastMs] of [1000, 2000, 4000].entries()) {
    expect(await visits(10, port)).toMatchObject({ served: 10 });
    const before = performance.now();
    expect(await visit(port)).toBe('refused');
    await daemon.metricBecomes('anyport_bans_total', index + 1, { cause: 'attempts' });
    await daemon.metricBecomes('anyport_bans_active', 0);
    expect(performance.now() - before).toBeGreaterThan(waited(leastMs));
  }
  await daemon.booksBalance();
});

test('who does not stop is banned again by its first attempt after', async () => {
  await start(guarded({ threshold: 10, failures: 5, ban: '1s' }));
  expect(await visits(30, port)).toMatchObject({ served: 10, refused: 20 });
  await daemon.metricBecomes('anyport_bans_active', 0);
  // More than one, where thirty visits take longer than a ban.
  const before = await daemon.metric('anyport_bans_total', { cause: 'attempts' });
  expect(before).toBeGreaterThan(0);
  expect(await visit(port)).toBe('refused');
  await daemon.metricBecomes('anyport_bans_total', before + 1, { cause: 'attempts' });
});

describe('failed identifications', () => {
  test('of garbage are a ban from one more than `failures` on', async () => {
    await start(guarded({ failures: 3, ban: '1h' }));
    for (let n = 1; n <= 4; n += 1) {
      expect(await visit(port, { opening: GARBAGE })).toBe('refused');
      await eventually('it to have failed', () => endedAs('unknown_protocol').length === n);
      await daemon.metricBecomes('anyport_bans_active', n === 4 ? 1 : 0);
    }
    expect(await visit(port)).toBe('refused');
    await daemon.ended(5);
    expect(endedAs('banned')).toHaveLength(1);
    await daemon.metricBecomes('anyport_bans_total', 1, { cause: 'failures' });
    expect(await visit(port, { from: '127.0.0.2' })).toBe('served');
    await daemon.booksBalance();
  });

  test('of silent clients, too', async () => {
    await start(guarded({ failures: 2, ban: '1h' }), { identify_timeout: '1s' });
    const silent = await Promise.all([1, 2, 3].map(() => dial(port)));
    await Promise.all(silent.map((client) => client.end()));
    await daemon.metricBecomes('anyport_bans_active', 1);
    expect(await visit(port)).toBe('refused');
    await daemon.ended(4);
    expect(endedAs('identify_timeout')).toHaveLength(3);
  });

  test('are not those of clients that leave, and a reload fails nobody', async () => {
    await start(guarded({ failures: 1, ban: '1h' }));
    for (let n = 0; n < 5; n += 1) {
      const client = (await dial(port)).send('*1\r\n$4\r\nPI');
      client.reset();
    }
    await daemon.ended(5);
    const waiting = await Promise.all([1, 2, 3].map(() => dial(port)));
    await daemon.metricBecomes('anyport_sessions_active', 3);
    expect((await daemon.reload(configOf(guarded({ failures: 1, ban: '2h' })))).msg).toBe('reloaded');
    expect(await visit(port)).toBe('served');
    await daemon.metricBecomes('anyport_bans_total', 0, { cause: 'failures' });
    for (const client of waiting) client.reset();
    await daemon.booksBalance();
  });

  test('are no reason with `failures: 0`', async () => {
    await start(guarded({ failures: 0, ban: '1h' }));
    for (let n = 0; n < 5; n += 1) expect(await visit(port, { opening: GARBAGE })).toBe('refused');
    await daemon.ended(5);
    expect(await visit(port)).toBe('served');
  });
});

describe('behind a proxy that is trusted to announce its clients', () => {
  test('a ban is of the announced source, by its /64, and never of the proxy', async () => {
    await start(guarded({ threshold: 10, failures: 5, ban: '1h' }));
    const announcing = (count: number, announced: string) => visits(count, port, { from: PROXY, announced });
    expect(await announcing(12, '192.0.2.1')).toMatchObject({ served: 10, refused: 2 });
    expect(await announcing(10, '192.0.2.2')).toMatchObject({ served: 10 });
    expect(await announcing(12, '2001:db8::1')).toMatchObject({ served: 10, refused: 2 });
    expect(await announcing(1, '2001:db8::ffff:2')).toMatchObject({ served: 0 });
    expect(await announcing(10, '2001:db8:0:1::1')).toMatchObject({ served: 10 });
    await daemon.metricBecomes('anyport_bans_active', 2);
    // 192.0.2.1 has come by itself: it is the same source.
    expect(await announcing(1, '::ffff:192.0.2.1')).toMatchObject({ refused: 1 });
    await daemon.ended(46);
    expect(endedAs('banned')).toHaveLength(6);
    expect(endedAs('banned')[0]).toMatchObject({ source: '192.0.2.1:4000', during: 'admit' });
    await daemon.booksBalance();
  });

  test('failed identifications are of the announced source', async () => {
    await start(guarded({ failures: 2, ban: '1h' }));
    for (let n = 1; n <= 3; n += 1) {
      await visit(port, { from: PROXY, announced: '192.0.2.1', opening: GARBAGE });
      await eventually('it to have failed', () => endedAs('unknown_protocol').length === n);
    }
    expect(await visit(port, { from: PROXY, announced: '192.0.2.1' })).toBe('refused');
    expect(await visit(port, { from: PROXY, announced: '192.0.2.2' })).toBe('served');
  });
});

test('a reload changes the guard, and bans stay until they are over', async () => {
  await start({});
  expect(await visits(30, port)).toMatchObject({ served: 30 });
  await daemon.reload(configOf(guarded({ threshold: 5, failures: 2, ban: '1h' })));
  expect(await visits(7, port)).toMatchObject({ served: 5, refused: 2 });
  await daemon.reload(configOf({}));
  expect(await visit(port)).toBe('refused');
  expect(await visits(30, port, { from: '127.0.0.2' })).toMatchObject({ served: 30 });
  await daemon.booksBalance();
});
