/** Routes by what the first bytes say: SNI, ALPN, host, source, listener; and what happens when none takes a session. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { sshBanner } from '../support/flights.js';
import { freePort } from '../support/ports.js';
import { runProgram } from '../support/process.js';
import { type RealServer, startHttps } from '../support/servers.js';
import { dial, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { describeWith } from '../support/tools.js';

describeWith('openssl', 'nginx')('tls', () => {
  let servers: Record<'wild' | 'exact' | 'h2' | 'rest', RealServer>;
  let daemon: Daemon;

  beforeAll(async () => {
    const [wild, exact, h2, rest] = await Promise.all(
      ['wild', 'exact', 'h2', 'rest'].map((name) => startHttps(`${name}.test`)),
    );
    if (!wild || !exact || !h2 || !rest) throw new Error('a server is missing');
    servers = { wild, exact, h2, rest };
    daemon = await startDaemon({
      routes: [
        { when: { protocol: 'tls', sni: '*.example.com', alpn: 'h2' }, to: 'h2' },
        { when: { protocol: 'tls', sni: '*.example.com' }, to: 'wild' },
        { when: { protocol: 'tls', sni: 'one.test' }, to: 'exact' },
        { when: { protocol: 'tls', sni: 'refused.test' }, to: 'reset' },
      ],
      protocols: [{ name: 'TLS', target: 'rest' }],
      upstreams: Object.fromEntries(
        Object.entries(servers).map(([name, { target }]) => [name, { endpoints: [target] }]),
      ),
    });
  });

  afterAll(async () => {
    await daemon.stop();
    await Promise.all(Object.values(servers).map((server) => server.stop()));
  });

  const handshake = (...args: string[]) =>
    runProgram('openssl', ['s_client', '-connect', `127.0.0.1:${daemon.port}`, ...args]);

  const cases = [
    { why: 'a name below the wildcard', args: ['-servername', 'a.example.com'], to: 'wild' },
    { why: 'letter case does not matter', args: ['-servername', 'A.Example.COM'], to: 'wild' },
    {
      why: 'the wildcard and ALPN',
      args: ['-servername', 'a.example.com', '-alpn', 'h2,http/1.1'],
      to: 'h2',
    },
    { why: 'an exact name', args: ['-servername', 'one.test'], to: 'exact' },
    { why: 'another name', args: ['-servername', 'elsewhere.test'], to: 'rest' },
    { why: 'no name', args: ['-noservername'], to: 'rest' },
    { why: 'TLS 1.2', args: ['-servername', 'one.test', '-tls1_2'], to: 'exact' },
  ];
  test.each(cases)('$why → $to', async ({ args, to }) => {
    const before = daemon.sessions.length;
    const { stdout } = await handshake(...args);
    expect(stdout).toContain(`CN = ${to}.test`);
    expect((await daemon.ended(before + 1)).at(-1)).toMatchObject({ protocol: 'tls', upstream: to });
  });

  test('a route to reset', async () => {
    const before = daemon.sessions.length;
    const { stdout } = await handshake('-servername', 'refused.test');
    expect(stdout).not.toContain('CN =');
    expect((await daemon.ended(before + 1)).at(-1)).toMatchObject({
      facts: { sni: 'refused.test' },
      reason: 'rejected',
      during: 'route',
    });
  });
});

describe('http', () => {
  let upstreams: Record<'api' | 'near' | 'back' | 'rest', Upstream>;
  let daemon: Daemon;
  let front: number;
  let back: number;

  beforeAll(async () => {
    const answer = (name: string) => listenTcp((peer) => void peer.send(name).finish());
    upstreams = {
      api: await answer('api'),
      near: await answer('near'),
      back: await answer('back'),
      rest: await answer('rest'),
    };
    front = await freePort();
    back = await freePort();
    daemon = await startDaemon({
      listeners: [
        { name: 'front', address: `127.0.0.1:${front}`, on_unknown: 'reset' },
        { name: 'back', address: `127.0.0.1:${back}`, on_unknown: 'rest' },
      ],
      routes: [
        {
          when: { protocol: ['webdav', 'http'], listener: ['back', 'front'], path: ['/admin', '/admin/*'] },
          to: 'reset',
        },
        { when: { protocol: 'http', host: ['api.example.com', 'v2.example.com'] }, to: 'api' },
        { when: { protocol: 'http', source: ['127.0.0.8/30'] }, to: 'near' },
        { when: { protocol: 'http', listener: 'back' }, to: 'back' },
      ],
      protocols: [{ name: 'HTTP', target: 'rest' }],
      upstreams: Object.fromEntries(
        Object.entries(upstreams).map(([name, { target }]) => [name, { endpoints: [target] }]),
      ),
    });
  });
  afterAll(async () => {
    await daemon.stop();
    await Promise.all(Object.values(upstreams).map((upstream) => upstream.close()));
  });

  async function send(port: number, bytes: string, from?: string): Promise<Peer> {
    const client = await dial(port, from);
    client.send(bytes).finish();
    await client.end();
    return client;
  }

  const requestTo = (host: string): string => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

  const ask = async (port: number, host: string, from?: string): Promise<string> =>
    (await send(port, requestTo(host), from)).received.toString();

  test('by host, with or without a port', async () => {
    expect(await ask(front, 'api.example.com')).toBe('api');
    expect(await ask(front, 'API.example.com:8080')).toBe('api');
    expect(await ask(front, 'www.example.com')).toBe('rest');
  });

  test('by any host of a list', async () => expect(await ask(front, 'v2.example.com')).toBe('api'));

  test.each([
    { path: '/admin', served: false },
    { path: '/admin/users?a=b', served: false },
    { path: '/%61dmin', served: false },
    { path: '/static/../admin', served: false },
    { path: '/administrator', served: true },
    { path: `/a?${'b'.repeat(2000)}`, served: true },
  ])('by path: $path, served: $served', async ({ path, served }) => {
    const client = await send(front, `GET ${path} HTTP/1.1\r\nHost: www.example.com\r\n\r\n`, '127.0.0.13');
    expect(client.received.toString()).toBe(served ? 'rest' : '');
    if (!served) expect(client.ending).toBe('reset');
  });

  test('by source', async () => {
    expect(await ask(front, 'www.example.com', '127.0.0.9')).toBe('near');
    expect(await ask(front, 'www.example.com', '127.0.0.12')).toBe('rest');
  });

  test('by listener', async () => {
    expect(await ask(back, 'www.example.com')).toBe('back');
    expect(await ask(back, 'api.example.com')).toBe('api');
  });

  test('nothing takes it: on_unknown says what becomes of it', async () => {
    const refused = await send(front, sshBanner, '127.0.0.6');
    expect(refused.ending).toBe('reset');
    expect(await daemon.sessionOf(refused)).toMatchObject({ protocol: 'ssh', reason: 'no_route' });
    const taken = await send(back, sshBanner, '127.0.0.7');
    expect(taken.received.toString()).toBe('rest');
    expect(await daemon.sessionOf(taken)).toMatchObject({ upstream: 'rest', reason: 'done' });
  });

  test('the access log says all of a session', async () => {
    const client = await send(front, requestTo('api.example.com'), '127.0.0.5');
    const line = await daemon.sessionOf(client);
    expect(line).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      level: 'info',
      msg: 'session',
      listener: 'front',
      protocol: 'http',
      facts: expect.objectContaining({ method: 'GET', path: '/', host: 'api.example.com' }),
      source: client.address,
      upstream: 'api',
      endpoint: upstreams.api.target,
      opening_bytes: requestTo('api.example.com').length,
      bytes_up: requestTo('api.example.com').length,
      bytes_down: 'api'.length,
      identify_ms: expect.any(Number),
      connect_ms: expect.any(Number),
      duration_ms: expect.any(Number),
      by: expect.any(String),
      during: 'relay',
      reason: 'done',
      worker: 0,
    });
  });
});
