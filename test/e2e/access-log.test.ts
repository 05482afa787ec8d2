/** What the log says of sessions that were refused, cut, sent elsewhere or not recognised. */

import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon, type TestConfig } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { freePort } from '../support/ports.js';
import { runProgram } from '../support/process.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { describeWith } from '../support/tools.js';
import { eventually } from '../support/wait.js';

let daemon: Daemon;
const upstreams: Upstream[] = [];

async function serve(): Promise<Upstream> {
  const upstream = await listenTcp(echo);
  upstreams.push(upstream);
  return upstream;
}

async function start(config: TestConfig, flags: readonly string[] = []): Promise<void> {
  daemon = await startDaemon(config, { flags });
}

afterEach(async () => {
  await daemon.stop();
  for (const upstream of upstreams.splice(0)) await upstream.close();
});

async function say(bytes: string | Uint8Array): Promise<Peer> {
  return (await dial(daemon.port)).send(bytes);
}

async function served(): Promise<Peer> {
  const client = await say(redisPing);
  await client.bytes(redisPing.length);
  return client;
}

const linesThat = (msg: string) => daemon.lines.filter((line) => line.msg === msg);

describe.each(['reuseport', 'handoff'])('over max_connections, accept %s', (accept) => {
  test('the refused has a line, with its address and the limit', async () => {
    const { target } = await serve();
    await start({ server: { max_connections: 1, accept }, protocols: [{ name: 'Redis', target }] });
    await served();
    const late = await dial(daemon.port).catch(() => null);
    const [line] = await daemon.ended(1);
    if (late !== null) expect(line?.source).toBe(late.address);
    expect(line).toMatchObject({
      reason: 'over_limit',
      by: 'proxy',
      during: 'admit',
      error: 'max_connections',
      protocol: null,
    });
  });
});

test('a crowd that is refused leaves few lines, which say how many they stand for', async () => {
  const CROWD = 300;
  const { target } = await serve();
  await start({ server: { max_connections: 1 }, protocols: [{ name: 'Redis', target }] });
  const inside = await served();
  await Promise.all(Array.from({ length: CROWD }, () => dial(daemon.port).catch(() => null)));
  await daemon.metricBecomes('anyport_refused_total', CROWD);
  inside.finish();
  await daemon.sessionOf(inside);
  const lines = () => daemon.sessions.filter(({ reason }) => reason === 'over_limit');
  const dropped = () => daemon.metric('anyport_log_lines_dropped_total');
  // Those that are held back are told when their second is over.
  await eventually('all refusals', async () => lines().length + (await dropped()) >= CROWD);
  const refused = lines();
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.length + (await dropped())).toBe(CROWD);
  // Later lines carry the number suppressed before them.
  const told = refused.reduce(
    (sum, line) => sum + Number((line as { suppressed?: number }).suppressed ?? 0),
    0,
  );
  expect(told).toBeLessThanOrEqual(await dropped());
});

describeWith('prlimit')('out of files', () => {
  test('the refused has a line that says so', async () => {
    const { target } = await serve();
    await start({ protocols: [{ name: 'Redis', target }] });
    await served();
    // Descriptors are allocated from the lowest free number, and only few are free below the highest in use.
    const highest = Math.max(...readdirSync(`/proc/${daemon.pid}/fd`).map(Number));
    await runProgram('prlimit', [`--pid=${daemon.pid}`, `--nofile=${highest + 1}:`]);
    await Promise.all(Array.from({ length: 400 }, () => dial(daemon.port).catch(() => null)));
    const line = await eventually('a refusal', () =>
      daemon.sessions.find(({ reason }) => reason === 'over_limit'),
    );
    expect(line.error).toMatch(/^(EMFILE|ENFILE)$/);
    await runProgram('prlimit', [`--pid=${daemon.pid}`, '--nofile=4096:']);
  });
});

describe('endpoints that can not be reached', () => {
  test('the only one: the session names it, and what the kernel said', async () => {
    const target = `127.0.0.1:${await freePort()}`;
    await start({ protocols: [{ name: 'Redis', target }] });
    const client = await say(redisPing);
    await client.end();
    expect(await daemon.sessionOf(client)).toMatchObject({
      reason: 'connect_failed',
      upstream: 'Redis',
      endpoint: target,
      error: 'ECONNREFUSED',
    });
  });

  test('one of two: a line when it turns, and when it turns back; sessions do not suffer', async () => {
    const alive = await serve();
    const port = await freePort();
    const dead = `127.0.0.1:${port}`;
    await start({ protocols: [{ name: 'Redis', target: `${dead},${alive.target}` }] });
    const SESSIONS = 10;
    const all = async () => {
      for (let n = 0; n < SESSIONS; n += 1) (await served()).finish();
    };
    await all();
    for (const line of await daemon.ended(SESSIONS)) {
      expect(line).toMatchObject({ reason: 'done', endpoint: alive.target });
      expect(line.error).toBeUndefined();
    }
    expect(linesThat('an endpoint can not be reached')).toEqual([
      expect.objectContaining({ level: 'warn', upstream: 'Redis', endpoint: dead, error: 'ECONNREFUSED' }),
    ]);

    const { createServer } = await import('node:net');
    const back = createServer((socket) => socket.pipe(socket)).listen(port, '127.0.0.1');
    await all();
    await daemon.ended(2 * SESSIONS);
    expect(linesThat('an endpoint is reached again')).toEqual([
      expect.objectContaining({ level: 'info', upstream: 'Redis', endpoint: dead }),
    ]);
    await new Promise((resolve) => back.close(resolve));
    await all();
    await daemon.ended(3 * SESSIONS);
    expect(linesThat('an endpoint can not be reached')).toHaveLength(2);
  });
});

describe('a session that the configuration rejects names what says so', () => {
  const config = (port: number, silence: string): TestConfig => ({
    listeners: [
      {
        name: 'front',
        address: `127.0.0.1:${port}`,
        on_unknown: 'reset',
        on_silence: { after: silence, to: 'close' },
      },
    ],
    protocols: [{ name: 'Redis', target: 'reset' }, { name: 'HTTP', target: '127.0.0.1:1' }, { name: 'SSH' }],
    routes: [
      { when: { host: 'allowed.example' }, to: 'HTTP' },
      { when: { host: 'evil.example' }, to: 'close' },
    ],
  });
  const rows = [
    {
      why: 'a route',
      bytes: 'GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n',
      says: { reason: 'rejected', route: 'routes[1]' },
    },
    {
      why: "a protocol's own target",
      bytes: redisPing,
      says: { reason: 'rejected', route: 'protocols.Redis' },
    },
    { why: 'silence', bytes: '', says: { reason: 'rejected', route: 'on_silence' } },
    {
      why: 'a route whose facts can not be read',
      bytes: 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
      says: { reason: 'rejected', route: 'routes[0]', error: expect.stringContaining('fact') },
    },
  ];
  test.each(rows)('$why', async ({ bytes, says }) => {
    const port = await freePort();
    await start(config(port, bytes === '' ? '50ms' : '9m'));
    const client = await dial(port);
    if (bytes !== '') client.send(bytes);
    await client.end();
    expect(await daemon.sessionOf(client)).toMatchObject(says);
  });

  test('what is not rejected has no such field', async () => {
    const { target } = await serve();
    await start({ protocols: [{ name: 'Redis', target }] });
    const client = await served();
    client.finish();
    const line = await daemon.sessionOf(client);
    for (const field of ['route', 'error', 'opening', 'session']) expect(line).not.toHaveProperty(field);
  });
});

describe('what was not recognised shows its first 32 bytes', () => {
  const noise = Buffer.from(Array.from({ length: 100 }, (_, n) => (n === 0 ? 0xf3 : n)));
  const opening = noise.subarray(0, 32).toString('hex');

  test('when it is closed', async () => {
    await start({ protocols: [{ name: 'SSH', target: '127.0.0.1:1' }] });
    const client = (await say(noise)).finish();
    await client.end();
    expect(await daemon.sessionOf(client)).toMatchObject({ protocol: null, opening });
  });

  test('when it is fewer', async () => {
    await start({ protocols: [{ name: 'SSH', target: '127.0.0.1:1' }] });
    const client = (await say('\x00\x01')).finish();
    await client.end();
    expect(await daemon.sessionOf(client)).toMatchObject({ opening: '0001' });
  });

  test('when the client resets before it is decided', async () => {
    await start({ protocols: [{ name: 'SSH', target: '127.0.0.1:1' }] });
    const client = await say('SSH');
    await daemon.metricBecomes('anyport_sessions_active', 1);
    client.reset();
    expect(await daemon.sessionOf(client)).toMatchObject({
      reason: 'client_gone',
      opening: Buffer.from('SSH').toString('hex'),
    });
  });

  test('when it goes to an upstream all the same', async () => {
    const port = await freePort();
    const { target } = await serve();
    await start({
      listeners: [{ name: 'front', address: `127.0.0.1:${port}`, on_unknown: 'rest' }],
      protocols: [{ name: 'SSH', target: '127.0.0.1:1' }],
      upstreams: { rest: { endpoints: [{ address: target }] } },
    });
    const client = (await dial(port)).send(noise).finish();
    await client.end();
    expect(client.received.equals(noise)).toBe(true);
    expect(await daemon.sessionOf(client)).toMatchObject({ reason: 'done', upstream: 'rest', opening });
  });
});

test('debug shows the stages of a session, tied together', async () => {
  const { target } = await serve();
  const dead = `127.0.0.1:${await freePort()}`;
  const endpoints = [dead, { address: target, backup: true }];
  const protocols = [{ name: 'Redis', target: 'store' }];
  await start({ protocols, upstreams: { store: { endpoints } } }, ['--log-level', 'debug']);
  const client = await served();
  client.finish();
  const line = (await daemon.sessionOf(client)) as { session?: string };
  const stages = linesThat('stage').filter(({ session }) => session === line.session);
  expect(stages.map(({ stage }) => stage)).toEqual([
    'sniff',
    'classify',
    'route',
    'connect',
    'connect',
    'connect',
    'relay',
  ]);
  expect(stages[1]).toMatchObject({ level: 'debug', protocol: 'redis', source: client.address });
  expect(stages[2]).toMatchObject({ route: 'protocols.Redis', upstream: 'store' });
  expect(stages[4]).toMatchObject({ endpoint: dead, error: 'ECONNREFUSED' });
  expect(stages[6]).toMatchObject({ endpoint: target, connect_ms: expect.any(Number) });
});

describe.each(['reuseport', 'handoff'])('the second signal, accept %s', (accept) => {
  test('each session that it cuts has its line', async () => {
    const SESSIONS = 50;
    const { target } = await serve();
    await start({
      server: { accept, workers: 2, graceful_shutdown_timeout: '60s' },
      protocols: [{ name: 'Redis', target }],
    });
    const clients = await Promise.all(Array.from({ length: SESSIONS }, () => served()));
    daemon.signal('SIGTERM');
    await eventually('draining', () => linesThat('draining').length > 0);
    daemon.signal('SIGTERM');
    expect(await daemon.exit()).toBe(1);
    const cut = daemon.sessions.filter(({ reason }) => reason === 'admin');
    expect(new Set(cut.map(({ source }) => source))).toEqual(new Set(clients.map(({ address }) => address)));
    expect(cut[0]).toMatchObject({ by: 'admin', during: 'relay', bytes_up: redisPing.length });
    expect(daemon.lines.at(-1)).toMatchObject({ msg: 'stopped before every session had ended' });
    await Promise.all(clients.map((client) => client.end()));
  });
});
