/** How a stream ends: half-closed, reset, refused and timed out, on either side; the other side learns which. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../support/ports.js';
import { dial, listenTcp, type Peer, type Upstream } from '../../support/tcp.js';
import { describeWith } from '../../support/tools.js';
import { kcptunProfile, own, startNear, startTunnel, type Tunnel } from './stage.js';

const profiles = [
  { wire: 'anyport', profile: own() },
  { wire: 'kcptun', profile: kcptunProfile() },
];

let upstream: Upstream;
beforeAll(async () => {
  upstream = await listenTcp();
});
afterAll(() => upstream.close());

/** Of all tests of this file. */
let connections = 0;
afterEach(() => {
  connections = upstream.peers.length;
});

/** Both ends of a stream that has carried a word. */
async function joined({ port }: Tunnel): Promise<{ client: Peer; server: Peer }> {
  const client = (await dial(port)).send('hello');
  const server = await upstream.peer(connections);
  connections += 1;
  await server.bytes(5);
  return { client, server };
}

describeWith('g++')('a stream', () => {
  describe.each(profiles)('over wire $wire', ({ profile, wire }) => {
    const start = () => startTunnel(profile, upstream.target, { conditions: { loss: 200, delay_us: 1000 } });

    test('the client half-closes and still gets its answer', async () => {
      const tunnel = await start();
      const { client, server } = await joined(tunnel);
      client.send(' and goodbye').finish();
      expect(await server.end()).toBe('fin');
      expect(`${server.received}`).toBe('hello and goodbye');
      const answer = Buffer.alloc(300_000, 'late');
      server.send(answer).finish();
      expect(await client.end()).toBe('fin');
      expect(client.received.equals(answer)).toBe(true);
      for (const { daemon } of [tunnel.near, tunnel.far])
        expect((await daemon.ended(1))[0]).toMatchObject({
          reason: 'done',
          bytes_up: 17,
          bytes_down: 300_000,
        });
    });

    test('the server half-closes and still gets the rest', async () => {
      const { client, server } = await joined(await start());
      server.send('that is all').finish();
      expect(await client.end()).toBe('fin');
      expect(`${client.received}`).toBe('that is all');
      client.send(Buffer.alloc(300_000, 'more')).finish();
      expect(await server.end()).toBe('fin');
      expect(server.length).toBe(300_005);
    });

    if (wire === 'anyport') {
      test('a reset of the client reaches the server as one', async () => {
        const tunnel = await start();
        const { client, server } = await joined(tunnel);
        client.reset();
        expect(await server.end()).toBe('reset');
        expect((await tunnel.far.daemon.ended(1))[0]).toMatchObject({ reason: 'reset', by: 'client' });
      });

      test('a reset of the server reaches the client as one', async () => {
        const tunnel = await start();
        const { client, server } = await joined(tunnel);
        server.reset();
        expect(await client.end()).toBe('reset');
        expect((await tunnel.near.daemon.ended(1))[0]).toMatchObject({ reason: 'reset', by: 'upstream' });
      });
    }

    test('the others go on when one is reset', async () => {
      const tunnel = await start();
      const [one, other] = [await joined(tunnel), await joined(tunnel)];
      one.client.reset();
      await one.server.end();
      other.client.send(' there');
      await other.server.bytes(11);
      other.server.send('here').finish();
      expect(await other.client.end()).toBe('fin');
      expect(`${other.client.received}`).toBe('here');
    });
  });

  test('is refused where nobody listens, as over TCP', async () => {
    const nobody = await freePort();
    const near = await startNear(own(), `127.0.0.1:${nobody}`, { upstream: { dial_timeout: '2s' } });
    const client = await dial(near.port);
    client.send('hello');
    await client.end();
    const [line] = await near.daemon.ended(1);
    // As over TCP: the network says that nobody is there, and nothing is waited for.
    expect(line).toMatchObject({ upstream: 'over', during: 'connect', reason: 'connect_failed' });
    expect(line).toMatchObject({ error: 'ECONNREFUSED' });
  });

  test('ends when the link dies, at both ends, and the next one begins a new link', async () => {
    const tunnel = await startTunnel(own({ heartbeat: '500ms', dead_after: '2s' }), upstream.target);
    const { client, server } = await joined(tunnel);
    await tunnel.wire.change({ cut: 1 });
    expect(await Promise.all([client.end(), server.end()])).toEqual(['reset', 'reset']);
    await tunnel.far.daemon.metricBecomes('anyport_kcp_links', 0);
    await tunnel.near.daemon.metricBecomes('anyport_kcp_links', 0);
    await tunnel.wire.change({ cut: 0 });
    const next = await joined(tunnel);
    next.client.finish();
    expect(await next.server.end()).toBe('fin');
  });
});
