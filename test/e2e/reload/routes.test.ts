/** Protocols, routes, upstreams and limits change under live sessions. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import { redisPing } from '../../support/flights.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../../support/tcp.js';

let daemon: Daemon;
let old: Upstream;
let next: Upstream;

beforeEach(async () => {
  [old, next] = [await listenTcp(echo), await listenTcp(echo)];
});

afterEach(async () => {
  await daemon.stop();
  for (const upstream of [old, next]) await upstream.close();
});

const redisTo = (target: string) => ({ protocols: [{ name: 'Redis', target }] });

/** A session that is relayed. */
async function ping(): Promise<Peer> {
  const client = await dial(daemon.port);
  return pingAgain(client);
}

async function pingAgain(client: Peer): Promise<Peer> {
  const before = client.length;
  client.send(redisPing);
  await client.bytes(before + redisPing.length);
  return client;
}

test('sessions stay where they are, new ones go the new way, and counts go on', async () => {
  daemon = await startDaemon(redisTo(old.target));
  const early = await ping();
  const line = await daemon.reload(redisTo(next.target));
  expect(line).toMatchObject({
    level: 'info',
    msg: 'reloaded',
    cause: 'signal',
    generation: 2,
    took_ms: expect.any(Number),
    endpoints: { added: 1, removed: 1 },
  });
  const late = await ping();
  await pingAgain(early);
  expect([old.peers.length, next.peers.length]).toEqual([1, 1]);

  expect(await daemon.metric('anyport_config_generation')).toBe(2);
  expect(await daemon.metric('anyport_config_reloads_total', { result: 'applied' })).toBe(1);
  expect(await daemon.metric('anyport_sessions_active', { protocol: 'redis' })).toBe(2);
  for (const client of [early, late]) client.finish();
  await daemon.metricBecomes('anyport_sessions_total', 2, { protocol: 'redis', reason: 'done' });
  await daemon.booksBalance();
});

test('an endpoint that stays keeps its load', async () => {
  const balanced = (...endpoints: string[]) => ({
    upstreams: { pool: { endpoints, balance: 'least_connections' } },
    protocols: [{ name: 'Redis', target: 'pool' }],
  });
  daemon = await startDaemon(balanced(old.target));
  await Promise.all([ping(), ping(), ping()]);
  await daemon.reload(balanced(next.target, old.target));
  await ping();
  await ping();
  expect([old.peers.length, next.peers.length]).toEqual([3, 2]);
  expect(await daemon.metric('anyport_endpoint_sessions', { endpoint: old.target })).toBe(3);
});

test('a protocol comes and goes', async () => {
  const marked = { name: 'Marked', target: next.target, start_bytes: ['aa55'] };
  const both = { protocols: [...redisTo(old.target).protocols, marked] };
  daemon = await startDaemon(redisTo(old.target));
  const before = (await dial(daemon.port)).send(Buffer.from('aa55', 'hex'));
  expect(await before.end()).toBe('fin');

  expect(await daemon.reload(both)).toMatchObject({ msg: 'reloaded', protocols: { added: 1 } });
  const client = (await dial(daemon.port)).send(Buffer.from('aa55', 'hex'));
  await client.bytes(2);

  expect(await daemon.reload(redisTo(old.target))).toMatchObject({
    msg: 'reloaded',
    protocols: { removed: 1 },
  });
  const after = (await dial(daemon.port)).send(Buffer.from('aa55', 'hex'));
  expect(await after.end()).toBe('fin');
  await client.send('x').bytes(3);
});

test('a lower limit of sessions holds for new ones, and cuts nobody off', async () => {
  daemon = await startDaemon({ ...redisTo(old.target), server: { max_connections: 10 } });
  const clients = await Promise.all([ping(), ping(), ping()]);
  await daemon.reload({ ...redisTo(old.target), server: { max_connections: 2 } });
  expect(await daemon.metric('anyport_max_connections')).toBe(2);
  await dial(daemon.port).catch(() => {}); // may be reset at once
  await daemon.metricBecomes('anyport_refused_total', 1, { reason: 'over_limit' });
  await Promise.all(clients.map(pingAgain));
});

test('the same configuration is said to be unchanged', async () => {
  daemon = await startDaemon(redisTo(old.target));
  expect(await daemon.reload()).toMatchObject({ level: 'info', msg: 'the configuration is unchanged' });
  expect(await daemon.metric('anyport_config_generation')).toBe(1);
  expect(await daemon.metric('anyport_config_reloads_total', { result: 'unchanged' })).toBe(1);
});
