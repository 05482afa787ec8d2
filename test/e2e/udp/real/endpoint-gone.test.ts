/** Endpoints whose port is closed (ICMP port unreachable): flows go elsewhere, and nobody else notices. */
import { afterEach, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../../../support/daemon.js';
import {
  type DatagramEndpoint,
  type DatagramPeer,
  datagramClient,
  echoDatagrams,
  listenUdp,
  namedEcho,
} from '../../../support/datagrams.js';
import { freePort } from '../../../support/ports.js';

let daemon: Daemon;
const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await daemon.stop();
  for (const each of closing.splice(0)) await each.close();
});

const kept = <T extends { close(): Promise<void> }>(each: T): T => {
  closing.push(each);
  return each;
};
const client = async (port: number): Promise<DatagramPeer> => kept(await datagramClient(port));
const close = (each: DatagramEndpoint): Promise<void> => {
  closing.splice(closing.indexOf(each), 1);
  return each.close();
};

/** Asks until this endpoint answers: datagrams to a closed port are lost. */
async function answeredBy(peer: DatagramPeer, name: string): Promise<void> {
  const seen: string[] = [];
  for (let n = 0; seen.at(-1) !== name; n++) {
    if (n === 10) throw new Error(`${name} did not answer, but ${seen}`);
    seen.push(`${(await peer.ask(`${n}`, { again: true })).bytes}`.split(':')[0] ?? '');
  }
}

test('a flow goes to the other endpoint when its own closes its port, and comes back', async () => {
  const first = kept(await listenUdp(namedEcho('first')));
  const second = kept(await listenUdp(namedEcho('second')));
  const port = await freePort();
  daemon = await startDaemon({
    listeners: [{ name: 'any', address: `127.0.0.1:${port}`, transport: 'udp', on_unknown: 'web' }],
    upstreams: { web: { endpoints: [first.target, { address: second.target, backup: true }] } },
  });
  const peer = await client(port);
  await answeredBy(peer, 'first');
  await close(first);
  await answeredBy(peer, 'second');
  kept(await listenUdp(namedEcho('first'), '127.0.0.1', first.port));
  await close(second);
  await answeredBy(peer, 'first');
  await daemon.metricBecomes('anyport_udp_flows', 1);
});

test('a client whose only endpoint is closed disturbs nobody, and is served when that is back', async () => {
  const closed = kept(await listenUdp(namedEcho('back')));
  await close(closed);
  const well = kept(await listenUdp(echoDatagrams));
  const port = await freePort();
  daemon = await startDaemon({
    listeners: [{ name: 'any', address: `127.0.0.1:${port}`, transport: 'udp' }],
    protocols: [
      { name: 'lost', start_bytes: ['ff'], transport: 'udp', target: 'closed' },
      { name: 'fine', start_bytes: ['41'], transport: 'udp', target: 'well' },
    ],
    upstreams: { closed: { endpoints: [closed.target] }, well: { endpoints: [well.target] } },
  });
  const lost = await client(port);
  const others = await Promise.all(Array.from({ length: 20 }, () => client(port)));
  for (const other of others) {
    for (let n = 0; n < 5; n++) await lost.send(Buffer.of(0xff, n));
    expect(`${(await other.ask('A')).bytes}`).toBe('A');
  }
  kept(await listenUdp(namedEcho('back'), '127.0.0.1', closed.port));
  expect(`${(await lost.ask(Buffer.of(0xff), { again: true })).bytes}`).toMatch(/^back:/);
});

test('a client that has closed its own port disturbs nobody', async () => {
  const late = kept(await listenUdp(({ bytes }, reply) => void setTimeout(() => reply(bytes), 50)));
  const port = await freePort();
  daemon = await startDaemon({
    listeners: [{ name: 'any', address: `127.0.0.1:${port}`, transport: 'udp', on_unknown: 'web' }],
    upstreams: { web: { endpoints: [late.target] } },
  });
  for (let n = 0; n < 20; n++) {
    const gone = await datagramClient(port);
    await gone.send('never heard');
    await gone.close();
  }
  await daemon.metricBecomes('anyport_udp_datagrams_total', 20, { direction: 'up' });
  const peer = await client(port);
  for (let n = 0; n < 5; n++) expect(`${(await peer.ask(`${n}`)).bytes}`).toBe(`${n}`);
});
