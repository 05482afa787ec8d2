/** Links while the daemon is operated: reloads, drains, workers that die, restarts of either end. */
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDaemon } from '../../support/daemon.js';
import type { Running } from '../../support/process.js';
import { startEndpoint } from '../../support/steady.js';
import { dial, echo, listenTcp, type Upstream } from '../../support/tcp.js';
import { describeWith } from '../../support/tools.js';
import { hold, transfer } from '../../support/tunnel-load.js';
import { eventually } from '../../support/wait.js';
import { farConfig, keep, nearConfig, own, startTunnel } from './stage.js';

const MB = 1_000_000;
/** Transfers last for some seconds. */
const slow = { delay_us: 2000, rate: 6 * MB, queue: MB };

describeWith('g++')('links and the daemon', () => {
  let endpoint: Running & { readonly target: string };
  let echoing: Upstream;
  beforeAll(async () => {
    endpoint = await startEndpoint();
    echoing = await listenTcp(echo);
  });
  afterAll(async () => {
    await endpoint.stop();
    await echoing.close();
  });

  describe('a reload', () => {
    test('of either end leaves transfers alone, and the link', async () => {
      const { port, near, far, wire } = await startTunnel(own(), endpoint.target, { conditions: slow });
      const under_way = transfer(port, 'down', 20 * MB);
      await eventually('the link', async () => (await far.daemon.metric('anyport_kcp_links')) === 1);
      const there = farConfig(own(), far.port, endpoint.target, { upstream: { dial_timeout: '9s' } });
      const here = nearConfig(own(), near.port, wire.target, { upstream: { dial_timeout: '9s' } });
      expect(await far.daemon.reload(there)).toMatchObject({ msg: 'reloaded' });
      expect(await near.daemon.reload(here)).toMatchObject({ msg: 'reloaded' });
      await under_way;
      await transfer(port, 'up', MB);
      expect(await far.daemon.metric('anyport_kcp_links')).toBe(1);
    });

    test('routes of the new configuration hold for new streams of an old link', async () => {
      const { port, far } = await startTunnel(own(), endpoint.target);
      await transfer(port, 'down', 1000);
      expect(await far.daemon.reload(farConfig(own(), far.port, echoing.target))).toMatchObject({
        msg: 'reloaded',
      });
      const client = await dial(port);
      client.send('echo this');
      expect(`${await client.bytes(9)}`).toBe('echo this');
      client.finish();
      await client.end();
    });

    test('with another secret: who has the new one is served, who has the old one no more', async () => {
      const { port, near, far, wire } = await startTunnel(own(), endpoint.target, {
        near: { upstream: { dial_timeout: '2s' } },
      });
      await transfer(port, 'down', 1000);
      const fresh = own({ secret: 'what they have agreed on now' });
      expect(await far.daemon.reload(farConfig(fresh, far.port, endpoint.target))).toMatchObject({
        msg: 'reloaded',
      });
      expect(await near.daemon.reload(nearConfig(fresh, near.port, wire.target))).toMatchObject({
        msg: 'reloaded',
      });
      await transfer(port, 'down', 1000);
    });
  });

  test('a drain lets streams finish, and begins none', async () => {
    const { port, far } = await startTunnel(own(), endpoint.target, {
      conditions: slow,
      far: { config: { server: { graceful_shutdown_timeout: '30s' } } },
    });
    const under_way = transfer(port, 'down', 12 * MB);
    await eventually('the stream', async () => (await far.daemon.metric('anyport_sessions_active')) === 1);
    far.daemon.signal('SIGTERM');
    await under_way;
    expect(await far.daemon.exit()).toBe(0);
    expect(far.daemon.sessions.map(({ reason }) => reason)).toEqual(['done']);
  });

  test('the far end that is gone and comes back is found again', async () => {
    const { port, far } = await startTunnel(own({ heartbeat: '500ms', dead_after: '2s' }), endpoint.target);
    await transfer(port, 'down', 100_000);
    await far.daemon.stop();
    keep(await startDaemon(farConfig(own(), far.port, endpoint.target)));
    await eventually('a transfer', () =>
      transfer(port, 'down', 100_000).then(
        () => true,
        () => false,
      ),
    );
  });

  test('a worker that dies takes its links along; the client begins a new one', async () => {
    const { port, far } = await startTunnel(own({ heartbeat: '500ms', dead_after: '2s' }), echoing.target, {
      far: {
        config: {
          server: { workers: 2 },
          routes: [],
          protocols: [
            { name: 'Redis', target: endpoint.target },
            { name: 'Exit', handler: resolve('test/e2e/handlers/exit.mjs'), start_bytes: ['ee'] },
          ],
        },
      },
    });
    const held = await hold(port, 2);
    const killer = await dial(port);
    killer.send(Buffer.from([0xee]));
    expect(await killer.end()).toBe('reset');
    await far.daemon.metricBecomes('anyport_worker_restarts_total', 1);
    await expect(held.leave()).rejects.toThrow();
    const again = keep(await hold(port, 2));
    await again.leave();
    await far.daemon.booksBalance();
  });

  test('two workers at each end: links find their worker', async () => {
    const config = { server: { workers: 2 } };
    const { port, near, far } = await startTunnel(own(), endpoint.target, {
      conditions: { loss: 100, delay_us: 1000 },
      near: { config },
      far: { config },
    });
    await Promise.all(Array.from({ length: 12 }, () => transfer(port, 'down', MB, 2)));
    const links = await near.daemon.metric('anyport_kcp_links');
    expect(links).toBeGreaterThan(0);
    expect(links).toBeLessThanOrEqual(2);
    await far.daemon.metricBecomes('anyport_kcp_links', links);
  });
});
