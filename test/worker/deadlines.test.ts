/**
 * Deadlines: bytes that arrived in time count as in time however late the thread looks, and a slow peer counts as
 * alive.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { native } from '../../src/addon.js';
import type { PlanListener } from '../../src/model/plan.js';
import { dial, echo, type Peer } from '../support/tcp.js';
import { eventually } from '../support/wait.js';
import { limits, type Plane, planFor, upstream, useStage } from './plane.js';

const { serve, start } = useStage();

/** More clients than events per turn. */
const CROWD = 400;
const DEADLINE_MS = 3000;

/** Blocks this thread: engine, clients and servers. */
function holdUp(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, DEADLINE_MS + 100);
}

async function crowd(plane: Plane): Promise<Peer[]> {
  const accepted = () => plane.metric('anyport_accepted_total');
  const before = accepted();
  const clients = await Promise.all(Array.from({ length: CROWD }, () => dial(plane.port)));
  await eventually('all to be accepted', () => accepted() - before === CROWD);
  return clients;
}

const say = (clients: readonly Peer[], text: string): void => {
  for (const client of clients) client.send(text);
};
const hear = (clients: readonly Peer[], bytes: number) =>
  Promise.all(clients.map((client) => client.bytes(bytes)));

function reasons(plane: Plane): string[] {
  return plane.records().map(({ reason }) => String(reason));
}

describe('after the thread was held up', () => {
  const most = { ...limits, maxConnections: 2 * CROWD };

  test('clients that had spoken are not taken for silent', async () => {
    const [server, mail] = [await serve(echo), await serve()];
    const listener: PlanListener = {
      ...(planFor([]).listeners[0] as PlanListener),
      onSilence: { afterMs: DEADLINE_MS, to: { kind: 'upstream', upstream: 1 } },
    };
    const plan = planFor([upstream('a', server.port), upstream('mail', mail.port)], {
      limits: most,
      listeners: [listener],
    });
    const plane = await start(plan);
    const clients = await crowd(plane);
    say(clients, 'aa');
    holdUp();
    await hear(clients, 2);
    expect(mail.peers).toHaveLength(0);
  });

  test('openings that were whole are not too late', async () => {
    const server = await serve(echo);
    const plane = await start(
      planFor([upstream('a', server.port)], { limits: { ...most, identifyTimeoutMs: DEADLINE_MS } }),
    );
    const clients = await crowd(plane);
    say(clients, 'aa');
    holdUp();
    await hear(clients, 2);
    expect(reasons(plane)).toEqual([]);
  });

  test('sessions that were alive are not idle', async () => {
    const server = await serve(echo);
    const plane = await start(
      planFor([upstream('a', server.port)], { limits: { ...most, idleTimeoutMs: DEADLINE_MS } }),
    );
    const clients = await crowd(plane);
    say(clients, 'aa');
    await hear(clients, 2);
    say(clients, 'more');
    holdUp();
    await hear(clients, 6);
    expect(reasons(plane)).toEqual([]);
  });

  test('answers to clients that had finished are still theirs', async () => {
    const server = await serve();
    const plane = await start(
      planFor([upstream('a', server.port)], { limits: { ...most, halfCloseTimeoutMs: DEADLINE_MS } }),
    );
    const clients = await crowd(plane);
    for (const client of clients) client.send('aa').finish();
    await eventually('all servers to hear', () => server.peers.length === CROWD);
    await Promise.all(server.peers.map((peer) => peer.end()));
    for (const peer of server.peers) peer.send('answer').finish();
    holdUp();
    expect(new Set(await Promise.all(clients.map((client) => client.end())))).toEqual(new Set(['fin']));
    expect(new Set(clients.map(({ received }) => received.toString()))).toEqual(new Set(['answer']));
    await eventually('all records', () => plane.records().length === CROWD);
    expect(new Set(reasons(plane))).toEqual(new Set(['done']));
  });

  describe('an endpoint', () => {
    const cleanups: (() => unknown)[] = [];
    afterEach(async () => {
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    });

    test('that accepted meanwhile is reached', async () => {
      const fd = native.listen({ host: '127.0.0.1', port: 0 }, { reusePort: false, backlog: 0 });
      const { port } = native.localAddress(fd) as { port: number };
      const filler = connect(port, '127.0.0.1'); // fills the backlog: further SYNs are dropped
      await once(filler, 'connect');
      cleanups.push(() => filler.destroy());
      const gate = new Int32Array(new SharedArrayBuffer(4));
      const acceptor = new Worker(
        `const { workerData: { fd, gate } } = require('node:worker_threads');
        Atomics.wait(gate, 0, 0);
        require('node:net').createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen({ fd });`,
        { eval: true, workerData: { fd, gate } },
      );
      cleanups.push(() => acceptor.terminate());
      await once(acceptor, 'online');

      const server = await serve(echo);
      const plane = await start(
        planFor([upstream('a', port), upstream('b', server.port)], {
          limits: { ...most, dialTimeoutMs: DEADLINE_MS },
        }),
      );
      const request = 'GET / HTTP/1.1\r\n\r\n';
      const others = await crowd(plane);
      say(others, request);
      await hear(others, request.length);
      const client = (await dial(plane.port)).send('aa');
      await eventually(
        'the endpoint to be dialled',
        () => plane.metric('anyport_identified_total', { protocol: 'custom' }) === 1,
      );
      say(others, 'more than one turn of events');
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
      holdUp();
      await client.bytes(2);
      expect(reasons(plane)).toEqual([]);
    });
  });
});

test('half_close_timeout leaves a slow reader its answer, as long as it reads', async () => {
  const HALF_CLOSE_MS = 1500;
  const answer = randomBytes(8 << 20);
  const server = await serve((peer) => peer.socket.on('end', () => peer.send(answer).finish()));
  const plane = await start(
    planFor([upstream('a', server.port)], { limits: { ...limits, halfCloseTimeoutMs: HALF_CLOSE_MS } }),
  );
  const client = await dial(plane.port);
  client.socket.pause();
  client.send('aa').finish();
  // The kernel buffer must be a third free before the relay can send again, which takes seconds at this rate.
  const slowly = setInterval(() => client.socket.read(), 200);
  await sleep(3 * HALF_CLOSE_MS);
  clearInterval(slowly);
  client.socket.resume();
  expect(await client.end()).toBe('fin');
  expect(client.received.equals(answer)).toBe(true);
  const record = await eventually('the record', () => plane.records()[0]);
  expect(record).toMatchObject({ reason: 'done', bytes_down: answer.length });
});

test('half_close_timeout ends a session whose reader has stopped', async () => {
  const server = await serve((peer) => peer.socket.on('end', () => peer.send(Buffer.alloc(16 << 20))));
  const plane = await start(
    planFor([upstream('a', server.port)], { limits: { ...limits, halfCloseTimeoutMs: 300 } }),
  );
  const client = await dial(plane.port);
  client.socket.pause();
  client.send('aa').finish();
  const record = await eventually('the record', () => plane.records()[0]);
  expect(record).toMatchObject({ reason: 'half_close_timeout', by: 'timeout' });
});
