/** Clients that are followed by connection ids, in the daemon: what holds for their new addresses. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { TestConfig } from '../../support/daemon.js';
import type { DatagramPeer } from '../../support/datagrams.js';
import { freePort } from '../../support/ports.js';
import { longPacket, shortPacket } from '../../support/quic-packets.js';
import { client, configTo, endpoint, start } from './stage.js';

const FOLLOWS = { quic: { follow_connection_id: true } };

/** An endpoint with one id, and its name in every answer to a short header. */
async function server(name: string) {
  const id = randomBytes(8);
  const opened = await endpoint(({ bytes }, reply) =>
    reply((bytes[0] as number) < 0x80 ? name : longPacket({ to: randomBytes(8), from: id })),
  );
  return { name, id, opened };
}

/** `home`: the endpoint that a client has, whichever it is. */
async function stage(config: (port: number, targets: readonly string[]) => TestConfig) {
  const servers = [await server('first'), await server('second')] as const;
  const port = await freePort();
  const daemon = await start(
    config(
      port,
      servers.map(({ opened }) => opened.target),
    ),
  );
  const peer = await client(port);
  const { bytes } = await peer.ask(initial());
  const [home, other] = bytes.includes(servers[0].id) ? servers : servers.toReversed();
  if (home === undefined || other === undefined) throw new Error('two servers are one');
  expect(await said(peer, home.id)).toBe(home.name);
  return { daemon, port, home, other };
}

const initial = () => longPacket({ to: randomBytes(8), from: randomBytes(8) });

const said = async (peer: DatagramPeer, id: Uint8Array): Promise<string> =>
  (await peer.ask(shortPacket(id))).bytes.toString();

const ALL = { balance: 'round_robin', ...FOLLOWS };

test('a forward follows, though it identifies nothing', async () => {
  const { daemon, port, home } = await stage((listen, endpoints) => ({
    listeners: [],
    forwards: [{ name: 'quic', listen, scheme: 'udp', target: { endpoints, ...ALL } }],
  }));
  for (const turn of [1, 2, 3]) {
    expect(await said(await client(port), home.id)).toBe(home.name);
    expect(await daemon.metric('anyport_quic_followed_total', { upstream: 'quic' })).toBe(turn);
  }
});

const toBoth =
  (rest: TestConfig) =>
  (port: number, endpoints: readonly string[]): TestConfig => ({
    ...configTo(port, [], rest),
    upstreams: { to: { endpoints, ...ALL } },
  });

test('a route that refuses the new address by itself is obeyed', async () => {
  const routes = [{ when: { source: '127.0.0.2' }, to: 'reset' }];
  const { daemon, port, home } = await stage(toBoth({ routes }));
  const refused = await client(port, { from: '127.0.0.2' });
  await refused.send(shortPacket(home.id));
  const [line] = await daemon.ended(1);
  expect(line).toMatchObject({
    reason: 'rejected',
    by: 'proxy',
    route: 'routes[0]',
    source: refused.address,
  });
  expect(await said(await client(port, { from: '127.0.0.3' }), home.id)).toBe(home.name);
  expect(home.opened.senders).toHaveLength(2);
});

test('lists are asked for the new address', async () => {
  const { daemon, port, home } = await stage(toBoth({ security: { ip_blacklist: ['127.0.0.2'] } }));
  await (await client(port, { from: '127.0.0.2' })).send(shortPacket(home.id));
  await daemon.metricBecomes('anyport_udp_dropped_total', 1, { reason: 'no_flow' });
  expect(await daemon.metric('anyport_quic_followed_total')).toBe(0);
});

test('an endpoint that takes no new sessions keeps its clients', async () => {
  const { daemon, port, home, other } = await stage(toBoth({}));
  const drained = [{ address: home.opened.target, weight: 0 }, other.opened.target];
  await daemon.reload({ ...toBoth({})(port, []), upstreams: { to: { endpoints: drained, ...ALL } } });
  expect(await said(await client(port), home.id)).toBe(home.name);
  const fresh = await client(port);
  await fresh.ask(initial());
  expect(await said(fresh, other.id)).toBe(other.name);
});

test('a full endpoint refuses the flow, which goes to no other one', async () => {
  const full = { max_connections: 1 };
  const { daemon, port, home, other } = await stage((listen, endpoints) => ({
    ...configTo(listen, []),
    upstreams: { to: { endpoints, ...ALL, ...full } },
  }));
  const peer = await client(port);
  for (const turn of [1, 2]) {
    await peer.send(shortPacket(home.id));
    expect((await daemon.ended(turn)).at(-1)).toMatchObject({
      reason: 'over_limit',
      source: peer.address,
      error: 'max_connections of its upstream',
    });
  }
  expect([home.opened.senders.length, other.opened.senders.length]).toEqual([1, 0]);
});
