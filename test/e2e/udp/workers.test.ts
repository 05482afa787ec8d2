/** Flows and workers: each client's datagrams reach one of them, also when workers die or their number changes. */
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DatagramPeer } from '../../support/datagrams.js';
import { freePort } from '../../support/ports.js';
import { dial } from '../../support/tcp.js';
import { client, configTo, endpoint, start } from './stage.js';

const clients = (port: number, count: number): Promise<DatagramPeer[]> =>
  Promise.all(Array.from({ length: count }, () => client(port)));

async function allAnswer(peers: readonly DatagramPeer[], text: string): Promise<void> {
  const answers = await Promise.all(peers.map((peer) => peer.ask(text, { again: true })));
  expect(answers.map(({ bytes }) => bytes.toString())).toEqual(peers.map(() => text));
}

/** Of 20 old and 20 new ports among 28,000, three pairs are alike less than once in a million runs. */
const SAME_PORTS_MAX = 2;

/** A connection that ends the worker that takes it. */
const exit = { name: 'Exit', handler: resolve('test/e2e/handlers/exit.mjs'), start_bytes: ['ee'] };

describe.each(['reuseport', 'handoff'])('accept %s', (accept) => {
  test('flows are spread over the workers, and each stays with one', async () => {
    const [port, to] = [await freePort(), await endpoint()];
    const daemon = await start(configTo(port, to, { server: { workers: 3, accept } }));
    const peers = await clients(port, 60);
    for (const text of ['a', 'b', 'c']) await allAnswer(peers, text);
    // A flow has one socket to the endpoint.
    expect(to.senders).toHaveLength(peers.length);
    await daemon.booksBalance();
    daemon.signal('SIGTERM');
    const lines = await daemon.ended(peers.length);
    expect(new Set(lines.map(({ worker }) => worker))).toEqual(new Set([0, 1, 2]));
    expect(lines.every(({ bytes_up, bytes_down }) => bytes_up === 3 && bytes_down === 3)).toBe(true);
  });

  test('a worker that dies takes its flows along: their clients go on by new ones, on the same sockets', async () => {
    const [port, to] = [await freePort(), await endpoint()];
    const daemon = await start({
      ...configTo(port, to, { server: { workers: 2, accept }, listener: { transport: 'tcp+udp' } }),
      protocols: [exit],
    });
    const peers = await clients(port, 40);
    await allAnswer(peers, 'before');
    const killer = await dial(port);
    killer.send(Buffer.from([0xee]));
    await daemon.metricBecomes('anyport_worker_restarts_total', 1);
    await allAnswer(peers, 'after');
    await daemon.metricBecomes('anyport_udp_flows', peers.length);
    // Each flow that is gone was reset, as the killer was, and has a successor.
    const gone = (await daemon.metric('anyport_accepted_total')) - peers.length - 1;
    await daemon.metricBecomes('anyport_sessions_total', gone + 1, { reason: 'reset' });
    // Those of the other worker have kept their sockets.
    expect(gone).toBeLessThan(peers.length);
    const ports = to.senders.length - peers.length;
    expect(ports).toBeGreaterThan(0);
    // By chance a successor has the port of one that is gone.
    expect(ports).toBeLessThanOrEqual(gone);
    expect(ports).toBeGreaterThanOrEqual(gone - SAME_PORTS_MAX);
    await daemon.booksBalance();
  });
});

test('more workers, then fewer: every client is answered all the time', async () => {
  const [port, to] = [await freePort(), await endpoint()];
  const config = (workers: number) => configTo(port, to, { server: { workers } });
  const daemon = await start(config(2));
  const peers = await clients(port, 40);
  await allAnswer(peers, 'at first');
  for (const workers of [4, 1, 3]) {
    expect((await daemon.reload(config(workers))).msg).toBe('reloaded');
    for (const text of ['one', 'two']) await allAnswer(peers, `${workers} ${text}`);
  }
  await daemon.booksBalance();
});
