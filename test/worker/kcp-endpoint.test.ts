import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { datagramClient } from '../support/datagrams.js';
import { openFiles } from '../support/proc.js';
import { eventually } from '../support/wait.js';
import {
  ciphers,
  type EndpointOptions,
  establishedBy,
  hello,
  type KcpStream,
  TestEndpoint,
} from './kcp-endpoint.js';

const open: TestEndpoint[] = [];
afterEach(async () => {
  for (const endpoint of open.splice(0)) endpoint.close();
  await sleep(0);
});

function endpointOf(options: EndpointOptions = {}): TestEndpoint {
  const endpoint = new TestEndpoint(options);
  open.push(endpoint);
  return endpoint;
}

async function pair(options: EndpointOptions = {}) {
  const server = endpointOf(options);
  const port = server.listen();
  const { serve: _serve, ...others } = options;
  const client = endpointOf(others);
  const link = await client.connect(port);
  return { server, client, link, port };
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const echo = (stream: KcpStream) => {
  stream.socket.pipe(stream.socket);
};

describe('two endpoints in one process', () => {
  test.each(Object.entries(ciphers))(
    'carry bytes both ways, every one right, with %s',
    async (_name, cipher) => {
      const { server, client, link } = await pair({ cipher });
      const up = randomBytes(3_000_000);
      const down = randomBytes(2_000_000);
      const ours = client.open(link).send(up);
      const theirs = (await server.accepted()).send(down);
      expect(sha256(await theirs.bytes(up.length))).toBe(sha256(up));
      expect(sha256(await ours.bytes(down.length))).toBe(sha256(down));
      expect(server.of('up')).toHaveLength(1);
    },
  );

  test.each([
    { why: 'with parity', profile: { fec: { data: 10, parity: 3, adaptive: false } } },
    {
      why: "on kcptun's wire, smux 2",
      profile: { kcptun: { crypt: 'aes', pass: new Uint8Array(32).fill(5), smux: 2, compression: false } },
    },
    {
      why: "on kcptun's wire, smux 1 and compression, with parity",
      profile: {
        fec: { data: 10, parity: 3, adaptive: false },
        kcptun: { crypt: 'salsa20', pass: new Uint8Array(32).fill(5), smux: 1, compression: true },
      },
    },
  ] as const)('carry bytes both ways $why', async ({ profile }) => {
    const { client, link } = await pair({ profile, serve: echo });
    const bytes = randomBytes(1_000_000);
    const stream = client.open(link).send(bytes);
    expect(sha256(await stream.bytes(bytes.length))).toBe(sha256(bytes));
  });

  test('half-close: what the other end still has to say arrives', async () => {
    const { server, client, link } = await pair();
    const ours = client.open(link).send('question').finish();
    const theirs = await server.accepted();
    expect(await theirs.ended).toBe('fin');
    expect(theirs.received.toString()).toBe('question');
    const answer = randomBytes(500_000);
    theirs.send(answer).finish();
    expect(await ours.ended).toBe('fin');
    expect(sha256(ours.received)).toBe(sha256(answer));
    await eventually('no streams', () => client.endpoint.links()[0]?.streams === 0);
    await eventually('no streams', () => server.endpoint.links()[0]?.streams === 0);
  });

  test.each(['client', 'server'] as const)(
    'a reset by the %s reaches the other end as a reset',
    async (by) => {
      const { server, client, link } = await pair();
      const ours = client.open(link).send('x');
      const theirs = await server.accepted();
      const [from, to] = by === 'client' ? [client, server] : [server, client];
      const [resets, isReset] = by === 'client' ? [ours, theirs] : [theirs, ours];
      from.endpoint.reset(resets.stream);
      await eventually('the reset', () => to.resets.has(isReset.stream));
      expect(from.resets.size).toBe(0);
      expect(client.endpoint.links()[0]?.state).toBe('up');
    },
  );

  test('a stream that nobody reads does not keep others waiting, and loses nothing', async () => {
    const { server, client, link } = await pair();
    const slow = client.open(link);
    await sleep(0);
    const bytes = randomBytes(6_000_000);
    slow.send(bytes);
    const unread = await server.accepted(0);
    unread.socket.pause();
    const quick = client.open(link).send('quick');
    const other = await server.accepted(1);
    expect((await other.bytes(5)).toString()).toBe('quick');
    quick.send('er');
    expect((await other.bytes(7)).toString()).toBe('quicker');
    unread.socket.resume();
    expect(sha256(await unread.bytes(bytes.length))).toBe(sha256(bytes));
  });

  test('a link that ends resets its streams, and both ends hear why', async () => {
    const { server, client, link } = await pair();
    const ours = client.open(link).send('x');
    const theirs = await server.accepted();
    client.endpoint.end(link);
    await eventually('the end', () => server.of('down').length === 1 && client.of('down').length === 1);
    expect(client.of('down')[0]).toMatchObject({ link, reason: 'admin', isClient: true });
    expect(server.of('down')[0]?.reason).toBe('admin');
    expect(client.resets).toEqual(new Set([ours.stream]));
    expect(server.resets).toEqual(new Set([theirs.stream]));
    expect(() => client.endpoint.open(link)).toThrow(expect.objectContaining({ code: 'ENOTCONN' }));
  });

  test('a link that is finished delivers everything first', async () => {
    const { server, client, link } = await pair();
    const bytes = randomBytes(300_000);
    const ours = client.open(link).send(bytes).finish();
    const theirs = await server.accepted();
    theirs.finish();
    client.endpoint.finish(link);
    expect(sha256(await theirs.bytes(bytes.length))).toBe(sha256(bytes));
    expect(await theirs.ended).toBe('fin');
    expect(await ours.ended).toBe('fin');
    await eventually('the end', () => client.of('down').length === 1);
    expect(client.of('down')[0]?.reason).toBe('done');
  });

  test('a client hears in time that nobody answers', async () => {
    const silent = await datagramClient(1, {});
    const client = endpointOf();
    client.endpoint.connect({ host: '127.0.0.1', port: silent.port }, 600);
    await eventually('the end', () => client.of('down').length === 1);
    expect(client.of('down')[0]).toMatchObject({ reason: 'timeout', isClient: true });
    await silent.close();
  });

  test('a secret that differs is answered by silence, and counted', async () => {
    const server = endpointOf({ answer: ({ handle }, endpoint) => endpoint.refuse(handle) });
    const port = server.listen();
    const client = endpointOf();
    client.endpoint.connect({ host: '127.0.0.1', port }, 500);
    await eventually('the end', () => client.of('down').length === 1);
    expect(server.of('hello').length).toBeGreaterThan(0);
    expect(server.endpoint.counts().dropped.refused).toBe(server.of('hello').length);
    expect(server.endpoint.links()).toEqual([]);
    expect(server.of('up')).toEqual([]);
  });

  test('handles of links that are gone do nothing', async () => {
    const { server, client, link } = await pair();
    client.endpoint.end(link);
    await eventually('the end', () => client.of('down').length === 1);
    expect(client.endpoint.send(link, hello())).toBe(false);
    expect(client.endpoint.establish(link, establishedBy(new Uint8Array(16)))).toBe(false);
    expect(client.endpoint.end(link)).toBe(false);
    expect(client.endpoint.setMtu(link, 1200)).toBe(false);
    for (const handle of [-1, 2 ** 60, Number.NaN, 12_345])
      expect(server.endpoint.refuse(handle)).toBe(false);
  });
});

describe('what is left', () => {
  test('100 links, each with a stream that closes: no descriptors', async () => {
    const server = endpointOf({ serve: echo });
    const port = server.listen();
    const client = endpointOf();
    const before = openFiles(process.pid);
    for (let round = 0; round < 100; round += 1) {
      const link = await client.connect(port);
      const stream = client.open(link).send('ping');
      await stream.bytes(4);
      stream.finish();
      await stream.ended;
      client.endpoint.finish(link);
      await eventually('the end', () => client.endpoint.links().length === 0);
    }
    await eventually('all is closed', () => server.endpoint.links().length === 0);
    await eventually('no descriptors', () => openFiles(process.pid) <= before);
    expect(server.endpoint.counts().links).toBe(0);
  });

  const ROUNDS = process.env.ANYPORT_SOAK === '1' ? 20 : 3;

  test(`200 links at once, ${ROUNDS} times: no links, streams and descriptors`, async () => {
    const server = endpointOf({ serve: echo });
    const port = server.listen();
    const before = openFiles(process.pid);
    for (let round = 0; round < ROUNDS; round += 1) {
      const client = endpointOf();
      const links = await Promise.all(Array.from({ length: 200 }, () => client.connect(port)));
      const streams = links.map((link, index) => client.open(link).send(`${round}/${index}`));
      for (const [index, stream] of streams.entries()) {
        const text = `${round}/${index}`;
        expect((await stream.bytes(text.length)).toString()).toBe(text);
        stream.finish();
      }
      expect(server.endpoint.counts().links).toBe(200);
      await Promise.all(streams.map((stream) => stream.ended));
      for (const link of links) client.endpoint.finish(link);
      await eventually(
        'no links',
        () => client.endpoint.links().length + server.endpoint.links().length === 0,
      );
      client.close();
    }
    await eventually('no descriptors', () => openFiles(process.pid) <= before);
  });

  test('an endpoint that closes in the midst of everything leaves no descriptors', async () => {
    const before = openFiles(process.pid);
    const { server, client, link } = await pair({ serve: echo });
    for (let index = 0; index < 20; index += 1) client.open(link).send(randomBytes(100_000));
    await server.accepted(5);
    for (const endpoint of open.splice(0)) endpoint.close();
    await eventually('no descriptors', () => openFiles(process.pid) <= before);
  });
});
