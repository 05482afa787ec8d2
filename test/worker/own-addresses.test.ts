/**
 * Sessions that are dialled to addresses of their own, as a proxy's are: the request that named them stays here, the
 * greeting comes before whatever the endpoint says, and every other byte passes once.
 */
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { native } from '../../src/addon.js';
import type { InetAddress } from '../../src/model/address.js';
import { freePort } from '../support/ports.js';
import { tcpStates } from '../support/proc.js';
import { echo } from '../support/tcp.js';
import { eventually, waited } from '../support/wait.js';
import { TestEndpoint } from './kcp-endpoint.js';
import { at, dialOwn, first, ofLinks, ownAddress, useEngines } from './stream-engine.js';

const { later, engineOf, serve, silent, client } = useEngines();

const HEAD = 'CONNECT there\r\n\r\n';
const GREETING = '200 connected\r\n\r\n';
const proxied = { taken: HEAD.length, greeting: Buffer.from(GREETING) };
const ATTEMPT_DELAY_MS = 250;
/** As in /proc/net/tcp. */
const TIME_WAIT = '06';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const refusing = async () => at(await freePort());

describe('the greeting', () => {
  test('comes first where the server speaks first, and counts as no byte of the session', async () => {
    const server = await serve((peer) => peer.send('banner').finish());
    const engine = engineOf((session, its) => dialOwn(its, session, [at(server.port)], proxied));
    const user = (await client(engine)).send(HEAD).finish();
    expect(await user.end()).toBe('fin');
    expect(user.received.toString()).toBe(`${GREETING}banner`);
    const ended = await first(engine, 'ended');
    expect(ended).toMatchObject({ reason: 'done', bytesUp: 0, bytesDown: 6 });
    expect(engine.of('connected')).toHaveLength(1);
    expect(server.peers[0]?.received.toString()).toBe('');
  });

  test('is not sent before the endpoint has connected', async () => {
    const slow = await silent();
    const engine = engineOf((session, its) => dialOwn(its, session, [slow], proxied));
    const user = (await client(engine)).send(HEAD);
    await ownAddress(engine);
    expect(user.length).toBe(0);
    slow.serve((socket) => socket.write('hello'));
    await user.bytes(GREETING.length + 5);
    expect(user.received.toString()).toBe(`${GREETING}hello`);
  });

  test('is not sent when nothing connects', async () => {
    const dead = await refusing();
    const engine = engineOf((session, its) => dialOwn(its, session, [dead], proxied));
    const user = (await client(engine)).send(HEAD);
    const unreachable = await first(engine, 'unreachable');
    engine.answers.end(unreachable, 0, 'upstream', 'connect', 'connect_failed', 'close');
    engine.flush();
    expect(await user.end()).toBe('fin');
    expect(user.length).toBe(0);
  });

  test('finds a client that has gone: nothing was connected for it, and the endpoint is reset', async () => {
    // Nobody accepts there: the kernel shows how the connection ends.
    const fd = native.listen({ host: '127.0.0.1', port: 0 }, { reusePort: false, backlog: 8 });
    later(() => native.closeFd(fd));
    const { port } = native.localAddress(fd) as InetAddress;
    let leave = () => {};
    const engine = engineOf((session, its) => {
      leave();
      dialOwn(its, session, [at(port)], proxied);
    });
    const user = await client(engine);
    leave = () => user.reset();
    user.send(`${HEAD}pipelined`);
    expect(await first(engine, 'ended')).toMatchObject({
      reason: 'client_gone',
      by: 'client',
      during: 'connect',
    });
    expect(engine.of('connected')).toEqual([]);
    // TIME_WAIT is of somebody who had the port before: this end never closes.
    expect(tcpStates(port).filter((state) => state !== TIME_WAIT)).toEqual(['listen']);
  });

  test('of the greatest length arrives whole, and a longer one is refused', async () => {
    const greeting = randomBytes(2048);
    const server = await serve((peer) => peer.send('!'));
    const engine = engineOf((session, its) => dialOwn(its, session, [at(server.port)], { greeting }));
    const user = (await client(engine)).send('?');
    await user.bytes(2049);
    expect(user.received.equals(Buffer.concat([greeting, Buffer.from('!')]))).toBe(true);
    const longer = { greeting: Buffer.alloc(2049) };
    expect(() => dialOwn(engine, { slot: 0, generation: 0 }, [at(1)], longer)).toThrow('too many bytes');
  });
});

describe('what the client has sent behind its request', () => {
  const PIPELINED = 'pipelined bytes';

  test.each([0, 1, HEAD.length - 1, HEAD.length])(
    'reaches the endpoint once where %i bytes were the request',
    async (taken) => {
      const server = await serve(echo);
      const engine = engineOf((session, its) => dialOwn(its, session, [at(server.port)], { taken }));
      const sent = `${HEAD}${PIPELINED}`;
      const user = (await client(engine)).send(sent).finish();
      expect(await user.end()).toBe('fin');
      expect(server.peers[0]?.received.toString()).toBe(sent.slice(taken));
      expect(user.received.toString()).toBe(sent.slice(taken));
      expect(await first(engine, 'ended')).toMatchObject({ bytesUp: sent.length - taken });
    },
  );

  test('reaches it once when all that was sniffed is the request, or less than is said', async () => {
    const server = await serve(echo);
    const engine = engineOf((session, its) =>
      dialOwn(its, session, [at(server.port)], { taken: HEAD.length + 1 }),
    );
    const user = (await client(engine)).send(HEAD);
    await first(engine, 'connected');
    user.send(PIPELINED).finish();
    expect(await user.end()).toBe('fin');
    expect(user.received.toString()).toBe(PIPELINED);
  });

  test('is as long as it likes, both ways', async () => {
    const bytes = randomBytes(3_000_000);
    const server = await serve(echo);
    const engine = engineOf((session, its) => dialOwn(its, session, [at(server.port)], proxied));
    const user = (await client(engine)).send(Buffer.concat([Buffer.from(HEAD), bytes])).finish();
    expect(await user.end()).toBe('fin');
    expect(sha256(user.received.subarray(GREETING.length))).toBe(sha256(bytes));
    expect(await first(engine, 'ended')).toMatchObject({
      reason: 'done',
      bytesUp: bytes.length,
      bytesDown: bytes.length,
    });
  });

  test('goes to the next endpoint when the first refuses, which is asked in the same words', async () => {
    const server = await serve(echo);
    const dead = await refusing();
    const engine = engineOf(() => {}, {
      decide: (session, its) =>
        dialOwn(its, session, session.kind === 'classified' ? [dead] : [at(server.port)], proxied),
    });
    const user = (await client(engine)).send(`${HEAD}${PIPELINED}`).finish();
    expect(await user.end()).toBe('fin');
    expect(engine.of('unreachable')).toHaveLength(1);
    expect(user.received.toString()).toBe(`${GREETING}${PIPELINED}`);
    expect(server.peers[0]?.received.toString()).toBe(PIPELINED);
  });

  test('is followed by a FIN while the endpoint is still to connect: the answer arrives', async () => {
    const slow = await silent();
    const engine = engineOf((session, its) => dialOwn(its, session, [slow], proxied));
    const user = (await client(engine)).send(`${HEAD}${PIPELINED}`).finish();
    await ownAddress(engine);
    slow.serve((socket) => socket.pipe(socket));
    expect(await user.end()).toBe('fin');
    expect(user.received.toString()).toBe(`${GREETING}${PIPELINED}`);
  });
});

describe('of several addresses', () => {
  test('the next is tried after a quarter of a second, and no byte goes to one that does not win', async () => {
    const server = await serve(echo);
    const other = await serve(echo);
    const addresses = [await silent(), at(server.port), at(other.port)];
    const engine = engineOf((session, its) => dialOwn(its, session, addresses, proxied));
    const begun = performance.now();
    const user = (await client(engine)).send(`${HEAD}x`).finish();
    expect(await user.end()).toBe('fin');
    expect(performance.now() - begun).toBeGreaterThan(waited(ATTEMPT_DELAY_MS));
    expect(user.received.toString()).toBe(`${GREETING}x`);
    expect(other.peers).toEqual([]);
  });

  test('those that refuse are passed over, also of the other family', async () => {
    const server = await serve(echo, '::1');
    const addresses = [
      await refusing(),
      at(await freePort(), '::1'),
      await refusing(),
      at(server.port, '::1'),
    ];
    const engine = engineOf((session, its) => dialOwn(its, session, addresses, proxied));
    const user = (await client(engine)).send(`${HEAD}x`);
    await user.bytes(GREETING.length + 1);
    expect(engine.ownAddresses()).toEqual([`[::1]:${server.port}`]);
    expect(engine.of('unreachable')).toEqual([]);
  });

  test('sixteen are tried, and more are refused', async () => {
    const server = await serve(echo);
    const fifteen = await Promise.all(Array.from({ length: 15 }, refusing));
    const addresses = [...fifteen, at(server.port)];
    const engine = engineOf((session, its) => dialOwn(its, session, addresses));
    const user = (await client(engine)).send('x').finish();
    expect(await user.end()).toBe('fin');
    expect(user.received.toString()).toBe('x');
    const more = [...addresses, at(1)];
    expect(() => dialOwn(engine, { slot: 0, generation: 0 }, more)).toThrow('too many addresses');
  });

  test('none connects within dial_timeout: it is one failure', async () => {
    const addresses = [await silent(), await silent()];
    const engine = engineOf((session, its) => dialOwn(its, session, addresses, proxied), {
      dialTimeoutMs: 400,
    });
    await (await client(engine)).send(HEAD);
    expect((await first(engine, 'unreachable')).error).toBe(110); // ETIMEDOUT
    expect(engine.of('unreachable')).toHaveLength(1);
  });
});

test('a client that goes while its endpoint is dialled takes the attempts with it', async () => {
  const slow = await silent();
  const engine = engineOf((session, its) => dialOwn(its, session, [slow, slow], proxied));
  const user = (await client(engine)).send(HEAD);
  await ownAddress(engine);
  user.reset();
  expect(await first(engine, 'ended')).toMatchObject({
    reason: 'client_gone',
    by: 'client',
    during: 'connect',
  });
  expect(engine.engine.sessions()).toBe(0);
});

test('a list says the address that is tried, and the one that is connected', async () => {
  const slow = await silent();
  const server = await serve(echo);
  const engine = engineOf((session, its) => dialOwn(its, session, [slow, at(server.port)]), {
    endpoints: [at(server.port)],
  });
  const user = (await client(engine)).send('x');
  expect(await ownAddress(engine)).toBe(`127.0.0.1:${slow.port}`);
  await user.bytes(1);
  expect(engine.ownAddresses()).toEqual([`127.0.0.1:${server.port}`]);
});

test('an IPv4-mapped address is the IPv4 address', async () => {
  const server = await serve(echo);
  const mapped = at(server.port, '::ffff:127.0.0.1');
  const engine = engineOf((session, its) => dialOwn(its, session, [mapped]));
  const user = (await client(engine)).send('x');
  await user.bytes(1);
  expect(engine.ownAddresses()).toEqual([`127.0.0.1:${server.port}`]);
});

describe('an upstream without endpoints', () => {
  test.each([
    { why: 'its source address', source: { address: '127.0.0.9' }, seen: '127.0.0.9' },
    { why: 'the source address of the family', source: { address: ['::1', '127.0.0.9'] }, seen: '127.0.0.9' },
    { why: 'a transparent source', source: { transparent: true }, seen: '127.0.0.5' },
  ])('has options for the addresses of its sessions: $why', async ({ source, seen }) => {
    const server = await serve(echo);
    const engine = engineOf((session, its) => dialOwn(its, session, [at(server.port)]), {
      options: { source },
    });
    const user = (await client(engine, '127.0.0.5')).send('x');
    await user.bytes(1);
    expect((await server.peer(0)).socket.remoteAddress).toBe(seen);
  });
});

test('an endpoint without addresses has places, and one that has none left is full', async () => {
  const ENDPOINT = 10;
  const server = await serve(echo);
  const counted = { ...proxied, endpoint: ENDPOINT, endpointRow: 1000 };
  const engine = engineOf((session, its) => dialOwn(its, session, [at(server.port)], counted), {
    upstream: { maxConnections: 1, endpoints: [ENDPOINT] },
  });
  const user = (await client(engine)).send(`${HEAD}a`);
  await user.bytes(GREETING.length + 1);
  expect(engine.endpointSessions).toBe(1);
  const second = (await client(engine)).send(`${HEAD}b`);
  const full = await first(engine, 'full');
  user.finish();
  await eventually('its place', () => engine.endpointSessions === 0);
  dialOwn(engine, full, [at(server.port)], counted);
  engine.flush();
  await second.bytes(GREETING.length + 1);
  expect(second.received.toString()).toBe(`${GREETING}b`);
});

test('connections opened ahead are for the endpoints of the Plan alone', async () => {
  const pooled = await serve();
  const own = await serve(echo);
  const ENDPOINT = 10;
  const warmed = { endpoint: ENDPOINT, upstream: 0, first: 0, count: 1, most: 1, maxIdleMs: 60_000 };
  const engine = engineOf(
    (session, its) => {
      if (session.bytes.toString() === 'x') its.dial(session);
      else dialOwn(its, session, [at(own.port)], { endpoint: ENDPOINT, endpointRow: 1000 });
    },
    { endpoints: [at(pooled.port)], tables: { warmed: [warmed] } },
  );
  const learning = (await client(engine)).send('x');
  await (await pooled.peer(0)).bytes(1);
  await pooled.peer(1);
  const user = (await client(engine)).send('y');
  await user.bytes(1);
  expect(user.received.toString()).toBe('y');
  expect(pooled.peers.slice(1).map(({ length }) => length)).not.toContain(1);
  learning.socket.destroy();
});

test('a session goes on as it began when the Plan is replaced while it is dialled', async () => {
  const slow = await silent();
  const engine = engineOf((session, its) => dialOwn(its, session, [slow], proxied), {
    options: { source: { address: '127.0.0.9' } },
  });
  const user = (await client(engine)).send(`${HEAD}x`);
  await ownAddress(engine);
  engine.adopt({ tables: { upstreams: [], dials: [] } });
  let source: string | undefined;
  slow.serve((socket) => {
    source = socket.remoteAddress;
    socket.pipe(socket);
  });
  await user.bytes(GREETING.length + 1);
  expect(user.received.toString()).toBe(`${GREETING}x`);
  expect(source).toBe('127.0.0.9');
});

test('a stream of a link over KCP is dialled in the same way', async () => {
  const server = await serve((peer) => peer.send('banner').socket.pipe(peer.socket));
  const engine = engineOf((session, its) => dialOwn(its, session, [at(server.port)], proxied), {
    links: ofLinks,
  });
  const links = new TestEndpoint();
  later(() => links.close());
  const stream = links.open(await links.connect(engine.port));
  stream.send(`${HEAD}pipelined`).finish();
  expect(await stream.end()).toBe('fin');
  expect(stream.received.toString()).toBe(`${GREETING}bannerpipelined`);
  expect(await first(engine, 'ended')).toMatchObject({
    reason: 'done',
    isKcp: true,
    bytesUp: 9,
    bytesDown: 15,
  });
});

test('an engine that closes while a session is dialled resets its client', async () => {
  const slow = await silent();
  const engine = engineOf((session, its) => dialOwn(its, session, [slow], proxied));
  const user = (await client(engine)).send(HEAD);
  await ownAddress(engine);
  engine.engine.close();
  expect(await user.end()).toBe('reset');
});
