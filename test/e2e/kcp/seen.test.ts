/** What is seen of links: metrics, the control interface, the command line, and the access log. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ControlSite } from '../../support/control.js';
import { anyport } from '../../support/daemon.js';
import { freePort } from '../../support/ports.js';
import type { Running } from '../../support/process.js';
import { startEndpoint } from '../../support/steady.js';
import { describeWith } from '../../support/tools.js';
import { hold, transfer } from '../../support/tunnel-load.js';
import { eventually } from '../../support/wait.js';
import { lossyWire } from '../../support/wire.js';
import { keep, own, startTunnel } from './stage.js';

const MB = 1_000_000;

describeWith('g++')('what is seen of a link', () => {
  let endpoint: Running & { readonly target: string };
  beforeAll(async () => {
    endpoint = await startEndpoint();
  });
  afterAll(() => endpoint.stop());

  test('metrics: links, loss made good by resends and by parity, and the round trip', async () => {
    const { port, near, far } = await startTunnel(own(), endpoint.target, { conditions: lossyWire });
    await transfer(port, 'down', 8 * MB);
    for (const { daemon } of [near, far]) await daemon.metricBecomes('anyport_kcp_links', 1);
    expect(await far.daemon.metric('anyport_kcp_retransmits_total')).toBeGreaterThan(0);
    expect(await near.daemon.metric('anyport_kcp_fec_recovered_total')).toBeGreaterThan(0);
    const [sum, count] = await Promise.all([
      far.daemon.metric('anyport_kcp_rtt_seconds_sum'),
      far.daemon.metric('anyport_kcp_rtt_seconds_count'),
    ]);
    expect(sum / count).toBeGreaterThan(0.039); // the wire's own
    expect(sum / count).toBeLessThan(1);
  });

  test('GET /api/v1/kcp/sessions and `anyport status`: a link with its streams', async () => {
    const admin = { host: '127.0.0.1', port: await freePort() };
    const { port, wire } = await startTunnel(own(), endpoint.target, {
      conditions: { delay_us: 2000 },
      far: { config: { admin: { listen: `127.0.0.1:${admin.port}` } } },
    });
    const held = keep(await hold(port, 3));
    const told = await eventually('the link to be listed', async () => {
      const { status, body } = await new ControlSite(admin).get('/api/v1/kcp/sessions');
      expect(status).toBe(200);
      return body.links[0]?.streams === 3 ? body : undefined;
    });
    expect(told.links).toHaveLength(1);
    expect(told.links[0]).toMatchObject({ profile: 'link', state: 'up', streams: 3 });
    const status = await anyport(['status', '--admin', `127.0.0.1:${admin.port}`]);
    expect(status.stdout).toMatch(/kcp/i);
    await held.leave();
    expect((await wire.carried()).overrun).toBe(0);
  });

  test('the access log: transport, source and endpoint at both ends', async () => {
    const { port, near, far, wire } = await startTunnel(own(), endpoint.target);
    await transfer(port, 'up', MB);
    const [[here], [there]] = await Promise.all([near.daemon.ended(1), far.daemon.ended(1)]);
    expect(here).toMatchObject({ upstream: 'over', endpoint: wire.target, reason: 'done' });
    expect(here?.transport).toBeUndefined();
    expect(there).toMatchObject({ transport: 'kcp', upstream: 'behind', endpoint: endpoint.target });
    expect(there).toMatchObject({ listener: 'far', reason: 'done' });
    expect(there?.source).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(there?.bytes_up).toBeGreaterThan(MB);
    for (const { daemon } of [near, far]) await daemon.booksBalance();
  });

  test('limits on sources and on connections hold for streams', async () => {
    const { port, far } = await startTunnel(own(), endpoint.target, {
      far: { config: { server: { max_connections: 2 } } },
    });
    const held = keep(await hold(port, 2));
    await expect(hold(port, 1)).rejects.toThrow();
    await held.leave();
    await far.daemon.metricBecomes('anyport_sessions_active', 0);
    await transfer(port, 'down', 100_000);
    await far.daemon.booksBalance();
  });
});
