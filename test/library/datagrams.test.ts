/** Datagrams in an embedding program: on this thread, and on threads. */
import { afterEach, expect, test } from 'vitest';
import type { EndedSession } from '../../src/model/report.js';
import { type DatagramPeer, datagramClient, listenUdp, namedEcho } from '../support/datagrams.js';
import { eventually } from '../support/wait.js';
import { ANY, create } from './anyport.js';

const open: { close(): Promise<void> }[] = [];
const kept = <Thing extends { close(): Promise<void> }>(thing: Thing): Thing => {
  open.push(thing);
  return thing;
};
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

const client = async (port: number | null | undefined): Promise<DatagramPeer> =>
  kept(await datagramClient(port ?? 0));

test.each([0, 2])(
  'a listener of both transports, its sessions and its counters: workers %i',
  async (workers) => {
    const endpoint = kept(await listenUdp(namedEcho('to')));
    const plex = create({
      workers,
      udp: { idleTimeout: '300ms', maxFlows: 100, maxFlowsPerIp: 10, receiveBuffer: '64KiB' },
      listeners: [{ name: 'any', address: ANY, transport: 'tcp+udp', onUnknown: 'to' }],
      upstreams: { to: { endpoints: [endpoint.target], udp: { onReload: 'keep', per: 'flow' } } },
    });
    const ended: EndedSession[] = [];
    plex.on('session', (session) => void ended.push(session));
    const [listening] = await plex.listen();
    expect(listening).toMatchObject({ name: 'any', transport: 'tcp+udp' });
    const peer = await client(listening?.port);
    expect((await peer.ask('hello')).bytes.toString()).toBe('to:hello');
    await eventually('the end of the flow', () => ended.length > 0);
    expect(ended[0]).toMatchObject({
      transport: 'udp',
      listener: 'any',
      source: peer.address,
      bytesUp: 5,
      bytesDown: 8,
      reason: 'idle_timeout',
    });
    expect(await plex.metricsText()).toMatch(
      /anyport_udp_datagrams_total\{(?=[^}]*listener="any")(?=[^}]*direction="down")[^}]*\} 1\n/,
    );
    await plex.close({ drain: 0 });
  },
);

test('a change keeps the flows whose endpoint stays', async () => {
  const endpoint = kept(await listenUdp(namedEcho('to')));
  const options = (retries: number) => ({
    listeners: [{ name: 'any', address: ANY, transport: 'udp' as const, onUnknown: 'to' }],
    upstreams: { to: { endpoints: [endpoint.target], retries } },
  });
  const plex = create({ workers: 0, ...options(1) });
  const [listening] = await plex.listen();
  const peer = await client(listening?.port);
  await peer.ask('before');
  await plex.updateConfig(options(2));
  expect((await peer.ask('after')).bytes.toString()).toBe('to:after');
  expect(endpoint.senders).toHaveLength(1);
});
