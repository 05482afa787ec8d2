/** Every timeout by itself; none affects another. Timeouts are short; only reasons and order are asserted. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { type Daemon, type ServerSection, startDaemon } from '../support/daemon.js';
import { httpRequest, redisPing } from '../support/flights.js';
import { freePort } from '../support/ports.js';
import { startBlackHole } from '../support/servers.js';
import { dial, listenTcp, type Peer, type Upstream } from '../support/tcp.js';

let daemon: Daemon | undefined;
let upstream: Upstream | undefined;
let hole: Awaited<ReturnType<typeof startBlackHole>> | undefined;

async function start(server: ServerSection, serve?: Parameters<typeof listenTcp>[0]): Promise<Daemon> {
  upstream = await listenTcp(serve);
  const { target } = upstream;
  const protocols = [
    { name: 'Redis', target },
    { name: 'HTTP', target },
  ];
  daemon = await startDaemon({ server, protocols });
  return daemon;
}

afterEach(async () => {
  await daemon?.stop();
  await upstream?.close();
  await hole?.stop();
  daemon = upstream = hole = undefined;
});

describe('identify_timeout', () => {
  const silent = { by: 'timeout', during: 'sniff', reason: 'identify_timeout' };

  test('ends a client that says nothing', async () => {
    const { port } = await start({ identify_timeout: '300ms' });
    const client = await dial(port);
    await client.end();
    expect((await daemon?.ended(1))?.[0]).toMatchObject({ ...silent, bytes_up: 0 });
  });

  test('is total: a byte now and then does not renew it', async () => {
    const { port } = await start({ identify_timeout: '1s' });
    const client = await dial(port);
    // A request line that never ends: each gap is far below the timeout, their sum is not.
    client.send('GET /');
    const drip = setInterval(() => client.send('a'), 200);
    await client.end().finally(() => clearInterval(drip));
    expect((await daemon?.ended(1))?.[0]).toMatchObject(silent);
  });

  test('lets a slow client through that is in time', async () => {
    const { port } = await start({ identify_timeout: '20s' });
    const client = await dial(port);
    for (const byte of redisPing) {
      client.send(byte);
      await sleep(200);
    }
    const server = await upstream?.peer(0);
    await server?.bytes(redisPing.length);
    expect(server?.received.toString()).toBe(redisPing);
  });

  test('is over once the relay has begun', async () => {
    const { port } = await start({ identify_timeout: '2s' });
    const client = await dial(port);
    client.send(redisPing);
    const server = await upstream?.peer(0);
    await sleep(3_000);
    server?.send('+PONG\r\n');
    await client.bytes(7);
    expect(client.ending).toBeUndefined();
  });
});

describe('what nothing here can route is not held for identify_timeout', () => {
  const openings = [
    { why: 'the preface of HTTP/2', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
    { why: 'a head without an end', bytes: 'GET / HTTP/1.1\r\nHost: a\r\n' },
    { why: 'half a TLS hello', bytes: `\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03${'a'.repeat(90)}` },
    { why: 'half a DNS query', bytes: '\0\x20\xab\xcd\x01\0\0\x01\0\0\0\0\0\0\x03www' },
  ];
  test.each(openings)('$why', async ({ bytes }) => {
    upstream = await listenTcp();
    daemon = await startDaemon({
      server: { identify_timeout: '10m' }, // far longer than the test
      protocols: [{ name: 'SSH', target: upstream.target }],
    });
    const client = (await dial(daemon.port)).send(Buffer.from(bytes, 'latin1'));
    await client.end();
    expect((await daemon.ended(1))[0]).toMatchObject({ by: 'proxy' });
  });
});

describe('idle_timeout', () => {
  test('ends a session without a byte either way', async () => {
    const { port } = await start({ idle_timeout: '400ms' });
    const client = await dial(port);
    client.send(redisPing);
    await client.end();
    expect((await daemon?.ended(1))?.[0]).toMatchObject({
      by: 'timeout',
      during: 'relay',
      reason: 'idle_timeout',
    });
  });

  test('is renewed by either side', async () => {
    const { port } = await start({ idle_timeout: '3s' });
    const client = await dial(port);
    client.send(redisPing);
    const server = await upstream?.peer(0);
    for (let n = 0; n < 16; n += 1) {
      server?.send('.');
      await sleep(250);
    }
    await client.bytes(16);
    expect(client.ending).toBeUndefined();
  });
});

test('half_close_timeout ends a session of which one side has finished', async () => {
  const { port } = await start({ half_close_timeout: '400ms' });
  const client = await dial(port);
  client.send(redisPing).finish();
  await client.end();
  expect((await daemon?.ended(1))?.[0]).toMatchObject({ by: 'timeout', reason: 'half_close_timeout' });
});

test('dial_timeout ends a session whose endpoint does not answer', async () => {
  hole = await startBlackHole();
  daemon = await startDaemon({
    server: { dial_timeout: '400ms' },
    protocols: [{ name: 'Redis', target: hole.target }],
  });
  const client = await dial(daemon.port);
  client.send(redisPing);
  await client.end();
  expect((await daemon.ended(1))[0]).toMatchObject({ during: 'connect', reason: 'connect_timeout' });
});

describe('an upstream has timeouts of its own', () => {
  const long = { dial_timeout: '10m', idle_timeout: '10m', half_close_timeout: '10m' };
  const handler = 'builtin:echo';

  const cases = [
    { key: 'idle_timeout', reason: 'idle_timeout', act: () => {} },
    { key: 'half_close_timeout', reason: 'half_close_timeout', act: (client: Peer) => client.finish() },
  ];
  test.each(cases)('$key', async ({ key, reason, act }) => {
    upstream = await listenTcp();
    const short = { endpoints: [upstream.target], [key]: '400ms' };
    daemon = await startDaemon({
      server: long,
      protocols: [
        { name: 'Redis', target: 'short' },
        { name: 'HTTP', target: short },
        { name: 'SSH', target: upstream.target },
      ],
      upstreams: { short },
    });
    const { port } = daemon;
    const opened = await Promise.all(
      ['SSH-2.0-a\r\n', httpRequest, redisPing].map(async (opening) => (await dial(port)).send(opening)),
    );
    for (const client of opened) act(client);
    await Promise.all(opened.slice(1).map((client) => client.end()));
    const lines = await daemon.ended(2);
    expect(lines.map(({ protocol }) => protocol).sort()).toEqual(['http', 'redis']);
    for (const line of lines) expect(line).toMatchObject({ by: 'timeout', reason });
    expect(opened[0]?.ending).toBeUndefined();
  });

  test('idle_timeout of a handler', async () => {
    daemon = await startDaemon({
      server: long,
      protocols: [
        { name: 'Redis', target: { handler, idle_timeout: '400ms' } },
        { name: 'HTTP', handler },
      ],
    });
    const other = (await dial(daemon.port)).send(httpRequest);
    const client = (await dial(daemon.port)).send(redisPing);
    await client.end();
    expect((await daemon.ended(1))[0]).toMatchObject({ protocol: 'redis', reason: 'idle_timeout' });
    expect(other.ending).toBeUndefined();
  });

  test('dial_timeout', async () => {
    hole = await startBlackHole();
    daemon = await startDaemon({
      server: long,
      protocols: [{ name: 'Redis', target: { endpoints: [hole.target], dial_timeout: '400ms' } }],
    });
    const client = (await dial(daemon.port)).send(redisPing);
    await client.end();
    expect((await daemon.ended(1))[0]).toMatchObject({ during: 'connect', reason: 'connect_timeout' });
  });

  test('a new one holds for sessions from the reload on', async () => {
    upstream = await listenTcp();
    const { target } = upstream;
    const with_ = (idle_timeout: string) => ({
      protocols: [{ name: 'Redis', target: { endpoints: [target], idle_timeout } }],
    });
    daemon = await startDaemon(with_('10m'));
    const before = (await dial(daemon.port)).send(redisPing);
    await upstream.peer(0);
    expect((await daemon.reload(with_('400ms'))).msg).toBe('reloaded');
    const after = (await dial(daemon.port)).send(redisPing);
    await after.end();
    expect((await daemon.ended(1))[0]).toMatchObject({ reason: 'idle_timeout', source: after.address });
    expect(before.ending).toBeUndefined();
  });
});

describe('on_silence', () => {
  const greeting = '220 mail.example.com ESMTP\r\n';

  async function startMail(after: string): Promise<{ port: number }> {
    upstream = await listenTcp((peer) => {
      peer.send(greeting);
    });
    const port = await freePort();
    daemon = await startDaemon({
      server: { identify_timeout: '20s' },
      listeners: [
        {
          name: 'front',
          address: `127.0.0.1:${port}`,
          on_silence: { after, to: 'mail' },
          on_unknown: 'reset',
        },
      ],
      protocols: [{ name: 'Redis', target: 'mail' }],
      upstreams: { mail: { endpoints: [upstream.target] } },
    });
    return { port };
  }

  test('a silent client gets the server that speaks first', async () => {
    const { port } = await startMail('200ms');
    const client = await dial(port);
    await client.bytes(greeting.length);
    expect(client.received.toString()).toBe(greeting);
    client.send('QUIT\r\n').finish();
    const server = await upstream?.peer(0);
    await server?.end();
    expect(server?.received.toString()).toBe('QUIT\r\n');
    server?.finish();
    expect((await daemon?.ended(1))?.[0]).toMatchObject({ upstream: 'mail', reason: 'done' });
  });

  test('a client that speaks is identified as ever', async () => {
    const { port } = await startMail('10s');
    const client = await dial(port);
    client.send(redisPing);
    await client.bytes(greeting.length);
    client.reset();
    expect((await daemon?.ended(1))?.[0]).toMatchObject({ protocol: 'redis' });
  });
});
