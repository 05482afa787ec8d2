/** A limit of speed is kept within 3 % over 5 s, in both directions, by whatever moves the bytes. */

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import { redisPing } from '../../support/flights.js';
import { freePort } from '../../support/ports.js';
import { listenTcp, type Peer, type Upstream } from '../../support/tcp.js';
import { tempFolder } from '../../support/temp.js';
import { download, type Flow, pump, type Reached, reached, source } from './flows.js';

const KIB = 1024;
const MIB = 1024 * KIB;

const open: { daemon?: Daemon; upstreams: Upstream[]; flows: Flow[]; close: (() => void)[] } = {
  upstreams: [],
  flows: [],
  close: [],
};

afterEach(async () => {
  for (const flow of open.flows.splice(0)) flow.stop();
  await open.daemon?.stop();
  delete open.daemon;
  for (const close of open.close.splice(0)) close();
  await Promise.all(open.upstreams.splice(0).map((upstream) => upstream.close()));
});

async function serve(serving?: (peer: Peer) => void): Promise<Upstream> {
  const upstream = await listenTcp(serving);
  open.upstreams.push(upstream);
  return upstream;
}

function within({ inAll, best }: Reached, rate: number): void {
  expect(inAll, `of ${rate} bytes/s`).toBeLessThanOrEqual(1.03);
  expect(best, `of ${rate} bytes/s`).toBeGreaterThanOrEqual(0.97);
}

/** A listener for each configuration of an upstream. */
async function startEach(upstreams: readonly object[], server = {}): Promise<number[]> {
  const ports = await Promise.all(upstreams.map(() => freePort()));
  open.daemon = await startDaemon({
    server,
    protocols: [{ name: 'Redis' }],
    listeners: ports.map((port, n) => ({ name: `l${n}`, address: `127.0.0.1:${port}` })),
    routes: ports.map((_, n) => ({ when: { listener: `l${n}` }, to: `u${n}` })),
    upstreams: Object.fromEntries(upstreams.map((upstream, n) => [`u${n}`, upstream])),
  });
  return ports;
}

/** Copied up to 16 MiB/s, where a quantum fills the copy buffer; spliced beyond. */
const rates = [4 * KIB, 100_000, 3 * MIB, 40 * MIB];

test('down', async () => {
  const { target } = await serve(source);
  const ports = await startEach(rates.map((down) => ({ endpoints: [target], bandwidth: { down } })));
  const flows = ports.map((port) => download(port));
  open.flows.push(...flows);
  const shares = await Promise.all(flows.map((flow, n) => reached([flow], rates[n] as number)));
  for (const [n, share] of shares.entries()) within(share, rates[n] as number);
  expect(
    await open.daemon?.metric('anyport_bandwidth_wait_seconds_total', { direction: 'down' }),
  ).toBeGreaterThan(8);
  expect(await open.daemon?.metric('anyport_bandwidth_wait_seconds_total', { direction: 'up' })).toBe(0);
});

/** Counts at the endpoint, from before the client connects. */
async function upload(port: number, received: () => number): Promise<Flow> {
  const sinceMs = performance.now();
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(redisPing);
  pump(socket);
  return { bytes: received, sinceMs, stop: () => socket.destroy() };
}

/** Counts, and keeps nothing. */
async function counter(): Promise<{ target: string; bytes: () => number }> {
  let bytes = 0;
  const server = createServer((socket) => {
    socket.on('data', (chunk) => {
      bytes += chunk.length;
    });
    socket.on('error', () => {});
  });
  const port = await freePort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  open.close.push(() => server.close());
  return { target: `127.0.0.1:${port}`, bytes: () => bytes };
}

test('up', async () => {
  const counters = await Promise.all(rates.map(() => counter()));
  const upstreams = counters.map(({ target }, n) => ({ endpoints: [target], bandwidth: { up: rates[n] } }));
  const ports = await startEach(upstreams);
  const flows = await Promise.all(
    ports.map((port, n) => upload(port, (counters[n] as (typeof counters)[number]).bytes)),
  );
  open.flows.push(...flows);
  const shares = await Promise.all(flows.map((flow, n) => reached([flow], rates[n] as number)));
  for (const [n, share] of shares.entries()) within(share, rates[n] as number);
});

test('of a handler, of a Unix socket, and of a target of its own', async () => {
  const folder = tempFolder();
  open.close.push(() => folder.remove());
  const path = `${folder.path}/source`;
  const server = createServer((socket) => pump(socket)).listen(path);
  open.close.push(() => server.close());
  const { target } = await serve(source);
  const down = 2 * MIB;
  const bandwidth = { down };
  const [handler, unix, own] = await Promise.all([freePort(), freePort(), freePort()]);
  open.daemon = await startDaemon({
    listeners: [
      { name: 'handler', address: `127.0.0.1:${handler}` },
      { name: 'unix', address: `127.0.0.1:${unix}` },
      { name: 'own', address: `127.0.0.1:${own}` },
    ],
    protocols: [{ name: 'Redis', target: { endpoints: [target], bandwidth } }],
    routes: [
      { when: { listener: 'handler' }, to: 'handler' },
      { when: { listener: 'unix' }, to: 'unix' },
    ],
    upstreams: {
      handler: { handler: resolve('test/e2e/handlers/endless.mjs'), bandwidth },
      unix: { endpoints: [`unix:${path}`], bandwidth },
    },
  });
  const flows = [handler, unix, own].map((port) => download(port));
  open.flows.push(...flows);
  for (const share of await Promise.all(flows.map((flow) => reached([flow], down)))) within(share, down);
});

test('a reload changes what holds for new sessions', async () => {
  const { target } = await serve(source);
  const port = await freePort();
  const config = (down: number) => ({
    listeners: [{ name: 'l', address: `127.0.0.1:${port}` }],
    protocols: [{ name: 'Redis', target: { endpoints: [target], bandwidth: { down } } }],
  });
  open.daemon = await startDaemon(config(MIB));
  const before = download(port);
  open.flows.push(before);
  expect((await open.daemon.reload(config(3 * MIB))).msg).toBe('reloaded');
  const after = download(port);
  open.flows.push(after);
  const [first, second] = await Promise.all([reached([before], MIB), reached([after], 3 * MIB)]);
  within(first, MIB);
  within(second, 3 * MIB);
});
