/** A worker thread that hangs is detected, logged, terminated and replaced; one that only pauses is not. */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { eventually } from '../support/wait.js';

let daemon: Daemon;
let upstream: Upstream;

const handler = (name: string) => resolve(`test/e2e/handlers/${name}.mjs`);

async function start(server: Record<string, unknown>): Promise<void> {
  daemon = await startDaemon({
    server,
    protocols: [
      { name: 'Redis', target: upstream.target },
      { name: 'Hang', handler: handler('hang'), start_bytes: ['cc'] },
      { name: 'Loop', handler: handler('loop'), start_bytes: ['dd'] },
      { name: 'Busy', handler: handler('busy'), start_bytes: ['bb'] },
    ],
  });
}

beforeEach(async () => {
  upstream = await listenTcp(echo);
});

afterEach(async () => {
  await daemon.stop();
  await upstream.close();
});

async function send(bytes: string | Buffer): Promise<Peer> {
  const client = await dial(daemon.port);
  return client.send(bytes);
}

async function health(): Promise<{ code: number; status: string; accepting: number }> {
  const answer = await daemon.get('/health/ready');
  const { status, workers } = (await answer.json()) as { status: string; workers: { accepting: number } };
  return { code: answer.status, status, accepting: workers.accepting };
}

describe.each(['reuseport', 'handoff'])('accept %s', (accept) => {
  test('a worker that hangs is told, ended and replaced, and whoever waited is served', async () => {
    await start({ accept, workers: 2 });
    const before = await Promise.all(Array.from({ length: 30 }, () => send(redisPing)));
    await Promise.all(before.map((client) => client.bytes(redisPing.length)));
    const killer = await send(Buffer.from([0xcc]));
    const waiting = await Promise.all(Array.from({ length: 30 }, () => send(redisPing)));
    await eventually('readiness to tell', async () => (await health()).accepting === 1);
    expect(await health()).toMatchObject({ code: 200, status: 'degraded' });

    await daemon.metricBecomes('anyport_worker_hangs_total', 1);
    await daemon.metricBecomes('anyport_worker_restarts_total', 1);
    await eventually('readiness', async () => (await health()).status === 'ready');
    await killer.end();
    // Sessions that the hung thread had accepted are reset; connections in the backlog are served.
    await eventually('everybody to be answered, or ended', () =>
      waiting.every((client) => client.length > 0 || client.ending !== undefined),
    );
    expect(waiting.filter((client) => client.length > 0).length).toBeGreaterThan(0);
    expect(before.some((client) => client.ending === undefined)).toBe(true);
    const late = await Promise.all(Array.from({ length: 20 }, () => send(redisPing)));
    await Promise.all(late.map((client) => client.bytes(redisPing.length)));

    expect(daemon.lines).toContainEqual(
      expect.objectContaining({ level: 'error', msg: 'a worker hangs and is ended' }),
    );
    for (const client of [...before, ...waiting, ...late]) client.reset();
    await daemon.metricBecomes('anyport_sessions_active', 0);
    await daemon.booksBalance();
  });
});

test('with all workers hung the daemon is not ready, and then it is again', async () => {
  await start({ workers: 1 });
  await send(Buffer.from([0xdd]));
  await eventually('readiness to tell', async () => (await health()).code === 503);
  await eventually('readiness', async () => (await health()).code === 200);
  const client = await send(redisPing);
  await client.bytes(redisPing.length);
});

test('a worker that hangs while the daemon drains takes its sessions along: the exit status is 1', async () => {
  await start({ workers: 1, graceful_shutdown_timeout: '1h' });
  const client = await send(redisPing);
  await client.bytes(redisPing.length);
  await send(Buffer.from([0xcc]));
  daemon.signal('SIGTERM');
  expect(await daemon.exit()).toBe(1);
  expect(daemon.lines.at(-1)).toMatchObject({ msg: 'stopped before every session had ended' });
});

test('a handler at work for a moment is no hang, nor is a process that was stopped', async () => {
  await start({ workers: 2 });
  const busy = await send(Buffer.from([0xbb]));
  await busy.end();
  expect(busy.received.toString()).toBe('done');
  daemon.signal('SIGSTOP');
  await sleep(13_000); // longer than the hang timeout
  daemon.signal('SIGCONT');
  await eventually('readiness', async () => (await health()).status === 'ready');
  const looks = daemon.lines.length;
  await sleep(2000);
  expect(daemon.lines.length).toBe(looks);
  expect(await daemon.metric('anyport_worker_hangs_total')).toBe(0);
  expect(await daemon.metric('anyport_worker_restarts_total')).toBe(0);
});
