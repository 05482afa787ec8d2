/** What the relay owes both ends: bytes once and in order, FIN as FIN, RST as RST, and back-pressure. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { httpRequest, redisPing } from '../support/flights.js';
import { queuesOf, residentBytes } from '../support/proc.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { eventually } from '../support/wait.js';

const MIB = 1024 * 1024;

let daemon: Daemon;
let upstream: Upstream;

async function start(serve?: (peer: Peer) => void): Promise<void> {
  upstream = await listenTcp(serve);
  daemon = await startDaemon({
    protocols: [
      { name: 'HTTP', target: upstream.target },
      { name: 'Redis', target: upstream.target },
    ],
  });
}

afterEach(async () => {
  await daemon.stop();
  await upstream.close();
});

/** A session relaying in both directions. */
async function established(): Promise<{ client: Peer; server: Peer }> {
  const n = upstream.peers.length;
  const client = await dial(daemon.port);
  client.send(redisPing);
  const server = await upstream.peer(n);
  await server.bytes(redisPing.length);
  server.send('+PONG\r\n');
  await client.bytes(7);
  return { client, server };
}

/** Waits until a non-zero figure stops changing. */
async function untilStill(what: string, read: () => number | Promise<number>): Promise<number> {
  let before = 0;
  return eventually(`${what} to stand still`, async () => {
    const now = await read();
    const still = now === before && now > 0;
    before = now;
    await sleep(200);
    return still && now;
  });
}

describe('half-close', () => {
  test('the answer that comes 300 ms after the client has finished still arrives', async () => {
    await start();
    const client = await dial(daemon.port);
    client.send(httpRequest).finish();
    const server = await upstream.peer(0);
    expect(await server.end()).toBe('fin');
    expect(server.received.toString()).toBe(httpRequest);
    await sleep(300);
    server.send('late answer').finish();
    expect(await client.end()).toBe('fin');
    expect(client.received.toString()).toBe('late answer');
    expect((await daemon.ended(1))[0]).toMatchObject({ reason: 'done', bytes_down: 11 });
  });

  test('the upstream may finish first and still be sent to', async () => {
    await start();
    const { client, server } = await established();
    server.finish();
    expect(await client.end()).toBe('fin');
    client.send('more').finish();
    expect(await server.end()).toBe('fin');
    expect(server.received.toString()).toBe(`${redisPing}more`);
    expect((await daemon.ended(1))[0]).toMatchObject({ reason: 'done', by: 'upstream' });
  });
});

describe('reset', () => {
  test('by the upstream reaches the client as a reset', async () => {
    await start();
    const { client, server } = await established();
    server.reset();
    expect(await client.end()).toBe('reset');
    expect((await daemon.ended(1))[0]).toMatchObject({ reason: 'reset', by: 'upstream', during: 'relay' });
  });

  test('by the client reaches the upstream as a reset', async () => {
    await start();
    const { client, server } = await established();
    client.reset();
    expect(await server.end()).toBe('reset');
    expect((await daemon.ended(1))[0]).toMatchObject({ reason: 'reset', by: 'client', during: 'relay' });
  });

  test('does not overtake the bytes sent before it', async () => {
    await start();
    const { client, server } = await established();
    const answer = randomBytes(16 * 1024);
    server.send(answer);
    await client.bytes(7 + answer.length);
    server.reset();
    expect(await client.end()).toBe('reset');
    expect(client.received.subarray(7).equals(answer)).toBe(true);
  });

  test('does not overtake the bytes that a client has yet to read', async () => {
    await start();
    const { client, server } = await established();
    client.socket.pause();
    const answer = randomBytes(200 * 1024);
    server.send(answer);
    await eventually('all to have left the server', () => server.socket.writableLength === 0);
    await eventually(
      'all to be with the relay, which a reset would take back',
      () => queuesOf({ local: upstream.port }).unsent === 0,
    );
    server.reset();
    await sleep(200); // for the reset to arrive
    client.socket.resume();
    expect(await client.end()).toBe('reset');
    expect(client.received.subarray(7).equals(answer)).toBe(true);
  });

  test('ends one session and no other', async () => {
    await start();
    const first = await established();
    const second = await established();
    first.server.reset();
    await first.client.end();
    second.client.send('still here');
    await second.server.bytes(redisPing.length + 10);
    expect(second.client.ending).toBeUndefined();
  });
});

describe('bytes', () => {
  const openings = [
    { why: 'one byte at a time', pieces: [...httpRequest] },
    { why: 'cut inside the version token', pieces: ['GET / HTT', `P/1.1\r\n${httpRequest.slice(16)}`] },
    { why: 'whole, with a body behind it', pieces: [httpRequest, 'x'.repeat(200_000)] },
  ];
  test.each(openings)('the opening is replayed once: $why', async ({ pieces }) => {
    await start();
    const client = await dial(daemon.port);
    for (const piece of pieces) {
      client.send(piece);
      await sleep(2);
    }
    client.finish();
    const server = await upstream.peer(0);
    expect(await server.end()).toBe('fin');
    expect(server.received.toString()).toBe(pieces.join(''));
  });

  test('both ways at once, 32 MiB each', async () => {
    await start(echo);
    const client = await dial(daemon.port);
    const sent = Buffer.concat([Buffer.from(redisPing), randomBytes(32 * MIB)]);
    client.send(sent).finish();
    expect(await client.end()).toBe('fin');
    expect(client.received.equals(sent)).toBe(true);
    expect((await daemon.ended(1))[0]).toMatchObject({ bytes_up: sent.length, bytes_down: sent.length });
  });

  test('a side that does not read holds up the other, not the memory', async () => {
    await start();
    const { client, server } = await established();
    server.socket.pause();
    const before = residentBytes(daemon.pid);
    for (let n = 0; n < 64; n += 1) client.send(Buffer.alloc(MIB));
    // Kernel buffers fill, then the sender stalls (back-pressure).
    expect(await untilStill('the client', () => client.socket.writableLength)).toBeGreaterThan(0);
    expect(residentBytes(daemon.pid) - before).toBeLessThan(16 * MIB);
    server.socket.resume();
    await server.bytes(redisPing.length + 64 * MIB);
  });
});

describe('the first endpoint refuses', () => {
  test('the opening goes to the next one, once and whole', async () => {
    await start();
    await daemon.stop();
    const closed = await listenTcp();
    await closed.close();
    daemon = await startDaemon({
      protocols: [{ name: 'HTTP', target: 'both' }],
      upstreams: { both: { endpoints: [closed.target, upstream.target], retries: 2 } },
    });
    for (let n = 0; n < 4; n += 1) {
      const client = await dial(daemon.port);
      client.send(httpRequest).finish();
      const server = await upstream.peer(n);
      await server.end();
      expect(server.received.toString()).toBe(httpRequest);
      server.send('answer').finish();
      await client.end();
      expect(client.received.toString()).toBe('answer');
    }
    expect(await daemon.ended(4)).toHaveLength(4);
    expect(
      await daemon.metric('anyport_connect_failures_total', { endpoint: closed.target }),
    ).toBeGreaterThan(0);
  });

  test('with none left the client is told at once', async () => {
    await start();
    await upstream.close();
    const client = await dial(daemon.port);
    client.send(httpRequest);
    await client.end();
    expect((await daemon.ended(1))[0]).toMatchObject({ reason: 'connect_failed', during: 'connect' });
    upstream = await listenTcp();
  });
});
