/** Endpoints behind squid, Dante and `ssh -D`: sessions go through them as if they were not there, and fail as they say. */
import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readProxyHeader } from '../../../src/protocols/proxy-header.js';
import { type Daemon, type SessionLine, startDaemon } from '../../support/daemon.js';
import { danteConnects, danteTools, startDante } from '../../support/dante.js';
import { freePort } from '../../support/ports.js';
import type { RealServer } from '../../support/real-servers.js';
import { squidRequests, squidTools, startSquid } from '../../support/squid.js';
import { type SshSocks, sshSocksTools, startSshSocks } from '../../support/ssh-socks.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../../support/tcp.js';
import { describeAsRoot, describeWith } from '../../support/tools.js';
import { eventually } from '../../support/wait.js';

const users = { alice: 'p@ss:/%w' };
const credentials = 'alice:p%40ss%3A%2F%25w';
/** Only the proxies know it. */
const hosts = { 'web.test': '127.0.0.1' };
const refused = ['evil.test'];

let squid: RealServer;
let dante: RealServer;
let ssh: SshSocks;
let server: Upstream;
const open: { stop(): Promise<unknown> }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each.stop();
});

type Forwarding = Daemon & { readonly front: number };

/** A port that leads to these endpoints, whoever speaks first. */
async function through(
  via: unknown,
  endpoints: readonly unknown[],
  options: object = {},
): Promise<Forwarding> {
  const front = await freePort();
  const daemon = await startDaemon({
    forwards: [{ name: 'front', listen: `127.0.0.1:${front}`, target: 'far' }],
    upstreams: { far: { endpoints, via, ...options } },
  });
  open.push(daemon);
  return Object.assign(daemon, { front });
}

async function served(serve: (peer: Peer) => void): Promise<Upstream> {
  const upstream = await listenTcp(serve);
  open.push({ stop: () => upstream.close() });
  return upstream;
}

/** A session that may be reset before its client knows that it is connected. */
async function lost(daemon: Forwarding): Promise<SessionLine> {
  const before = daemon.sessions.length;
  const socket = connect(daemon.front, '127.0.0.1').on('error', () => {});
  socket.write('lost');
  const lines = await daemon.ended(before + 1);
  socket.destroy();
  return lines[before] as SessionLine;
}

const named = (port: number) => `web.test:${port}`;
const urlOf = (scheme: string, { port }: { port: number }, who = '') => `${scheme}://${who}127.0.0.1:${port}`;

describeAsRoot('real proxies', () => {
  describeWith(
    ...squidTools,
    ...danteTools,
    ...sshSocksTools,
  )('on the way', () => {
    beforeAll(async () => {
      [squid, dante, ssh] = await Promise.all([
        startSquid({ users, hosts, refused }),
        startDante({ users, hosts, refused: ['127.0.0.9/32'] }),
        startSshSocks(),
      ]);
      server = await listenTcp(echo);
    }, 60_000);

    afterAll(async () => {
      await server.close();
      await ssh.stop();
      await squid.remove();
      await dante.remove();
    });

    const http = () => urlOf('http', squid, `${credentials}@`);
    const socks = () => urlOf('socks5h', dante, `${credentials}@`);

    const ways = [
      { name: 'HTTP CONNECT with a user', via: () => http() },
      { name: 'SOCKS5 with a user', via: () => socks(), passesHalfCloses: true },
      {
        name: 'SOCKS5 without one',
        via: () => urlOf('socks5', ssh),
        endpoint: 'localhost',
        passesHalfCloses: true,
      },
      { name: 'SOCKS4a', via: () => urlOf('socks4a', ssh), endpoint: 'localhost', passesHalfCloses: true },
      { name: 'HTTP, then SOCKS5', via: () => [http(), socks()] },
      { name: 'SOCKS5, then HTTP', via: () => [socks(), http()] },
      { name: 'four of them', via: () => [urlOf('socks4a', ssh), socks(), http(), { url: socks() }] },
    ];

    describe.each(ways)('$name', ({ via, endpoint = 'web.test', passesHalfCloses = false }) => {
      test('bytes go there and come back, under the name of the endpoint', async () => {
        const target = `${endpoint}:${server.port}`;
        const daemon = await through(via(), [target]);
        const client = await dial(daemon.front);
        client.send('who is there?');
        expect((await client.bytes(13)).toString()).toBe('who is there?');
        client.finish();
        expect(await client.end()).toBe('fin');
        expect(await daemon.sessionOf(client)).toMatchObject({
          ...{ upstream: 'far', endpoint: target, reason: 'done', bytes_up: 13, bytes_down: 13 },
        });
        expect(await daemon.metric('anyport_connect_failures_total')).toBe(0);
      });

      test('a server that speaks first', async () => {
        const banner = '220 ready\r\n';
        const talker = await served((peer) => {
          peer.send(banner);
          peer.socket.once('end', () => peer.send('late').finish());
        });
        const daemon = await through(via(), [`${endpoint}:${talker.port}`]);
        const client = await dial(daemon.front);
        expect((await client.bytes(banner.length)).toString()).toBe(banner);
        client.finish();
        await client.end();
        // squid closes the whole tunnel then.
        if (passesHalfCloses) expect(client.received.toString()).toBe(`${banner}late`);
        expect(await daemon.sessionOf(client)).toMatchObject({ during: 'relay' });
      });

      test('20 MB up and down, compared by hash', async () => {
        const daemon = await through(via(), [`${endpoint}:${server.port}`]);
        const sent = randomBytes(20_000_000);
        const client = await dial(daemon.front);
        client.send(sent);
        await client.bytes(sent.length);
        client.finish();
        expect(await client.end()).toBe('fin');
        expect(hashOf(client.received)).toBe(hashOf(sent));
        expect(await daemon.sessionOf(client)).toMatchObject({
          ...{ reason: 'done', bytes_up: sent.length, bytes_down: sent.length },
        });
      }, 60_000);
    });

    test('names and users are as the proxies have seen them', async () => {
      const target = named(server.port);
      const daemon = await through([http(), socks()], [target]);
      const [asked, made] = [squidRequests(squid).length, danteConnects(dante).length];
      const client = (await dial(daemon.front)).send('x');
      await client.bytes(1);
      client.finish();
      await client.end();
      await eventually(
        'both in their logs',
        () => squidRequests(squid).length > asked && danteConnects(dante).length > made,
      );
      expect(squidRequests(squid).slice(asked)).toEqual([
        { status: 200, method: 'CONNECT', target: `127.0.0.1:${dante.port}`, user: 'alice' },
      ]);
      expect(danteConnects(dante).slice(made)).toMatchObject([{ user: 'alice' }]);
    });

    test('a PROXY header is the first that the endpoint hears, and says who the client is', async () => {
      const hears = await served(() => {});
      const daemon = await through([http(), socks()], [named(hears.port)], { proxy_protocol: 'v2' });
      const client = (await dial(daemon.front)).send('hello');
      const peer = await hears.peer(0);
      const header = await eventually('header and bytes', () => {
        const answer = readProxyHeader(peer.received, 'tcp');
        return answer.verdict === 'header' && peer.length >= answer.header.headerBytes + 5
          ? answer.header
          : undefined;
      });
      expect(header.addresses?.source).toBe(client.address);
      expect(peer.received.subarray(header.headerBytes).toString()).toBe('hello');
    });

    test('connections to the proxy are opened ahead, and each is asked when it is used', async () => {
      const daemon = await through(http(), [named(server.port)], { pool: { warm: 2, max_idle: '30s' } });
      const asked = squidRequests(squid).length;
      for (let n = 0; n < 4; n += 1) {
        const client = (await dial(daemon.front)).send('once');
        await client.bytes(4);
        client.finish();
        await client.end();
        await eventually(
          'a connection that waits',
          async () => (await daemon.metric('anyport_pool_connections', { state: 'idle' })) > 0,
        );
      }
      expect(await daemon.metric('anyport_pool_hits_total')).toBeGreaterThanOrEqual(3);
      await eventually('all in the log', () => squidRequests(squid).length === asked + 4);
    });

    describe('what a proxy refuses is a failure to connect, with what it says', () => {
      const refusals = [
        {
          name: 'a destination, HTTP',
          via: http,
          endpoint: () => `evil.test:${server.port}`,
          error: () => `via 127.0.0.1:${squid.port}: answers 403 Forbidden`,
        },
        {
          name: 'a password, HTTP',
          via: () => urlOf('http', squid, 'alice:wrong@'),
          error: () => `via 127.0.0.1:${squid.port}: answers 407 Proxy Authentication Required`,
        },
        {
          name: 'nobody, HTTP',
          via: () => urlOf('http', squid),
          error: () => `via 127.0.0.1:${squid.port}: answers 407 Proxy Authentication Required`,
        },
        {
          name: 'a destination, SOCKS5',
          via: socks,
          endpoint: () => `127.0.0.9:${server.port}`,
          error: () => `via 127.0.0.1:${dante.port}: answers 2, not allowed`,
        },
        {
          name: 'a password, SOCKS5',
          via: () => urlOf('socks5', dante, 'alice:wrong@'),
          error: () => `via 127.0.0.1:${dante.port}: refuses user and password`,
        },
        {
          name: 'nobody, SOCKS5',
          via: () => urlOf('socks5', dante),
          error: () =>
            `via 127.0.0.1:${dante.port}: wants authentication, and no user and password are configured`,
        },
        {
          name: 'another protocol',
          via: () => urlOf('http', dante),
          error: () => `via 127.0.0.1:${dante.port}: ECONNRESET`,
        },
        {
          name: 'the second proxy',
          via: () => [http(), urlOf('socks5', dante, 'alice:wrong@')],
          error: () => `via 127.0.0.1:${dante.port}: refuses user and password`,
        },
      ];
      test.each(refusals)('$name', async ({ via, endpoint = () => named(server.port), error }) => {
        const daemon = await through(via(), [endpoint()]);
        const client = (await dial(daemon.front)).send('lost?');
        expect(await client.end()).toBe('reset');
        expect(await daemon.sessionOf(client)).toMatchObject({
          ...{ by: 'upstream', during: 'connect', reason: 'connect_failed', error: error(), bytes_up: 0 },
          ...{ upstream: 'far', endpoint: endpoint() },
        });
        expect(await daemon.metric('anyport_connect_failures_total', { reason: 'connect_failed' })).toBe(1);
        expect((await daemon.line('an endpoint can not be reached')).error).toBe(error());
      });

      test('an endpoint that refuses connections, by both', async () => {
        const closed = await freePort();
        for (const [via, says] of [
          [http(), /answers 503 Service Unavailable$/],
          [socks(), /answers 5, connection refused$/],
        ] as const) {
          const daemon = await through(via, [named(closed)]);
          const client = (await dial(daemon.front)).send('x');
          expect(await client.end()).toBe('reset');
          expect((await daemon.sessionOf(client)).error).toMatch(says);
        }
      });

      test('another endpoint is tried, and gets the first bytes once', async () => {
        const endpoints = [
          { address: `evil.test:${server.port}` },
          { address: named(server.port), backup: true },
        ];
        const daemon = await through(http(), endpoints);
        for (let n = 1; n <= 4; n += 1) {
          const client = (await dial(daemon.front)).send('once');
          expect((await client.bytes(4)).toString()).toBe('once');
          client.finish();
          expect(await daemon.sessionOf(client)).toMatchObject({ endpoint: named(server.port), bytes_up: 4 });
          expect(await daemon.metric('anyport_connect_failures_total')).toBe(n);
        }
      });
    });

    test('only what is about an endpoint is held against it', async () => {
      const closed = await freePort();
      const options = { passive_health: { max_fails: 1, eject: '1h', max_ejected: 100 }, retries: 0 };
      const wrong = await through(urlOf('http', squid, 'alice:wrong@'), [named(server.port)], options);
      for (let n = 0; n < 3; n += 1) expect((await lost(wrong)).error).toMatch(/ 407 /);
      const none = await through(urlOf('http', { port: closed }), [named(server.port)], options);
      for (let n = 0; n < 3; n += 1)
        expect((await lost(none)).error).toBe(`via 127.0.0.1:${closed}: ECONNREFUSED`);
      const dead = await through(http(), [named(closed), named(server.port)], options);
      // One of two is for the one that is closed.
      const clients = [1, 2].map(() => connect(dead.front, '127.0.0.1').on('error', () => {}));
      expect(await dead.line('endpoint is ejected: its sessions failed too often')).toMatchObject({
        endpoint: named(closed),
      });
      for (const client of clients) client.destroy();
      for (const daemon of [wrong, none])
        expect(daemon.lines.map(({ msg }) => msg).join()).not.toContain('endpoint is ejected');
    });

    test('a proxy that dies takes its sessions with it, and the next ones find it when it is back', async () => {
      const proxy = await startSquid({ hosts });
      open.push({ stop: () => proxy.remove() });
      const daemon = await through(urlOf('http', proxy), [named(server.port)]);
      const client = (await dial(daemon.front)).send('here');
      await client.bytes(4);
      await proxy.down();
      await client.end();
      client.finish();
      expect(await daemon.sessionOf(client)).toMatchObject({ by: 'upstream', during: 'relay' });
      expect((await lost(daemon)).error).toBe(`via 127.0.0.1:${proxy.port}: ECONNREFUSED`);
      await proxy.up();
      const again = (await dial(daemon.front)).send('back');
      await again.bytes(4);
      await daemon.line('an endpoint is reached again');
    });

    test('a proxy that hangs is waited for as long as dial_timeout', async () => {
      const proxy = await startSquid({ hosts });
      open.push({ stop: () => proxy.remove() });
      const daemon = await through(urlOf('http', proxy), [named(server.port)], {
        dial_timeout: '300ms',
        retries: 0,
      });
      proxy.freeze();
      const client = (await dial(daemon.front)).send('x');
      expect(await client.end()).toBe('reset');
      expect(await daemon.sessionOf(client)).toMatchObject({
        ...{ by: 'timeout', reason: 'connect_timeout', error: `via 127.0.0.1:${proxy.port}: ETIMEDOUT` },
      });
      proxy.thaw();
    });

    describe('health checks go the same way', () => {
      const check = { type: 'tcp', interval: '100ms', timeout: '1s', rise: 1, fall: 2, jitter: 0 };

      test.each(ways)('$name', async ({ via, endpoint = 'web.test' }) => {
        const port = await freePort();
        const target = `${endpoint}:${port}`;
        const hears = await listenTcp(echo, '127.0.0.1', port);
        const rounds = [{ send: 'PING\r\n', expect: 'PING\r\n' }];
        const daemon = await through(via(), [target], {
          health_check: { ...check, type: 'send_expect', rounds },
        });
        await hears.peer(2);
        await daemon.metricBecomes('anyport_endpoint_up', 1, { endpoint: target });
        const before = daemon.lines.length;
        await hears.close();
        const down = await daemon.line('endpoint is down', before);
        expect(down.endpoint).toBe(target);
        expect(down.why).toMatch(/^via 127\.0\.0\.1:\d+: (?:answers |closed )/);
        const back = await listenTcp(echo, '127.0.0.1', port);
        await daemon.line('endpoint is up', daemon.lines.indexOf(down));
        await daemon.stop();
        await back.close();
      });

      test('what the proxy says is why', async () => {
        const daemon = await through(urlOf('http', squid, 'alice:wrong@'), [named(server.port)], {
          health_check: check,
        });
        expect((await daemon.line('endpoint is down')).why).toBe(
          `via 127.0.0.1:${squid.port}: answers 407 Proxy Authentication Required`,
        );
      });

      test('another port of the endpoint is asked for at the proxy', async () => {
        const asked = squidRequests(squid).length;
        const closed = await freePort();
        const daemon = await through(http(), [named(closed)], {
          health_check: { ...check, port: server.port },
        });
        await eventually('an answer', () => squidRequests(squid).length > asked);
        expect(squidRequests(squid).at(-1)).toMatchObject({ status: 200, target: named(server.port) });
        expect(daemon.lines.map(({ msg }) => msg)).not.toContain('endpoint is down');
      });
    });
  });
});

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
