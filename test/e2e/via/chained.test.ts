/** Two daemons, and three: the way of one leads through `connect_proxy` of the others. */
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { hashPassword } from '../../../src/forward-proxy/users/scrypt.js';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import { freePort } from '../../support/ports.js';
import { dial } from '../../support/tcp.js';
import { useStage } from '../connect-proxy/stage.js';

const stage = useStage();

const password = 'c0rrect:horse@battery';
const who = `near:${encodeURIComponent(password)}@`;
const costs = { ln: 14, r: 8, p: 1 };

/** A proxy that wants to know who asks. */
const far = async (section: object = {}): Promise<Daemon> =>
  stage.proxy({ users: { near: await hashPassword(Buffer.from(password), costs) }, ...section });

type Near = Daemon & { readonly front: number };

async function near(via: unknown, endpoints: readonly unknown[], options: object = {}): Promise<Near> {
  const front = await freePort();
  const daemon = await startDaemon({
    forwards: [{ name: 'front', listen: `127.0.0.1:${front}`, target: 'far' }],
    upstreams: { far: { endpoints, via, ...options } },
  });
  stage.later(() => daemon.stop());
  return Object.assign(daemon, { front });
}

const urlOf = (scheme: string, { port }: { port: number }, user = '') =>
  `${scheme}://${user}127.0.0.1:${port}`;

const ways = [
  { name: 'HTTP CONNECT with a user', via: async () => urlOf('http', await far(), who) },
  { name: 'SOCKS5 with a user', via: async () => urlOf('socks5', await far({ socks: true }), who) },
  { name: 'SOCKS4a', via: async () => urlOf('socks4a', await stage.proxy({ socks: true })) },
  {
    name: 'three daemons',
    via: async () => [urlOf('http', await far(), who), urlOf('socks5h', await far({ socks: true }), who)],
  },
];

describe.each(ways)('$name', ({ via }) => {
  test('a session is as one that goes there directly: first word, last word, every byte', async () => {
    const server = await stage.server((peer) => {
      peer.send('220 ready\r\n');
      peer.socket.on('data', (chunk) => peer.socket.write(chunk));
      peer.socket.once('end', () => peer.send('late').finish());
    });
    const daemon = await near(await via(), [`localhost:${server.port}`]);
    const sent = randomBytes(30_000_000);
    const client = await dial(daemon.front);
    expect((await client.bytes(11)).toString()).toBe('220 ready\r\n');
    client.send(sent).finish();
    expect(await client.end()).toBe('fin');
    const { received } = client;
    expect(received.subarray(-4).toString()).toBe('late');
    expect(hashOf(received.subarray(11, -4))).toBe(hashOf(sent));
    expect(await daemon.sessionOf(client)).toMatchObject({
      ...{ upstream: 'far', endpoint: `localhost:${server.port}`, reason: 'done' },
      ...{ bytes_up: sent.length, bytes_down: received.length },
    });
  }, 60_000);

  test('a reset comes through, from either side', async () => {
    const server = await stage.server();
    const daemon = await near(await via(), [`localhost:${server.port}`]);
    const [one, other] = [(await dial(daemon.front)).send('1'), (await dial(daemon.front)).send('2')];
    await one.bytes(1);
    await other.bytes(1);
    const byFirst = (peer: { received: Buffer }) => peer.received.toString() === '1';
    const [mine, theirs] = byFirst(await server.peer(0)) ? server.peers : server.peers.toReversed();
    theirs?.reset();
    expect(await other.end()).toBe('reset');
    one.reset();
    expect(await mine?.end()).toBe('reset');
  });

  test('a check of the endpoint goes that way', async () => {
    const server = await stage.server();
    const endpoint = `localhost:${server.port}`;
    const health_check = { type: 'tcp', interval: '100ms', timeout: '5s', rise: 1, fall: 2, jitter: 0 };
    const daemon = await near(await via(), [endpoint], { health_check });
    await server.peer(1);
    await daemon.metricBecomes('anyport_endpoint_up', 1, { endpoint });
    const before = daemon.lines.length;
    await server.close();
    expect((await daemon.line('endpoint is down', before)).why).toMatch(/^via 127\.0\.0\.1:\d+: answers /);
  });
});

describe('what the far daemon refuses is what the near one says', () => {
  test.each([
    { name: 'a wrong password', scheme: 'http', user: 'near:wrong@', says: /answers 407 / },
    {
      name: 'a port that is not allowed',
      scheme: 'http',
      user: who,
      says: /answers 403 /,
      section: { allow: ['127.0.0.1:1'] },
    },
    { name: 'nobody listens', scheme: 'http', user: who, says: /answers 502 / },
    {
      name: 'a wrong password, SOCKS5',
      scheme: 'socks5',
      user: 'near:wrong@',
      says: /refuses user and password$/,
    },
    {
      name: 'not allowed, SOCKS5',
      scheme: 'socks5',
      user: who,
      says: /answers 2, not allowed$/,
      section: { allow: ['127.0.0.1:1'] },
    },
    { name: 'nobody listens, SOCKS5', scheme: 'socks5', user: who, says: /answers 5, connection refused$/ },
  ])('$name', async ({ scheme, user, says, section }) => {
    const proxy = await far({ socks: true, ...section });
    const daemon = await near(urlOf(scheme, proxy, user), [`127.0.0.1:${await freePort()}`]);
    const client = (await dial(daemon.front)).send('lost');
    expect(await client.end()).toBe('reset');
    const line = await daemon.sessionOf(client);
    expect(line).toMatchObject({ reason: 'connect_failed', by: 'upstream' });
    expect(line.error).toMatch(says);
  });
});

test('the far daemon sees the near one, and who it is', async () => {
  const server = await stage.server();
  const proxy = await far({ log_users: true });
  const daemon = await near(urlOf('http', proxy, who), [`localhost:${server.port}`]);
  const client = (await dial(daemon.front)).send('x');
  await client.bytes(1);
  client.finish();
  await client.end();
  const [line] = await proxy.ended(1);
  expect(line).toMatchObject({
    protocol: 'http',
    user: 'near',
    endpoint: `localhost:${server.port}`,
    reason: 'done',
  });
  expect((await daemon.sessionOf(client)).bytes_up).toBe(1);
  // What the near daemon was told of itself is no part of the session.
  expect(line).toMatchObject({ bytes_up: 1, bytes_down: 1 });
});

test('a way that leads back to its own daemon is no loop: the proxy does not connect to its own listeners', async () => {
  const port = await freePort();
  const daemon = await startDaemon({
    server: { listen: `127.0.0.1:${port}` },
    connect_proxy: { allow: ['127.0.0.0/8:*'], allow_from: ['127.0.0.0/8'] },
    protocols: [{ name: 'SSH', target: 'round' }],
    upstreams: { round: { endpoints: [`127.0.0.1:${port}`], via: `http://127.0.0.1:${port}` } },
  });
  stage.later(() => daemon.stop());
  const client = (await dial(port)).send('SSH-2.0-x\r\n');
  expect(await client.end()).toBe('reset');
  expect((await daemon.sessionOf(client)).error).toMatch(/^via 127\.0\.0\.1:\d+: answers 403 /);
  expect(await daemon.metric('anyport_accepted_total')).toBe(2);
});

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
