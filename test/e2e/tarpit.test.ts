/** `tarpit`: clients are held and not answered; bounded in number and time; no session's place is taken. */
import { afterEach, expect, test } from 'vitest';
import { type Daemon, type ServerSection, startDaemon } from '../support/daemon.js';
import { httpRequest, redisPing, sshBanner } from '../support/flights.js';
import { freePort } from '../support/ports.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { eventually } from '../support/wait.js';

let daemon: Daemon;
let upstream: Upstream;
let refused: number;

/** Held: SSH by a route, whoever comes to the listener `refused`, and what nobody recognises. */
async function start(server: ServerSection): Promise<void> {
  upstream = await listenTcp(echo);
  refused = await freePort();
  const port = await freePort();
  daemon = await startDaemon({
    server: { workers: 2, ...server },
    listeners: [
      { name: 'front', address: `127.0.0.1:${port}`, on_unknown: 'tarpit' },
      { name: 'refused', address: `127.0.0.1:${refused}` },
    ],
    routes: [
      { when: { listener: 'refused' }, to: 'tarpit' },
      { when: { protocol: 'ssh' }, to: 'tarpit' },
    ],
    protocols: [{ name: 'Redis', target: upstream.target }],
  });
  front = port;
}
let front: number;

afterEach(async () => {
  await daemon.stop();
  await upstream.close();
});

const held = (count: number) => daemon.metricBecomes('anyport_tarpit_connections', count);
const total = (result: string) => daemon.metric('anyport_tarpit_total', { result });

async function dialTimes(port: number, count: number): Promise<Peer[]> {
  const clients: Peer[] = [];
  for (let i = 0; i < count; i += 1) clients.push(await dial(port));
  return clients;
}

test('the client is held in silence, and its session is over', async () => {
  await start({});
  const [silent, ssh, odd] = await Promise.all([dial(refused), dial(front), dial(front)]);
  ssh.send(sshBanner);
  odd.send(Buffer.alloc(2048, 0xf7));
  const lines = await daemon.ended(3);
  expect(lines.map(({ reason, route }) => ({ reason, route }))).toEqual(
    expect.arrayContaining([
      { reason: 'rejected', route: 'routes[0]' },
      { reason: 'rejected', route: 'routes[1]' },
      { reason: 'unknown_protocol', route: undefined },
    ]),
  );
  await held(3);
  expect(await daemon.metric('anyport_sessions_active')).toBe(0);
  await daemon.booksBalance();
  for (const client of [silent, ssh, odd]) expect([client.length, client.ending]).toEqual([0, undefined]);
});

test('little of what it sends is taken', async () => {
  await start({});
  const client = await dial(refused);
  await held(1);
  const chunk = Buffer.alloc(1 << 20);
  for (let i = 0; i < 16; i += 1) client.send(chunk);
  await eventually('the client to be stuck', () => client.socket.writableLength > 8 << 20);
  expect(client.ending).toBeUndefined();
});

test('after its time it is reset', async () => {
  await start({ tarpit_hold: '1s' });
  const client = await dial(refused);
  expect(await client.end()).toBe('reset');
  await held(0);
  expect(await total('held')).toBe(1);
});

test('a client that goes leaves its place', async () => {
  await start({ tarpit_hold: '1h' });
  const clients = await dialTimes(refused, 3);
  await held(3);
  clients[0]?.reset();
  clients[1]?.finish();
  await held(1);
});

test('beyond the limit clients are reset; sessions have places of their own', async () => {
  await start({ tarpit_max: 5, max_connections: 4 });
  // One by one: until its route is decided, a client has the place of a session.
  const clients: Peer[] = [];
  for (let i = 1; i <= 5; i += 1) {
    clients.push(await dial(refused));
    await held(i);
  }
  // A reset may be there before the client knows that it is connected.
  for (let i = 0; i < 3; i += 1) {
    const ending = await dial(refused).then(
      (client) => client.end(),
      () => 'reset',
    );
    expect(ending).toBe('reset');
  }
  expect([await total('held'), await total('over_limit')]).toEqual([5, 3]);
  await daemon.metricBecomes('anyport_sessions_active', 0);
  const served = await dialTimes(front, 4);
  for (const each of served) {
    each.send(redisPing);
    await each.bytes(redisPing.length);
  }
  expect(clients.map((client) => client.ending)).toEqual(clients.map(() => undefined));
});

test('none is held where the limit is 0', async () => {
  await start({ tarpit_max: 0 });
  const client = await dial(front);
  client.send(sshBanner);
  expect(await client.end()).toBe('reset');
});

test('a drain does not wait for it', async () => {
  await start({ tarpit_hold: '1h', graceful_shutdown_timeout: '1h' });
  const client = await dial(refused);
  await held(1);
  daemon.signal('SIGTERM');
  expect(await client.end()).toBe('reset');
  expect(await daemon.exit()).toBe(0);
});

test('a change of the configuration leaves it there', async () => {
  await start({ tarpit_hold: '1h' });
  const client = await dial(refused);
  await held(1);
  const line = await daemon.reload({
    server: { workers: 2, tarpit_max: 0 },
    protocols: [{ name: 'HTTP', target: 'tarpit' }],
  });
  expect(line.msg).toMatch(/^reloaded/);
  const other = await dial(daemon.port);
  other.send(httpRequest);
  expect(await other.end()).toBe('reset');
  expect(client.ending).toBeUndefined();
  await held(1);
});
