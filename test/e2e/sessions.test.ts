/** Live sessions of a running daemon with several workers: listed, ended, and drained over the control interface. */
import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ControlSite, startControlled } from '../support/control.js';
import type { Daemon, ServerSection } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { eventually } from '../support/wait.js';

let daemon: Daemon;
let site: ControlSite;
let upstream: Upstream;

const handler = (name: string) => resolve(`test/e2e/handlers/${name}.mjs`);

async function start(server: ServerSection): Promise<void> {
  ({ daemon, site } = await startControlled({
    server: { workers: 2, ...server },
    protocols: [
      { name: 'Redis', target: upstream.target },
      { name: 'Naming', handler: handler('naming'), start_bytes: ['6e616d65'] },
      { name: 'Hang', handler: handler('hang'), start_bytes: ['cc'] },
      { name: 'Exit', handler: handler('exit'), start_bytes: ['ee'] },
    ],
  }));
}

beforeEach(async () => {
  upstream = await listenTcp(echo);
});

afterEach(async () => {
  daemon.signal('SIGKILL');
  await daemon.stop();
  await upstream.close();
});

async function session(): Promise<Peer> {
  const client = (await dial(daemon.port)).send(redisPing);
  await client.bytes(redisPing.length);
  return client;
}

const list = async (query = '') => (await site.get(`/api/v1/sessions?${query}`)).body;

describe.each(['reuseport', 'handoff'])('accept %s', (accept) => {
  test('sessions of all workers are in one list, and each can be ended', async () => {
    await start({ accept });
    const clients: Peer[] = [];
    for (let n = 0; n < 20; n += 1) clients.push(await session());
    const { sessions, matching, missing } = await list('order=oldest');
    expect({ matching, missing }).toEqual({ matching: 20, missing: [] });
    const sources = sessions.map(({ source }: { source: string }) => source);
    expect(new Set(sources)).toEqual(new Set(clients.map(({ address }) => address)));
    const workers: number[] = sessions.map(({ worker }: { worker: number }) => worker);
    expect(new Set(workers)).toEqual(new Set([0, 1]));

    for (const { id } of sessions) {
      expect((await site.ask('DELETE', `/api/v1/sessions/${id}`)).status).toBe(200);
    }
    for (const client of clients) expect(await client.end()).toBe('reset');
    for (const peer of upstream.peers) expect(await peer.end()).toBe('reset');
    const lines = await daemon.ended(20);
    expect(new Set(lines.map(({ by, reason }) => `${by} ${reason}`))).toEqual(new Set(['admin admin']));
    await daemon.booksBalance();
  });
});

test('a handler knows its session by the id of the list', async () => {
  await start({});
  const client = (await dial(daemon.port)).send('name');
  await eventually('the id', () => client.length > 4);
  const { sessions } = await list('protocol=naming');
  expect(sessions).toMatchObject([{ id: client.received.toString(), upstream: 'Naming', endpoint: null }]);
  await site.ask('DELETE', `/api/v1/sessions/${client.received}`);
  expect(await client.end()).toBe('reset');
});

test('a worker that hangs holds up neither a list nor the end of a session; it is missing', async () => {
  await start({ accept: 'handoff' });
  const clients = [await session(), await session()];
  const before = await list();
  await (await dial(daemon.port)).send(Buffer.from([0xcc]));
  const { missing, sessions } = await eventually('a worker to be missing', async () => {
    const answer = await list();
    return answer.missing.length > 0 && answer;
  });
  expect(missing).toHaveLength(1);
  expect(sessions.every(({ worker }: { worker: number }) => worker !== missing[0])).toBe(true);
  const lost = before.sessions.find(({ worker }: { worker: number }) => worker === missing[0]);
  expect((await site.ask('DELETE', `/api/v1/sessions/${lost.id}`)).status).not.toBe(200);
  const other = before.sessions.find(({ worker }: { worker: number }) => worker !== missing[0]);
  expect((await site.ask('DELETE', `/api/v1/sessions/${other.id}`)).status).toBe(200);
  const ended = clients.find(({ address }) => address === other.source);
  expect(await ended?.end()).toBe('reset');
});

test('ids of a worker that died end nobody of the one that replaced it', async () => {
  await start({ workers: 1 });
  await session();
  const [stale] = (await list()).sessions;
  (await dial(daemon.port)).send(Buffer.from([0xee]));
  await daemon.metricBecomes('anyport_worker_restarts_total', 1);
  const client = await session();
  expect((await list()).sessions).toHaveLength(1);
  expect((await site.ask('DELETE', `/api/v1/sessions/${stale.id}`)).status).toBe(404);
  client.send('here');
  await client.bytes(redisPing.length + 4);
});

describe('a drain over the control interface', () => {
  test('is joined by the first SIGTERM after it; the second one stops at once', async () => {
    await start({ graceful_shutdown_timeout: '1h' });
    const client = await session();
    await site.ask('POST', '/api/v1/drain');
    daemon.signal('SIGTERM');
    await eventually('the drain', () => daemon.lines.some(({ msg }) => msg === 'draining'));
    client.send('here');
    await client.bytes(redisPing.length + 4);
    expect((await list()).matching).toBe(1);
    daemon.signal('SIGTERM');
    expect(await client.end()).toBe('reset');
    await daemon.exit();
    expect(daemon.sessions).toMatchObject([{ by: 'admin', reason: 'admin' }]);
  });

  test('can be helped along: a session that will not end is ended by its id', async () => {
    await start({ graceful_shutdown_timeout: '1h' });
    const client = await session();
    await site.ask('POST', '/api/v1/drain');
    const [{ id }] = (await list()).sessions;
    await site.ask('DELETE', `/api/v1/sessions/${id}`);
    expect(await client.end()).toBe('reset');
    expect(await daemon.exit()).toBe(0);
    expect(daemon.lines).toContainEqual(expect.objectContaining({ msg: 'drained', cut: 1 }));
  });
});
