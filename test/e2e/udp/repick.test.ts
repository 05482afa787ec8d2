/** A flow whose endpoint goes away while it is relayed goes to another one, whether or not anything else is known of it. */
import { afterEach, describe, expect, test } from 'vitest';
import { startDaemon } from '../../support/daemon.js';
import { type DatagramEndpoint, datagramClient, listenUdp, namedEcho } from '../../support/datagrams.js';
import { freePort } from '../../support/ports.js';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

async function endpoint(name: string): Promise<DatagramEndpoint> {
  const listening = await listenUdp(namedEcho(name));
  open.push(() => listening.close().catch(() => {}));
  return listening;
}

/** Without the access log the worker forgets a flow that is relayed; with it, it knows the flow until its end. */
describe.each([
  { what: 'forgotten', accessLog: false },
  { what: 'known', accessLog: true },
])('a flow that is $what', ({ accessLog }) => {
  async function start() {
    const [one, other] = [await endpoint('one'), await endpoint('other')];
    const port = await freePort();
    const config = (...endpoints: DatagramEndpoint[]) => ({
      logging: { access_log: accessLog },
      server: { workers: 1 },
      protocols: [{ name: 'Mine', transport: 'udp', start_bytes: ['6d'], target: 'to' }],
      listeners: [{ name: 'any', address: `127.0.0.1:${port}`, transport: 'udp' }],
      upstreams: { to: { endpoints: endpoints.map(({ target }) => target), retries: 1 } },
    });
    const daemon = await startDaemon(config(one, other));
    open.push(() => daemon.stop());
    const client = await datagramClient(port);
    open.push(() => client.close());
    const first = (await client.ask('m1')).bytes.toString();
    const [own, spare] = first.startsWith('one') ? [one, other] : [other, one];
    const spareName = own === one ? 'other' : 'one';
    return { daemon, client, own, spare, spareName, config };
  }

  test('goes on when its endpoint closes the port, in the same session', async () => {
    const { daemon, client, own, spareName } = await start();
    await own.close();
    expect((await client.ask('m2', { again: true })).bytes.toString()).toBe(`${spareName}:m2`);
    expect((await client.ask('m3')).bytes.toString()).toBe(`${spareName}:m3`);
    expect(await daemon.metric('anyport_accepted_total')).toBe(1);
    const failures = { endpoint: own.target, reason: 'connect_failed' };
    expect(await daemon.metric('anyport_connect_failures_total', failures)).toBe(1);
    await daemon.metricBecomes('anyport_sessions_active', 1, { protocol: 'mine' });
  });

  test('moves when a reload takes its endpoint away, in the same session', async () => {
    const { daemon, client, spare, spareName, config } = await start();
    await daemon.reload(config(spare));
    expect((await client.ask('m2')).bytes.toString()).toBe(`${spareName}:m2`);
    expect(await daemon.metric('anyport_accepted_total')).toBe(1);
    await daemon.metricBecomes('anyport_sessions_active', 1, { protocol: 'mine' });
    await daemon.booksBalance();
  });
});
