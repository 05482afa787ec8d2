/** `upstreams.NAME.queue`: sessions wait for a place at a full upstream, over all workers. */
import { afterEach, describe, expect, test } from 'vitest';
import { type Daemon, type SessionLine, startDaemon, type TestConfig } from '../support/daemon.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { eventually, waited } from '../support/wait.js';

const opening = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

let daemon: Daemon;
let upstream: Upstream;

afterEach(async () => {
  await daemon.stop();
  await upstream.close();
});

const configOf = (options: object): TestConfig => ({
  server: { workers: 2 },
  protocols: [{ name: 'HTTP', target: 'web' }],
  upstreams: { web: { endpoints: [upstream.target], ...options } },
});

async function startWith(options: object): Promise<void> {
  upstream = await listenTcp(echo);
  daemon = await startDaemon(configOf(options));
}

async function request(): Promise<Peer> {
  const client = await dial(daemon.port);
  client.send(opening);
  return client;
}

const isServed = (client: Peer): boolean => client.length > 0;

async function served(): Promise<Peer> {
  const client = await request();
  await eventually('an answer', () => isServed(client));
  return client;
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${daemon.metricsPort}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}

const waiting = (): Promise<number> => metric('anyport_queue_sessions{upstream="web"}');
const waits = (result: string): Promise<number> =>
  metric(`anyport_queue_waits_total{upstream="web",result="${result}"}`);
const untilWaiting = (count: number): Promise<unknown> =>
  eventually(`${count} waiting`, async () => (await waiting()) === count);

/** One more that waits, after those before it. */
async function queued(before: number): Promise<Peer> {
  const client = await request();
  await untilWaiting(before + 1);
  return client;
}

const lines = (): SessionLine[] => daemon.lines.filter(({ msg }) => msg === 'session') as SessionLine[];

describe('queue', () => {
  test('who waits is served in the order of coming, whatever worker, and its line says how long it waited', async () => {
    await startWith({ max_connections: 1, queue: { length: 10, timeout: '60s' } });
    const clients = [await served()];
    for (let before = 0; before < 5; before++) clients.push(await queued(before));
    for (let at = 0; at < 5; at++) {
      expect(clients.map(isServed)).toEqual(clients.map((_, index) => index <= at));
      const client = clients[at] as Peer;
      client.finish();
      await client.end();
      await eventually('the next one', () => isServed(clients[at + 1] as Peer));
    }
    clients[5]?.finish();
    await eventually('six lines', () => lines().length === 6);
    expect(lines().filter(({ queue_ms }) => Number(queue_ms) > 0)).toHaveLength(5);
    expect(new Set(lines().map(({ reason }) => reason))).toEqual(new Set(['done']));
    expect([await waiting(), await waits('served')]).toEqual([0, 5]);
  });

  test('one more than `length` ends at once; who leaves gives its place in the line back', async () => {
    await startWith({ max_connections: 1, queue: { length: 2, timeout: '60s' } });
    await served();
    const first = await queued(0);
    await queued(1);
    const over = await request();
    await eventually('its end', () => over.ending !== undefined);
    await eventually('its line', () => lines().some(({ reason }) => reason === 'over_limit'));
    expect(lines()[0]).toMatchObject({ by: 'proxy', during: 'pick', reason: 'over_limit' });
    first.reset();
    await untilWaiting(1);
    await eventually('its line', () => lines().length === 2);
    expect(lines()[1]).toMatchObject({ by: 'client', during: 'pick', reason: 'client_gone' });
    await queued(1);
    expect([await waits('over_limit'), await waits('left')]).toEqual([1, 1]);
  });

  test('who waits for longer than `timeout` ends; a client that has finished still waits', async () => {
    await startWith({ max_connections: 1, queue: { length: 5, timeout: '1s' } });
    const holder = await served();
    const late = await request();
    await eventually('its end', () => late.ending !== undefined);
    await eventually('its line', () => lines().length === 1);
    expect(lines()[0]).toMatchObject({ by: 'timeout', during: 'pick', reason: 'over_limit' });
    expect(Number(lines()[0]?.queue_ms)).toBeGreaterThan(waited(1000));
    expect([await waiting(), await waits('timeout')]).toEqual([0, 1]);
    await daemon.reload(configOf({ max_connections: 1, queue: { length: 5, timeout: '60s' } }));
    const finished = await request();
    finished.finish();
    await untilWaiting(1);
    holder.finish();
    await eventually('its answer', () => isServed(finished));
  });

  test('a reload that raises max_connections lets those go first who wait under the new one', async () => {
    await startWith({ max_connections: 1, queue: { length: 5, timeout: '60s' } });
    const holder = await served();
    const old = await queued(0);
    await daemon.reload(configOf({ max_connections: 2, queue: { length: 5, timeout: '60s' } }));
    const late = await request();
    await eventually('the one with the new limit', () => isServed(late));
    holder.finish();
    late.finish();
    await eventually('the old one', () => isServed(old));
  });

  test('a drain serves who waits', async () => {
    await startWith({ max_connections: 1, queue: { length: 5, timeout: '60s' } });
    const holder = await served();
    const waiter = await queued(0);
    daemon.child.kill('SIGTERM');
    await eventually('the drain', () => daemon.lines.some(({ msg }) => /drain/.test(msg)));
    holder.finish();
    await eventually('its answer', () => isServed(waiter));
    waiter.finish();
  });

  test('under load everybody is served, or told why not, and nothing is left', async () => {
    await startWith({ max_connections: 4, queue: { length: 60, timeout: '60s' } });
    const crowd = 200;
    const visit = async (): Promise<boolean> => {
      const client = await request();
      await eventually('an answer, or the end', () => isServed(client) || client.ending !== undefined);
      if (client.ending === undefined) client.finish();
      await eventually('the end', () => client.ending !== undefined);
      return isServed(client);
    };
    const results = await Promise.all(Array.from({ length: crowd }, visit));
    const count = results.filter(Boolean).length;
    expect(count).toBeGreaterThanOrEqual(64);
    await eventually('all lines', () => lines().length === crowd);
    const by = (reason: string) => lines().filter((line) => line.reason === reason).length;
    expect([by('done'), by('over_limit')]).toEqual([count, crowd - count]);
    expect(await waits('over_limit')).toBe(crowd - count);
    expect(await waiting()).toBe(0);
    expect(await metric(`anyport_endpoint_sessions{upstream="web",endpoint="${upstream.target}"}`)).toBe(0);
  });
});
