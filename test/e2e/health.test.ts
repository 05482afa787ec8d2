/** Active checks on the built daemon: who gets new sessions, what is shown, what survives. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Backend, ping, startBackend, whoAnswers } from '../support/backends.js';
import { anyport, type Daemon, startDaemon } from '../support/daemon.js';
import { freePort } from '../support/ports.js';
import { dial } from '../support/tcp.js';
import { eventually, waited } from '../support/wait.js';

const INTERVAL_MS = 100;
const DIAL_MS = 60_000;
const check = { type: 'tcp', interval: '100ms', timeout: '500ms', rise: 2, fall: 3 };

let daemon: Daemon;
const backends: Backend[] = [];
afterAll(() => {
  for (const backend of backends) backend.kill();
});

async function three(): Promise<Backend[]> {
  const started = await Promise.all(['a', 'b', 'c'].map(startBackend));
  backends.push(...started);
  return started;
}

const configOf = (endpoints: readonly Backend[], upstream: object = {}, adminPort = 0) => ({
  ...(adminPort > 0 && { admin: { listen: `127.0.0.1:${adminPort}` } }),
  server: { dial_timeout: `${DIAL_MS}ms` },
  protocols: [{ name: 'Redis', target: 'cache' }],
  upstreams: {
    cache: { endpoints: endpoints.map(({ target }) => target), health_check: check, ...upstream },
  },
});

const linesOf = (message: string, endpoint: Backend, from = 0) =>
  daemon.lines.slice(from).filter((line) => line.msg === message && line.endpoint === endpoint.target);

/** The log may be behind the metrics. */
const said = (message: string, endpoint: Backend, from = 0) =>
  eventually(`the line "${message}"`, () => {
    const lines = linesOf(message, endpoint, from);
    return lines.length > 0 && lines;
  });

const isUp = (endpoint: Backend, wanted: 0 | 1) =>
  daemon.metricBecomes('anyport_endpoint_up', wanted, { endpoint: endpoint.target });

async function answers(count: number): Promise<string[]> {
  const names = await Promise.all(Array.from({ length: count }, () => whoAnswers(daemon.port)));
  return [...new Set(names.map(String))].toSorted();
}

describe('an endpoint that goes and comes back', () => {
  let [a, b, c]: Backend[] = [];
  let adminPort: number;
  beforeAll(async () => {
    [a, b, c] = await three();
    adminPort = await freePort();
    daemon = await startDaemon(configOf([a, b, c] as Backend[], {}, adminPort));
  });
  afterAll(() => daemon.stop());
  const list = async () => {
    const { stdout } = await anyport(['upstream', '--admin', `127.0.0.1:${adminPort}`]);
    return stdout;
  };

  test('all are up, and are shown so', async () => {
    expect(await answers(6)).toEqual(['a', 'b', 'c']);
    expect(await daemon.metric('anyport_endpoint_up')).toBe(3);
    await eventually(
      'checks',
      async () => (await daemon.metric('anyport_health_checks_total', { result: 'ok' })) >= 3,
    );
    expect(await list()).toMatch(/tcp: well, checked \d{4}-\d\d-\d\d \d\d:\d\d:\d\d in [\d.]+ ms/);
  });

  test('killed: told once with why, and new sessions go to the others alone', async () => {
    a?.kill();
    await isUp(a as Backend, 0);
    expect(await said('endpoint is down', a as Backend)).toMatchObject([
      { level: 'warn', upstream: 'cache', check: 'tcp', why: 'refused the connection' },
    ]);
    expect(await answers(6)).toEqual(['b', 'c']);
    const shown = await list();
    expect(shown).toMatch(/down +1 .* refused the connection, since \d/);
    const answer = await fetch(`http://127.0.0.1:${adminPort}/api/v1/upstreams/cache`);
    const { endpoints } = (await answer.json()) as { endpoints: object[] };
    expect(endpoints[0]).toMatchObject({
      ...{ name: a?.target, state: 'up', up: false, why: 'refused the connection' },
      health: {
        check: 'tcp',
        lastCheck: { well: false, words: 'refused the connection' },
        ejectedUntil: null,
      },
    });
    expect(endpoints[1]).toMatchObject({
      up: true,
      why: null,
      health: { lastCheck: { well: true, words: null } },
    });
    expect(await daemon.metric('anyport_health_checks_total', { result: 'failed' })).toBeGreaterThanOrEqual(
      3,
    );
    await sleep(3 * INTERVAL_MS);
    expect(linesOf('endpoint is down', a as Backend)).toHaveLength(1);
  });

  test('a reload with the same check keeps what is known, one with another check too', async () => {
    const from = daemon.lines.length;
    const all = [a, b, c] as Backend[];
    const other = { health_check: { ...check, rise: 1 } };
    expect((await daemon.reload(configOf(all, { retries: 1 }, adminPort))).msg).toMatch('reloaded');
    expect((await daemon.reload(configOf(all, other, adminPort))).msg).toMatch('reloaded');
    expect(await daemon.metric('anyport_endpoint_up', { endpoint: a?.target as string })).toBe(0);
    await sleep(3 * INTERVAL_MS);
    expect(daemon.lines.slice(from).filter(({ msg }) => /^endpoint is/.test(msg))).toEqual([]);
    expect(await answers(6)).toEqual(['b', 'c']);
    await daemon.reload(configOf(all, {}, adminPort));
  });

  test('back after `rise`, told once', async () => {
    const from = daemon.lines.length;
    await a?.start();
    await isUp(a as Backend, 1);
    const lines = await said('endpoint is up', a as Backend, from);
    expect(lines).toMatchObject([{ level: 'info', upstream: 'cache' }]);
    expect(Number(lines[0]?.down_ms)).toBeGreaterThan(waited(INTERVAL_MS));
    expect(await answers(6)).toEqual(['a', 'b', 'c']);
  });

  test('all down: no endpoint at once, told; then recovery', async () => {
    for (const each of [a, b, c]) each?.kill();
    await daemon.metricBecomes('anyport_endpoint_up', 0);
    const before = daemon.sessions.length;
    expect(await answers(4)).toEqual(['null']);
    const ended = (await daemon.ended(before + 4)).slice(before);
    for (const session of ended) {
      expect(session).toMatchObject({ reason: 'no_endpoint', during: 'pick', endpoint: null });
      expect(session.duration_ms).toBeLessThan(DIAL_MS / 2); // it waits for nothing
    }
    await daemon.line('upstream has no endpoint for new sessions');
    expect(
      daemon.lines.filter(({ msg }) => msg === 'upstream has no endpoint for new sessions'),
    ).toHaveLength(1);
    await b?.start();
    await isUp(b as Backend, 1);
    expect(await answers(4)).toEqual(['b']);
    await Promise.all([a?.start(), c?.start()]);
    await daemon.metricBecomes('anyport_endpoint_up', 3);
  });

  test('without its check nothing speaks against it', async () => {
    a?.kill();
    await isUp(a as Backend, 0);
    await daemon.reload(configOf([a, b, c] as Backend[], { health_check: undefined }, adminPort));
    await isUp(a as Backend, 1);
    // A session tries it, and then another.
    expect(await answers(6)).toEqual(['b', 'c']);
  });
});

test('a check of another port: that one decides, whoever listens on the port of the sessions', async () => {
  const [a, b] = (await three()) as [Backend, Backend];
  const port = Number(b.target.split(':').at(-1));
  daemon = await startDaemon(configOf([a], { health_check: { ...check, port } }));
  try {
    expect(await answers(2)).toEqual(['a']);
    b.kill();
    await isUp(a, 0);
    const client = (await dial(daemon.port)).send(ping);
    expect(await client.end()).toBe('reset');
    expect((await daemon.ended(3)).at(-1)).toMatchObject({ reason: 'no_endpoint' });
    await b.start();
    await isUp(a, 1);
    expect(await answers(2)).toEqual(['a']);
  } finally {
    await daemon.stop();
  }
});

describe('sessions of an endpoint that its check takes down', () => {
  let [a, b]: Backend[] = [];
  /** Down for checks, while its sessions go on. */
  const ailing = (backend: Backend) => backend.stopListening();
  afterAll(() => daemon.stop());

  const session = async () => {
    const client = await dial(daemon.port);
    client.send(ping);
    await client.bytes(4);
    return { client, name: client.received.toString().slice(1, 2) };
  };
  const four = () => Promise.all([session(), session(), session(), session()]);

  test('go on with `on_down: keep`', async () => {
    [a, b] = (await three()) as [Backend, Backend, Backend];
    daemon = await startDaemon(configOf([a, b] as Backend[]));
    const sessions = await four();
    ailing(a as Backend);
    await isUp(a as Backend, 0);
    await sleep(INTERVAL_MS);
    for (const { client } of sessions) {
      client.send(ping);
      await client.bytes(8);
      client.socket.destroy();
    }
    await a?.start();
    await isUp(a as Backend, 1);
  });

  test('are reset with `on_down: reset`, those of the others not', async () => {
    await daemon.reload(configOf([a, b] as Backend[], { on_down: 'reset' }));
    const before = daemon.sessions.length;
    const sessions = await four();
    ailing(a as Backend);
    const [hit, spared] = [
      sessions.filter(({ name }) => name === 'a'),
      sessions.filter(({ name }) => name === 'b'),
    ];
    expect([hit.length, spared.length]).toEqual([2, 2]);
    for (const { client } of hit) expect(await client.end()).toBe('reset');
    for (const { client } of hit) {
      const line = await daemon.sessionOf(client);
      expect(line).toMatchObject({
        by: 'upstream',
        during: 'relay',
        reason: 'upstream_gone',
        endpoint: a?.target,
      });
    }
    await sleep(2 * INTERVAL_MS);
    for (const { client } of spared) {
      client.send(ping);
      await client.bytes(8);
      client.socket.destroy();
    }
    await daemon.ended(before + 4);
    await daemon.booksBalance();
  });
});

describe('passive health', () => {
  let [a, b, c]: Backend[] = [];
  const passive = { max_fails: 3, window: '10s', eject: '400ms' };
  afterAll(() => daemon.stop());
  const config = (more: object = {}) =>
    configOf([a, b, c] as Backend[], { health_check: undefined, passive_health: passive, ...more });

  test('sessions that can not connect eject an endpoint, and none of them fails', async () => {
    [a, b, c] = await three();
    daemon = await startDaemon({ ...config(), server: { workers: 2 }, logging: { access_log: false } });
    a?.kill();
    expect(await answers(12)).toEqual(['b', 'c']);
    const [line] = await said('endpoint is ejected: its sessions failed too often', a as Backend);
    expect(line).toMatchObject({ level: 'warn', upstream: 'cache', for_ms: 400 });
    await a?.start();
    await said('endpoint is back from its ejection', a as Backend);
    await isUp(a as Backend, 1);
    await eventually('a to be asked', async () => (await answers(6)).includes('a'));
    expect(await daemon.metric('anyport_endpoint_ejections_total', { endpoint: a?.target as string })).toBe(
      1,
    );
  });

  test('one that takes requests and resets, or closes, without an answer is ejected, for twice as long', async () => {
    const from = daemon.lines.length;
    if (a) a.behave = (socket) => socket.once('data', () => socket.resetAndDestroy());
    await eventually('a to be ejected', async () => {
      await answers(3);
      return linesOf('endpoint is ejected: its sessions failed too often', a as Backend, from).length > 0;
    });
    expect(
      Number(
        (await said('endpoint is ejected: its sessions failed too often', a as Backend, from))[0]?.for_ms,
      ),
    ).toBeGreaterThanOrEqual(400);
    if (a) a.behave = (socket) => socket.once('data', () => socket.end());
    await said('endpoint is back from its ejection', a as Backend, from);
    const again = daemon.lines.length;
    await eventually('a to be ejected again', async () => {
      await answers(3);
      return linesOf('endpoint is ejected: its sessions failed too often', a as Backend, again).length > 0;
    });
    expect(await answers(6)).toEqual(['b', 'c']);
    if (a) a.behave = null;
  });

  test('all that fail are never ejected together', async () => {
    await isUp(a as Backend, 1);
    for (const each of [a, b, c]) if (each) each.behave = (socket) => socket.once('data', () => socket.end());
    for (let round = 0; round < 4; round += 1) {
      await answers(9);
      expect(await daemon.metric('anyport_endpoint_up')).toBeGreaterThanOrEqual(2);
    }
  });
});
