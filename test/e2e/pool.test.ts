/** Connections opened ahead: what they save, and that no session pays for those that are dead. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { freePort } from '../support/ports.js';
import { type SlowNetwork, startSlowNetwork } from '../support/slow-network.js';
import { dial, echo, listenTcp, type Peer } from '../support/tcp.js';
import { describeAsRoot } from '../support/tools.js';
import { eventually, waited } from '../support/wait.js';

const REDIS_PING = Buffer.from('*1\r\n$4\r\nPING\r\n');

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startPooled(endpoint: string, pool: object, more: object = {}): Promise<Daemon> {
  const daemon = await startDaemon(configOf(endpoint, pool, more));
  cleanups.push(() => daemon.stop());
  return daemon;
}

function configOf(endpoint: string, pool: object, more: object = {}) {
  return {
    protocols: [{ name: 'Redis', target: 'u' }],
    upstreams: { u: { endpoints: [endpoint], pool } },
    ...more,
  };
}

const count = (daemon: Daemon, metric: string) => daemon.metric(`anyport_pool_${metric}`, { upstream: 'u' });
const lost = (daemon: Daemon, reason: string) =>
  daemon.metric('anyport_pool_wasted_total', { upstream: 'u', reason });
const idle = (daemon: Daemon) => daemon.metric('anyport_pool_connections', { upstream: 'u', state: 'idle' });

/** One session that is echoed; how long until its first byte came back. */
async function ask({ port }: Daemon): Promise<number> {
  const client = await dial(port);
  const begun = performance.now();
  client.send(REDIS_PING);
  await once(client.socket, 'data');
  const ms = performance.now() - begun;
  expect((await client.bytes(REDIS_PING.length)).toString()).toBe(REDIS_PING.toString());
  client.finish();
  expect(await client.end()).toBe('fin');
  return ms;
}

async function echoing() {
  const upstream = await listenTcp(echo);
  cleanups.push(() => upstream.close());
  return upstream;
}

describeAsRoot('an endpoint behind a slow network', () => {
  const DELAY_MS = 10;
  const ECHO = `
import asyncio
async def serve(reader, writer):
    while data := await reader.read(65536): writer.write(data)
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "0.0.0.0", 7)
    print("ready", flush=True)
    await server.serve_forever()
asyncio.run(main())`;

  async function startFarEcho(): Promise<SlowNetwork> {
    const network = await startSlowNetwork(DELAY_MS);
    cleanups.push(() => network.stop());
    const server = network.spawn('python3', ['-c', ECHO]);
    if (server.stdout !== null) await once(server.stdout, 'data');
    return network;
  }

  async function measure(daemon: Daemon, ready: () => Promise<unknown>): Promise<number> {
    await ask(daemon);
    const times: number[] = [];
    for (let n = 0; n < 20; n += 1) {
      await ready();
      times.push(await ask(daemon));
    }
    return Math.min(...times); // what else the machine does adds to them
  }

  test('a warm pool saves the time to connect', async () => {
    const { host } = await startFarEcho();
    const without = await measure(await startPooled(`${host}:7`, { warm: 0 }), () => sleep(30));
    const daemon = await startPooled(`${host}:7`, { warm: 8 });
    const pooled = await measure(daemon, () => eventually('one ahead', async () => (await idle(daemon)) > 0));
    const [hits, misses] = [await count(daemon, 'hits_total'), await count(daemon, 'misses_total')];
    console.log(
      `first byte, ${2 * DELAY_MS} ms round trip: ${without.toFixed(1)} ms, with a warm pool ${pooled.toFixed(1)} ms; ${hits} hits, ${misses} misses`,
    );
    // One round trip instead of two.
    expect(without).toBeGreaterThan(waited(4 * DELAY_MS));
    expect(pooled).toBeLessThan(0.75 * without);
    expect(hits).toBeGreaterThan(15);
    expect(hits + misses).toBe(21);
    await daemon.metricBecomes('anyport_sessions_total', 21, { reason: 'done' });
  });
});

describe('a pool', () => {
  test('opens nothing before the first session, then as many as are wanted, and never more than allowed', async () => {
    const upstream = await echoing();
    const daemon = await startPooled(upstream.target, { warm: 2 });
    await sleep(300);
    expect(upstream.peers).toHaveLength(0);
    await ask(daemon);
    await eventually('one ahead', async () => (await idle(daemon)) > 0);
    await Promise.all(Array.from({ length: 20 }, () => ask(daemon)));
    expect(await idle(daemon)).toBeLessThanOrEqual(2);
    const [hits, misses] = [await count(daemon, 'hits_total'), await count(daemon, 'misses_total')];
    expect(hits).toBeGreaterThan(0);
    expect(hits + misses).toBe(21);
  });

  test('what waits too long is closed, and nothing is opened while no session comes', async () => {
    const upstream = await echoing();
    const daemon = await startPooled(upstream.target, { warm: 4, max_idle: '300ms' });
    await ask(daemon);
    await eventually('one expired', async () => (await lost(daemon, 'expired')) > 0);
    await eventually('none', async () => (await idle(daemon)) === 0);
    const opened = upstream.peers.length;
    await sleep(500);
    expect(upstream.peers).toHaveLength(opened);
  });

  test('a banner that came early is the first that the client reads, once', async () => {
    const upstream = await listenTcp((peer) => {
      peer.socket.write('hello ');
      echo(peer);
    });
    cleanups.push(() => upstream.close());
    const daemon = await startPooled(upstream.target, { warm: 2 });
    for (let n = 0; n < 5; n += 1) {
      if (n > 0) await eventually('one ahead', async () => (await idle(daemon)) > 0);
      const client = (await dial(daemon.port)).send(REDIS_PING);
      expect((await client.bytes(6 + REDIS_PING.length)).toString()).toBe(`hello ${REDIS_PING}`);
      client.finish();
      expect(await client.end()).toBe('fin');
    }
    expect(await count(daemon, 'hits_total')).toBe(4);
  });

  test('a connection opened ahead gets its PROXY header when it is handed out, of the client that it is for', async () => {
    const upstream = await echoing();
    const { upstreams, ...rest } = configOf(upstream.target, { warm: 2 });
    const daemon = await startDaemon({ ...rest, upstreams: { u: { ...upstreams.u, proxy_protocol: 'v1' } } });
    cleanups.push(() => daemon.stop());
    for (let n = 0; n < 4; n += 1) {
      if (n > 0) await eventually('one ahead', async () => (await idle(daemon)) > 0);
      const client = (await dial(daemon.port)).send(REDIS_PING);
      const [, port] = client.address.split(':');
      const header = `PROXY TCP4 127.0.0.1 127.0.0.1 ${port} ${daemon.port}\r\n`;
      const due = `${header}${REDIS_PING}`;
      expect((await client.bytes(due.length)).toString()).toBe(due);
      client.finish();
      expect(await client.end()).toBe('fin');
    }
    expect(await count(daemon, 'hits_total')).toBe(3);
  });

  test('a server that speaks first is served from it too', async () => {
    const upstream = await listenTcp((peer) => void peer.socket.end('220 mail\r\n'));
    cleanups.push(() => upstream.close());
    const port = await freePort();
    const daemon = await startPooled(
      upstream.target,
      { warm: 2 },
      {
        listeners: [{ name: 'mail', address: `127.0.0.1:${port}`, on_silence: { after: '50ms', to: 'u' } }],
      },
    );
    for (let n = 0; n < 3; n += 1) {
      const client = await dial(port);
      expect((await client.bytes(10)).toString()).toBe('220 mail\r\n');
      expect(await client.ended).toBe('fin');
      client.finish();
    }
    await daemon.metricBecomes('anyport_sessions_total', 3, { reason: 'done' });
  });

  test('connections that the endpoint closes are replaced, and no session gets one', async () => {
    const upstream = await listenTcp(echo);
    cleanups.push(() => upstream.close());
    const daemon = await startPooled(upstream.target, { warm: 4 });
    for (let n = 0; n < 5; n += 1) {
      await ask(daemon);
      await eventually('one ahead', async () => (await idle(daemon)) > 0);
      const before = await lost(daemon, 'closed');
      const ahead = upstream.peers.filter(({ length, socket }) => length === 0 && !socket.destroyed);
      for (const { socket } of ahead) socket.destroy();
      // An end that is still on its way can not be known.
      await eventually(
        'their ends to be seen',
        async () => (await lost(daemon, 'closed')) >= before + ahead.length,
      );
      await eventually('another one ahead', async () => (await idle(daemon)) > 0);
    }
    await daemon.metricBecomes('anyport_sessions_total', 5, { reason: 'done' });
  });

  test('an endpoint that is gone costs sessions no more than without a pool, and is pooled again when back', async () => {
    let upstream = await listenTcp(echo);
    const { port } = upstream;
    const daemon = await startPooled(upstream.target, { warm: 4 });
    await ask(daemon);
    await eventually('one ahead', async () => (await idle(daemon)) > 0);
    await upstream.close();
    await eventually('none', async () => (await idle(daemon)) === 0);
    const client = (await dial(daemon.port)).send(REDIS_PING);
    expect(await client.end()).toBe('reset');
    await eventually('a failure', async () => (await lost(daemon, 'connect_failed')) > 0);
    expect(await daemon.metric('anyport_sessions_total', { reason: 'connect_failed' })).toBe(1);
    upstream = await listenTcp(echo, '127.0.0.1', port);
    cleanups.push(() => upstream.close());
    await ask(daemon);
    await eventually('one ahead again', async () => (await idle(daemon)) > 0);
  });

  test('each worker has its part, and together there are no more than allowed', async () => {
    const upstream = await echoing();
    const daemon = await startPooled(upstream.target, { warm: 3 }, { server: { workers: 2 } });
    await Promise.all(Array.from({ length: 60 }, () => ask(daemon)));
    expect(await idle(daemon)).toBeLessThanOrEqual(3);
    const [hits, misses] = [await count(daemon, 'hits_total'), await count(daemon, 'misses_total')];
    expect(hits + misses).toBe(60);
  });

  test('a reload keeps what is still wanted, and closes the rest', async () => {
    const [first, second] = [await echoing(), await echoing()];
    const daemon = await startPooled(first.target, { warm: 2, max_idle: '1h' });
    await ask(daemon);
    await eventually('one ahead', async () => (await idle(daemon)) > 0);
    const [, ahead] = first.peers as [Peer, Peer];
    expect(await daemon.reload(configOf(first.target, { warm: 5, max_idle: '1h' }))).toMatchObject({
      msg: 'reloaded',
    });
    expect(await idle(daemon)).toBeGreaterThan(0);
    expect(ahead.ending).toBeUndefined();
    await ask(daemon);
    expect(await count(daemon, 'hits_total')).toBe(1);
    await eventually('one ahead', async () => (await idle(daemon)) > 0);
    await daemon.reload(configOf(second.target, { warm: 5, max_idle: '1h' }));
    expect(await first.peers.at(-1)?.ended).toBe('fin');
    expect(await idle(daemon)).toBe(0);
    await ask(daemon);
    expect(second.peers.length).toBeGreaterThan(0);
    await daemon.reload(configOf(second.target, { warm: 0 }));
    await eventually('none', async () => (await idle(daemon)) === 0);
  });

  test('a drain closes what is ahead; sessions go on', async () => {
    const upstream = await echoing();
    const daemon = await startPooled(
      upstream.target,
      { warm: 2 },
      {
        server: { graceful_shutdown_timeout: '10s' },
      },
    );
    const client = (await dial(daemon.port)).send(REDIS_PING);
    await client.bytes(REDIS_PING.length);
    await eventually('one ahead', async () => (await idle(daemon)) > 0);
    daemon.signal('SIGTERM');
    expect(await (await upstream.peer(1)).ended).toBe('fin');
    client.send(REDIS_PING);
    await client.bytes(2 * REDIS_PING.length);
    client.finish();
    expect(await client.end()).toBe('fin');
    expect(await daemon.exit()).toBe(0);
  });
});
