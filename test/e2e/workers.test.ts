/** Worker threads share a port; one that dies takes only its own sessions along and is replaced. */
import { resolve } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { eventually } from '../support/wait.js';

let daemon: Daemon;
let upstream: Upstream;

async function start(server: Record<string, unknown>): Promise<void> {
  upstream = await listenTcp(echo);
  daemon = await startDaemon({
    server: { workers: 2, ...server },
    protocols: [
      { name: 'Redis', target: upstream.target },
      { name: 'Exit', handler: resolve('test/e2e/handlers/exit.mjs'), start_bytes: ['ee'] },
      { name: 'Throw', handler: resolve('test/e2e/handlers/throw.mjs'), start_bytes: ['dd'] },
      { name: 'Dying', handler: resolve('test/e2e/handlers/dying.mjs'), start_bytes: ['6479696e67'] },
      { name: 'Upper', handler: resolve('test/e2e/handlers/upper.mjs'), start_bytes: ['75'] },
    ],
  });
}

afterEach(async () => {
  await daemon.stop();
  await upstream.close();
});

async function session(from?: string): Promise<Peer> {
  const client = await dial(daemon.port, from);
  client.send(redisPing);
  await eventually('an answer', () => client.length === redisPing.length);
  return client;
}

describe.each(['reuseport', 'handoff'])('accept %s', (accept) => {
  test('sessions are spread over the workers', async () => {
    await start({ accept });
    const clients: Peer[] = [];
    for (let n = 0; n < 40; n += 1) clients.push(await session());
    for (const client of clients) client.finish();
    const lines = await daemon.ended(clients.length);
    const workers = lines.map((line) => line.worker);
    expect(new Set(workers)).toEqual(new Set([0, 1]));
    if (accept === 'handoff') expect(workers.filter((worker) => worker === 0)).toHaveLength(20);
  });

  test('a worker that dies under load: the others live on, it is replaced, the books balance', async () => {
    await start({ accept });
    const clients = await Promise.all(Array.from({ length: 60 }, () => session()));
    // Connections that arrive while the worker is down must be served by its replacement.
    const killer = await dial(daemon.port);
    killer.send(Buffer.from([0xee]));
    const dialled = await Promise.allSettled(Array.from({ length: 40 }, () => dial(daemon.port)));
    // A connection accepted as the worker died is reset, perhaps before `connect` is emitted.
    const newcomers = dialled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    expect(newcomers.length).toBeGreaterThan(0);
    for (const client of newcomers) client.send(redisPing);
    await daemon.metricBecomes('anyport_worker_restarts_total', 1);

    // An end may not have been seen yet: a client is alive if it gets a reply.
    for (const client of clients) client.send('still here');
    const answered = ({ length }: Peer) => length === redisPing.length + 10;
    await eventually('every session to be answered, or ended with its worker', () =>
      clients.every((client) => answered(client) || client.ending !== undefined),
    );
    const alive = clients.filter((client) => client.ending === undefined);
    expect(alive.length).toBeGreaterThan(0);
    expect(alive.length).toBeLessThan(clients.length);
    const late = await Promise.all(Array.from({ length: 20 }, () => session()));
    expect(late.every((client) => client.ending === undefined)).toBe(true);
    await eventually('every newcomer to be answered or ended with its worker', () =>
      newcomers.every((client) => client.length > 0 || client.ending !== undefined),
    );
    await daemon.booksBalance();

    const open = [...alive, ...late, ...newcomers].filter((client) => client.ending === undefined);
    for (const client of open) client.finish();
    await Promise.all(open.map((client) => client.end()));
    await daemon.metricBecomes('anyport_sessions_active', 0);
    await daemon.booksBalance();
  });

  const deaths = [
    { how: 'an exit', opening: 0xee },
    { how: 'an uncaught exception', opening: 0xdd },
  ];
  test.each(deaths)('a worker that dies again and again is replaced each time: $how', async ({ opening }) => {
    const LIMIT = 8;
    await start({ accept, workers: 1, max_connections: LIMIT });
    for (let count = 1; count <= 3; count += 1) {
      const others = await Promise.all([session(), session(), session()]);
      const killer = await dial(daemon.port);
      killer.send(Buffer.from([opening]));
      const endings = await Promise.all(others.map((client) => client.end()));
      expect(new Set(endings)).toEqual(new Set(['reset'])); // with FIN a truncated reply would look complete
      await daemon.metricBecomes('anyport_worker_restarts_total', count);
    }
    await daemon.booksBalance();
    // The dead worker's places are free again, exactly as many.
    await Promise.all(Array.from({ length: LIMIT }, () => session()));
    const late = await dial(daemon.port).catch(() => null); // reset before `connect`
    expect(await late?.end()).not.toBe('fin');
    expect(await daemon.metric('anyport_sessions_active')).toBe(LIMIT);
    await daemon.booksBalance();
  });
});

test('a handler gets the sniffed bytes first, and its end ends the session', async () => {
  await start({});
  const client = await dial(daemon.port);
  client.send('upper ');
  await client.bytes(6);
  client.send('case').finish();
  await client.end();
  expect(client.received.toString()).toMatch(/^UPPER CASE\nupper on /);
  expect((await daemon.ended(1))[0]).toMatchObject({ protocol: 'upper', reason: 'done', bytes_up: 10 });
});

describe('a handler whose worker dies', () => {
  const DYING = 'dying ';

  async function begun(): Promise<Peer> {
    const client = (await dial(daemon.port)).send(DYING);
    await client.bytes(4);
    return client;
  }

  // A FIN after half an answer would make it look whole.
  test.each([
    { how: 'an error in a timer', said: 'throw' },
    { how: 'an exit in a timer', said: 'exit' },
    { how: 'an exit while it reads', said: 'exit at once' },
  ])('by $how has its sessions reset, never ended with a FIN', async ({ said }) => {
    await start({ workers: 1 });
    const halfClosed = (await begun()).finish();
    const clients = [halfClosed, ...(await Promise.all(Array.from({ length: 5 }, begun)))];
    clients.at(-1)?.send(said);
    const endings = await Promise.all(clients.map((client) => client.end()));
    expect(endings).toEqual(clients.map(() => 'reset'));
    await daemon.metricBecomes('anyport_sessions_total', clients.length, { reason: 'reset' });
    expect(await daemon.metric('anyport_sessions_total')).toBe(clients.length);
  });

  test('has lines for the sessions that ended before', async () => {
    await start({ workers: 1 });
    const [whole, killer] = [await begun(), await begun()];
    whole.send('end').finish();
    expect(await whole.end()).toBe('fin');
    killer.send('throw');
    expect(await killer.end()).toBe('reset');
    expect(await daemon.sessionOf(whole)).toMatchObject({ reason: 'done' });
  });
});

test('two thousand sessions at once, each with its own bytes', async () => {
  await start({ max_connections: 3_000 });
  const clients: Peer[] = [];
  for (let n = 0; n < 2_000; n += 200) {
    const addresses = Array.from({ length: 200 }, (_, i) => `127.0.0.${2 + (i % 19)}`);
    clients.push(...(await Promise.all(addresses.map((from) => session(from)))));
  }
  expect(await daemon.metric('anyport_sessions_active', { protocol: 'redis' })).toBe(2_000);
  for (const [n, client] of clients.entries()) client.send(`session ${n}`).finish();
  const endings = await Promise.all(clients.map((client) => client.end()));
  expect(endings.every((ending) => ending === 'fin')).toBe(true);
  const wrong = clients.filter((client, n) => client.received.toString() !== `${redisPing}session ${n}`);
  expect(wrong).toHaveLength(0);
  await daemon.metricBecomes('anyport_sessions_total', 2_000, { reason: 'done', protocol: 'redis' });
  expect(await daemon.metric('anyport_accepted_total')).toBe(2_000);
});
