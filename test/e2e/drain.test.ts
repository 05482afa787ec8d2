/** The end of the daemon's service: not ready at once, accepting for a while, finishing, and a tail that is cut. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Daemon, type ServerSection, startDaemon } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { accepts } from '../support/process.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { eventually } from '../support/wait.js';

let daemon: Daemon;
let upstream: Upstream;

beforeEach(async () => {
  upstream = await listenTcp(echo);
});

afterEach(async () => {
  daemon.signal('SIGKILL');
  await daemon.stop();
  await upstream.close();
});

async function start(server: ServerSection, more: Record<string, unknown> = {}): Promise<void> {
  daemon = await startDaemon({
    server: { graceful_shutdown_timeout: '30s', ...server },
    protocols: [
      { name: 'Redis', target: upstream.target },
      { name: 'Exit', handler: resolve('test/e2e/handlers/exit.mjs'), start_bytes: ['ee'] },
      { name: 'Saving', handler: resolve('test/e2e/handlers/saving.mjs'), start_bytes: ['736176696e67'] },
    ],
    ...more,
  });
}

async function session(): Promise<Peer> {
  const client = await dial(daemon.port);
  client.send(redisPing);
  await client.bytes(redisPing.length);
  return client;
}

const readiness = async () => {
  const answer = await daemon.get('/health/ready');
  return { code: answer.status, ...((await answer.json()) as { status: string }) };
};

describe.each(['reuseport', 'handoff'])('drain_delay, accept %s', (accept) => {
  test('it is not ready at once, and accepts until the delay is over', async () => {
    // For the log, a request and a session on a busy machine.
    await start({ accept, workers: 2, drain_delay: '6s' });
    const before = await session();
    daemon.signal('SIGTERM');
    expect(await daemon.line('draining')).toMatchObject({
      sessions: 1,
      drain_delay_ms: 6000,
      deadline_ms: 30_000,
    });
    expect(await readiness()).toMatchObject({ code: 503, status: 'draining' });
    const during = await session();
    await eventually('the end of accepting', async () => !(await accepts(daemon.port)));
    for (const client of [before, during]) {
      client.send('after').finish();
      expect(await client.end()).toBe('fin');
      expect(client.received.toString()).toBe(`${redisPing}after`);
    }
    expect(await daemon.exit()).toBe(0);
    expect(daemon.sessions.filter(({ bytes_up }) => bytes_up > 0).map(({ reason }) => reason)).toEqual([
      'done',
      'done',
    ]);
    expect(await daemon.line('drained')).toMatchObject({ cut: 0, lines_dropped: 0 });
  });

  test('a second signal during the delay stops at once', async () => {
    await start({ accept, workers: 2, drain_delay: '1h' });
    const client = await session();
    daemon.signal('SIGTERM');
    await daemon.line('draining');
    daemon.signal('SIGINT');
    expect(await client.end()).toBe('reset');
    await daemon.exit();
    expect(daemon.sessions).toMatchObject([{ by: 'admin', reason: 'admin' }]);
    expect(await daemon.line('drained')).toMatchObject({ cut: 1 });
    expect(daemon.lines.at(-1)).toMatchObject({ msg: 'stopped before every session had ended' });
  });

  test('with nobody inside, a second signal during the delay stops too', async () => {
    await start({ accept, workers: 2, drain_delay: '1h' });
    daemon.signal('SIGTERM');
    await daemon.line('draining');
    daemon.signal('SIGTERM');
    expect(await daemon.exit()).toBe(0);
  });
});

test('a worker that dies during the delay is replaced: accepting goes on', async () => {
  await start({ workers: 1, drain_delay: '1h' });
  daemon.signal('SIGTERM');
  await daemon.line('draining');
  (await dial(daemon.port)).send(Buffer.from([0xee]));
  await daemon.metricBecomes('anyport_worker_restarts_total', 1);
  const client = await session();
  daemon.signal('SIGTERM');
  expect(await client.end()).toBe('reset');
});

test('a worker that dies while sessions finish takes only its own along, and the drain goes on', async () => {
  await start({ workers: 2 });
  const clients = await Promise.all(Array.from({ length: 20 }, session));
  const killer = await dial(daemon.port);
  await daemon.metricBecomes('anyport_sessions_active', clients.length + 1);
  daemon.signal('SIGTERM');
  await eventually('the end of accepting', async () => !(await accepts(daemon.port)));
  killer.send(Buffer.from([0xee]));
  expect(await killer.end()).toBe('reset');
  for (const client of clients) client.send('after');
  const answered = ({ length }: Peer) => length === redisPing.length + 5;
  await eventually('all to be answered, or ended with the worker', () =>
    clients.every((client) => answered(client) || client.ending !== undefined),
  );
  const alive = clients.filter((client) => client.ending === undefined);
  expect(alive.length).toBeGreaterThan(0);
  for (const client of alive) client.finish();
  expect(await daemon.exit()).toBe(1);
  expect(daemon.sessions.filter(({ reason }) => reason === 'done').length).toBeGreaterThanOrEqual(
    alive.length,
  );
});

describe('the tail', () => {
  test('is reset at the deadline in every stage, each session with its line', async () => {
    await start({ workers: 2, graceful_shutdown_timeout: '300ms' });
    const relayed = await Promise.all(Array.from({ length: 5 }, session));
    const silent = await Promise.all(Array.from({ length: 5 }, () => dial(daemon.port)));
    await daemon.metricBecomes('anyport_sessions_active', 10);
    daemon.signal('SIGTERM');
    for (const client of [...relayed, ...silent]) expect(await client.end()).toBe('reset');
    expect(await daemon.exit()).toBe(0);
    const during = (stage: string) =>
      daemon.sessions.filter((each) => each.reason === 'drain_timeout' && each.during === stage).length;
    expect([during('relay'), during('sniff'), daemon.sessions.length]).toEqual([5, 5, 10]);
    expect(await daemon.line('drained')).toMatchObject({ cut: 10, lines_dropped: 0 });
  });

  test('has no flood of lines: what access_log_rate drops is counted', async () => {
    const CROWD = 40;
    await start({ workers: 1, graceful_shutdown_timeout: '300ms' }, { logging: { access_log_rate: 5 } });
    await Promise.all(Array.from({ length: CROWD }, session));
    daemon.signal('SIGTERM');
    expect(await daemon.exit()).toBe(0);
    const drained = await daemon.line('drained');
    expect(drained).toMatchObject({ cut: CROWD });
    expect(daemon.sessions.length).toBeGreaterThan(0);
    expect(daemon.sessions.length + Number(drained.lines_dropped)).toBe(CROWD);
    expect(drained.lines_dropped).toBeGreaterThan(0);
  });
});

describe('a handler that saves what it got some time after the end of its session', () => {
  async function saving(): Promise<{ client: Peer; path: string }> {
    const client = await dial(daemon.port);
    const path = `${daemon.folder.path}/saved`;
    client.send(`saving ${path}\n`);
    await client.bytes(5);
    return { client, path };
  }

  test('is given the time when the upload is whole', async () => {
    await start({ workers: 1 });
    const { client, path } = await saving();
    daemon.signal('SIGTERM');
    await daemon.line('draining');
    client.finish();
    expect(await client.end()).toBe('fin');
    expect(await daemon.exit()).toBe(0);
    expect(readFileSync(path, 'utf8')).toBe('whole');
  });

  test('is given the time, and the error, when the upload is cut', async () => {
    await start({ workers: 1, graceful_shutdown_timeout: '200ms' });
    const { client, path } = await saving();
    daemon.signal('SIGTERM');
    expect(await client.end()).toBe('reset');
    expect(await daemon.exit()).toBe(0);
    expect(readFileSync(path, 'utf8')).toBe('ECONNRESET');
  });
});

describe('and reloads', () => {
  test('a reload during a drain is refused by name', async () => {
    await start({});
    const client = await session();
    daemon.signal('SIGTERM');
    await daemon.line('draining');
    daemon.signal('SIGHUP');
    await eventually('the refusal', () =>
      daemon.lines.some(({ msg }) => msg.includes('the daemon is draining')),
    );
    client.finish();
    expect(await daemon.exit()).toBe(0);
  });

  test('a drain during reloads waits for none of them', async () => {
    await start({ workers: 2 });
    const client = await session();
    for (let n = 0; n < 20; n += 1) daemon.signal('SIGHUP');
    daemon.signal('SIGTERM');
    await eventually('the end of accepting', async () => !(await accepts(daemon.port)));
    client.send('after').finish();
    expect(await client.end()).toBe('fin');
    expect(await daemon.exit()).toBe(0);
  });
});
