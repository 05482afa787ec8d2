/** Every cap from the client's side: as many as may be, one more, and recovery; over two workers, in both accept modes. */
import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon, type TestConfig } from '../../support/daemon.js';
import { freePort } from '../../support/ports.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../../support/tcp.js';
import { eventually } from '../../support/wait.js';
import { enter } from './visits.js';

const opening = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

let daemon: Daemon;
let upstream: Upstream;

beforeEach(async () => {
  upstream = await listenTcp(echo);
});

afterEach(async () => {
  await daemon.stop();
  await upstream.close();
});

const configOf = (config: TestConfig): TestConfig => ({
  protocols: [
    { name: 'HTTP', target: upstream.target },
    { name: 'Exit', handler: resolve('test/e2e/handlers/exit.mjs'), start_bytes: ['ee'] },
  ],
  ...config,
  server: { workers: 2, ...config.server },
});

async function start(config: TestConfig): Promise<void> {
  daemon = await startDaemon(configOf(config));
}

interface Way {
  readonly from?: string;
  readonly port?: number;
  /** By a PROXY header. */
  readonly announced?: string;
}

/** A client that has been served; null: it was reset. */
const served = ({ port = daemon.port, ...way }: Way = {}): Promise<Peer | null> =>
  enter(port, { ...way, opening });

async function servedTimes(count: number, way: Way = {}): Promise<Peer[]> {
  const clients: Peer[] = [];
  for (let each = 0; each < count; each += 1) {
    const client = await served(way);
    expect(client).not.toBeNull();
    clients.push(client as Peer);
  }
  return clients;
}

async function leaves(client: Peer | undefined): Promise<void> {
  client?.finish();
  await client?.end();
}

/** Clients that say nothing, each younger than the one before on whatever worker; `before`: under identification already. */
async function silentTimes(count: number, before = 0): Promise<Peer[]> {
  const clients: Peer[] = [];
  for (let each = 1; each <= count; each += 1) {
    clients.push(await dial(daemon.port));
    await daemon.metricBecomes('anyport_identifying', before + each);
  }
  return clients;
}

const servedAgain = (way: Way = {}) =>
  eventually('a place to be free again', async () => (await served(way)) ?? undefined);

/** Waits for the line of a refused connection. */
const lineOf = (error: string) =>
  eventually(`a line with ${error}`, () => daemon.sessions.find((line) => line.error === error));

async function expectRefused(error: string, listener: Record<string, string> = {}): Promise<void> {
  expect(await lineOf(error)).toMatchObject({ reason: 'over_limit', by: 'proxy', during: 'admit' });
  const labels = { reason: 'over_limit', ...listener };
  expect(await daemon.metric('anyport_refused_total', labels)).toBeGreaterThan(0);
  expect(await daemon.metric('anyport_refused_total', labels)).toBe(
    await daemon.metric('anyport_sessions_total', labels),
  );
  await daemon.booksBalance();
}

describe.each(['reuseport', 'handoff'])('accept %s', (accept) => {
  test('max_connections_per_ip: of each source so many', async () => {
    await start({ server: { accept, max_connections_per_ip: 3 } });
    const clients = await servedTimes(3);
    expect(await served()).toBeNull();
    await servedTimes(3, { from: '127.0.0.2' });
    expect(await served({ from: '127.0.0.2' })).toBeNull();
    await leaves(clients[0]);
    await servedAgain();
    expect(await served()).toBeNull();
    await expectRefused('max_connections_per_ip');
  });

  test('listeners[].max_connections: of this listener so many, whoever they are of', async () => {
    const [front, back] = [await freePort(), await freePort()];
    await start({
      server: { accept },
      listeners: [
        { name: 'front', address: `127.0.0.1:${front}`, max_connections: 2 },
        { name: 'back', address: `127.0.0.1:${back}` },
      ],
    });
    const [first] = await servedTimes(1, { port: front });
    await servedTimes(1, { port: front, from: '127.0.0.2' });
    expect(await served({ port: front, from: '127.0.0.3' })).toBeNull();
    await servedTimes(3, { port: back });
    await leaves(first);
    await servedAgain({ port: front });
    expect(await served({ port: front })).toBeNull();
    await expectRefused('max_connections of the listener', { listener: 'front' });
    expect(await daemon.metric('anyport_refused_total', { listener: 'back' })).toBe(0);
  });

  test('max_connections: in all so many', async () => {
    await start({ server: { accept, max_connections: 3 } });
    const [first] = await servedTimes(2);
    await servedTimes(1, { from: '127.0.0.2' });
    expect(await served({ from: '127.0.0.3' })).toBeNull();
    await leaves(first);
    await servedAgain({ from: '127.0.0.3' });
    expect(await served()).toBeNull();
    await expectRefused('max_connections');
  });

  test('behind PROXY headers the announced source counts, and the proxy does not', async () => {
    const port = await freePort();
    await start({
      server: { accept, max_connections_per_ip: 2 },
      listeners: [
        {
          name: 'front',
          address: `127.0.0.1:${port}`,
          proxy_protocol: { accept: true, trusted: ['127.0.0.1'] },
        },
      ],
    });
    const one = { port, announced: '198.51.100.1' };
    const other = { port, announced: '198.51.100.2' };
    const [first] = await servedTimes(2, one);
    expect(await served(one)).toBeNull();
    await servedTimes(2, other);
    const line = await eventually('its line', () =>
      daemon.sessions.find(({ reason }) => reason === 'over_limit'),
    );
    expect(line).toMatchObject({ source: '198.51.100.1:4000', by: 'proxy', during: 'admit' });
    await leaves(first);
    await servedAgain(one);
    expect(await served(one)).toBeNull();
    await daemon.booksBalance();
  });

  test('max_identifying: the oldest goes for one more, and who is identified does not count', async () => {
    await start({ server: { accept, max_identifying: 3 } });
    await servedTimes(3);
    const silent = await silentTimes(3);
    silent.push(await dial(daemon.port));
    expect(await silent[0]?.end()).toBe('reset');
    expect(await daemon.sessionOf(silent[0] as Peer)).toMatchObject({
      reason: 'over_limit',
      by: 'proxy',
      during: 'sniff',
    });
    expect(silent.slice(1).map(({ ending }) => ending)).toEqual([undefined, undefined, undefined]);
    await servedTimes(1);
    expect(await silent[1]?.end()).toBe('reset');
    await daemon.metricBecomes('anyport_identifying', 2);
    await daemon.metricBecomes('anyport_identifying_evicted_total', 2, { limit: 'all' });
    silent[2]?.send(opening);
    await silent[2]?.bytes(opening.length);
    await daemon.metricBecomes('anyport_identifying', 1);
    await daemon.booksBalance();
  });

  test('identifying_per_ip: a source loses its own oldest', async () => {
    await start({
      server: { accept },
      security: { enable_ddos_guard: true, ddos_guard: { identifying_per_ip: 2 } },
    });
    const others = await dial(daemon.port, '127.0.0.2');
    await daemon.metricBecomes('anyport_identifying', 1);
    const silent = await silentTimes(2, 1);
    silent.push(await dial(daemon.port));
    expect(await silent[0]?.end()).toBe('reset');
    await daemon.metricBecomes('anyport_identifying_evicted_total', 1, { limit: 'source' });
    expect([others, ...silent.slice(1)].map(({ ending }) => ending)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    await daemon.booksBalance();
  });

  test('a reload changes caps: nobody is cut, and who was there counts', async () => {
    await start({ server: { accept } });
    const clients = await servedTimes(3);
    const capped = (most: number) => configOf({ server: { accept, max_connections_per_ip: most } });
    expect((await daemon.reload(capped(2))).msg).toMatch(/^reloaded/);
    expect(await served()).toBeNull();
    await servedTimes(1, { from: '127.0.0.2' });
    for (const client of clients) client.send('more');
    for (const client of clients) await client.bytes(opening.length + 4);
    await leaves(clients[0]);
    expect(await served()).toBeNull();
    expect((await daemon.reload(capped(4))).msg).toMatch(/^reloaded/);
    await servedTimes(2);
    expect(await served()).toBeNull();
    expect((await daemon.reload(configOf({ server: { accept } }))).msg).toMatch(/^reloaded/);
    await servedTimes(2);
    await daemon.booksBalance();
  });

  test('a worker that dies gives its places back', async () => {
    await start({
      server: { accept, workers: 1, max_connections_per_ip: 3, max_connections: 3, max_identifying: 5 },
    });
    const clients = await servedTimes(2);
    const silent = await dial(daemon.port);
    await daemon.metricBecomes('anyport_identifying', 1);
    silent.send(Uint8Array.of(0xee));
    for (const client of [...clients, silent]) expect(await client.end()).toBe('reset');
    await servedAgain();
    await servedTimes(2);
    expect(await served()).toBeNull();
    expect(await daemon.metric('anyport_identifying')).toBe(0);
    await daemon.booksBalance();
  });
});
