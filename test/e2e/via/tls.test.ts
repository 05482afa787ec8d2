/** Endpoints behind proxies that are spoken to in TLS (`https://`): squid, haproxy in front of it, and one that ends as it is told. */
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import type { TlsOptions } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Authority, authorityTools, type Identity } from '../../support/authority.js';
import { type Daemon, type StartOptions, startDaemon } from '../../support/daemon.js';
import { freePort } from '../../support/ports.js';
import { runProgram } from '../../support/process.js';
import type { RealServer } from '../../support/real-servers.js';
import { squidRequests, squidTools, startSquid } from '../../support/squid.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../../support/tcp.js';
import { startTlsFront, startTlsProxy, type TlsProxy, type Tunnel } from '../../support/tls-proxies.js';
import { describeAsRoot, describeWith } from '../../support/tools.js';
import { eventually } from '../../support/wait.js';

/** Only the proxies know it. */
const hosts = { 'web.test': '127.0.0.1' };
const NAMES = 'DNS:proxy.test,IP:127.0.0.1';

let authority: Authority;
let identity: Identity;
const open: { stop(): Promise<unknown> }[] = [];

beforeAll(async () => {
  authority = await Authority.create();
  identity = await authority.identity(NAMES);
});

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each.stop();
});

afterAll(() => authority.remove());

interface Way {
  readonly port: number;
  /** File of the authorities; null: none is named. */
  readonly ca?: string | null;
  readonly serverName?: string;
  readonly options?: object;
  readonly target?: string;
}

const configOf = (front: number, { port, ca, serverName, options, target = 'web.test:80' }: Way) => ({
  forwards: [{ name: 'front', listen: `127.0.0.1:${front}`, target: 'far' }],
  upstreams: {
    far: {
      endpoints: [target],
      via: {
        url: `https://127.0.0.1:${port}`,
        ...(ca !== null && { ca: ca ?? authority.file }),
        ...(serverName !== undefined && { server_name: serverName }),
      },
      ...options,
    },
  },
});

/** A port that leads through the proxy. */
async function through(way: Way, start: StartOptions = {}): Promise<Daemon & { readonly front: number }> {
  const front = await freePort();
  const daemon = await startDaemon(configOf(front, way), start);
  open.push(daemon);
  return Object.assign(daemon, { front });
}

async function served(serve?: (peer: Peer) => void): Promise<Upstream> {
  const upstream = await listenTcp(serve);
  open.push({ stop: () => upstream.close() });
  return upstream;
}

async function proxyWith(options: TlsOptions = {}, who = identity): Promise<TlsProxy> {
  const proxy = await startTlsProxy(who, options);
  open.push(proxy);
  return proxy;
}

async function end(client: Peer): Promise<void> {
  client.finish();
  expect(await client.end()).toBe('fin');
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const EJECTED = 'endpoint is ejected: its sessions failed too often';
/** One failure of the endpoint would show. */
const watched = { passive_health: { max_fails: 1, eject: '1h', max_ejected: 100 }, retries: 0 };

describeAsRoot('real proxies', () => {
  describeWith(
    ...squidTools,
    ...authorityTools,
    'haproxy',
  )('on the way', () => {
    let server: Upstream;
    let squid: RealServer;
    let plain: RealServer;
    let front: RealServer;

    beforeAll(async () => {
      server = await listenTcp(echo);
      [squid, plain] = await Promise.all([startSquid({ hosts, tls: 'squid.test' }), startSquid({ hosts })]);
      front = await startTlsFront(identity, plain.port);
    }, 60_000);

    afterAll(async () => {
      for (const each of [front, plain, squid]) await each.remove();
      await server.close();
    });

    const ways = [
      {
        name: 'squid',
        asked: () => squid,
        way: () => ({ port: squid.port, ca: `${squid.folder}/cert.pem`, serverName: 'squid.test' }),
      },
      { name: 'haproxy', asked: () => plain, way: () => ({ port: front.port }) },
    ];

    describe.each(ways)('$name', ({ way, asked }) => {
      const target = () => `web.test:${server.port}`;

      test('bytes go there and come back', async () => {
        const daemon = await through({ ...way(), target: target() });
        const client = (await dial(daemon.front)).send('who is there?');
        expect((await client.bytes(13)).toString()).toBe('who is there?');
        await end(client);
        expect(await daemon.sessionOf(client)).toMatchObject({
          ...{ upstream: 'far', endpoint: target(), reason: 'done', bytes_up: 13, bytes_down: 13 },
        });
        await eventually('it in the log', () =>
          squidRequests(asked()).some((each) => each.status === 200 && each.target === target()),
        );
      });

      test('a server that speaks first, and answers when its client has finished', async () => {
        const talker = await served((peer) => peer.send('220 ready\r\n'));
        const daemon = await through({ ...way(), target: `web.test:${talker.port}` });
        const client = await dial(daemon.front);
        await client.bytes(11);
        client.send('a question').finish();
        const peer = await talker.peer(0);
        await peer.bytes(10);
        // The daemon has seen the end by the time that somebody else is served.
        await (await dial(daemon.front)).bytes(11);
        peer.send('an answer').finish();
        expect(await client.end()).toBe('fin');
        expect(client.received.toString()).toBe('220 ready\r\nan answer');
        expect(await daemon.sessionOf(client)).toMatchObject({
          reason: 'done',
          bytes_up: 10,
          bytes_down: 20,
        });
      });

      test('20 MB up and down, compared by hash', async () => {
        const daemon = await through({ ...way(), target: target() });
        const sent = randomBytes(20_000_000);
        const client = (await dial(daemon.front)).send(sent).finish();
        await client.bytes(sent.length);
        expect(await client.end()).toBe('fin');
        expect(hashOf(client.received)).toBe(hashOf(sent));
        expect(await daemon.sessionOf(client)).toMatchObject({
          ...{ reason: 'done', bytes_up: sent.length, bytes_down: sent.length },
        });
      }, 60_000);

      test('connections that were opened ahead', async () => {
        const daemon = await through({
          ...way(),
          target: target(),
          options: { pool: { warm: 2, max_idle: '30s' } },
        });
        for (let n = 0; n < 3; n += 1) {
          const client = (await dial(daemon.front)).send('once');
          await client.bytes(4);
          client.reset();
          await eventually(
            'a connection that waits',
            async () => (await daemon.metric('anyport_pool_connections', { state: 'idle' })) > 0,
          );
        }
        expect(await daemon.metric('anyport_pool_hits_total')).toBeGreaterThanOrEqual(2);
        expect(await daemon.metric('anyport_connect_failures_total')).toBe(0);
      });

      test('of many at once nothing is left behind', async () => {
        const daemon = await through({ ...way(), target: target() });
        const files = () => readdirSync(`/proc/${daemon.pid}/fd`).length;
        const ask = async () => {
          const client = (await dial(daemon.front)).send('x'.repeat(20_000));
          await client.bytes(20_000);
          return client;
        };
        await end(await ask());
        await daemon.ended(1);
        const before = files();
        const clients = await Promise.all(Array.from({ length: 100 }, ask));
        expect(files()).toBeGreaterThanOrEqual(before + 400);
        await Promise.all(clients.map(end));
        await daemon.ended(101);
        await eventually('all descriptors to be closed', () => files() <= before);
      }, 60_000);
    });
  });
});

describeWith(...authorityTools, 'ss')('a proxy of the test', () => {
  test('tickets shorten the handshakes after the first', async () => {
    const proxy = await proxyWith();
    const daemon = await through({ port: proxy.port });
    for (let n = 0; n < 3; n += 1) {
      const client = (await dial(daemon.front)).send('x');
      const tunnel = await proxy.tunnel(n);
      expect(tunnel.secure.isSessionReused()).toBe(n > 0);
      expect(tunnel.target).toBe('web.test:80');
      await eventually('the byte', () => tunnel.received().length === 1);
      tunnel.secure.end();
      await end(client);
    }
  });

  test('keepalive probes are sent on the connection below', async () => {
    const proxy = await proxyWith();
    const daemon = await through({ port: proxy.port, options: { tcp: { keepalive: '30s' } } });
    (await dial(daemon.front)).send('x');
    await proxy.tunnel(0);
    const filter = ['-tnHo', 'state', 'established', `( dport = :${proxy.port} )`];
    // While a segment is under way its timer is the one of retransmissions.
    await eventually('a timer of keepalive probes', async () =>
      (await runProgram('ss', filter)).stdout.includes('timer:(keepalive,'),
    );
  });

  test('it is asked for by its name, and for HTTP/1.1', async () => {
    const proxy = await proxyWith({ ALPNProtocols: ['h2', 'http/1.1'] });
    const daemon = await through({ port: proxy.port, serverName: 'proxy.test' });
    (await dial(daemon.front)).send('x');
    const { secure } = await proxy.tunnel(0);
    expect(secure.alpnProtocol).toBe('http/1.1');
    expect(secure).toMatchObject({ servername: 'proxy.test' });
  });

  describe('what is wrong with its TLS is a failure to connect, with the reason', () => {
    interface Case {
      readonly name: string;
      readonly who?: () => Promise<Identity>;
      readonly options?: TlsOptions;
      readonly way?: Partial<Way>;
      readonly error: string;
    }
    const cases: readonly Case[] = [
      {
        name: 'a certificate that has expired',
        who: () => authority.identity(NAMES, -1),
        error: 'certificate has expired',
      },
      { name: 'one of another name', way: { serverName: 'other.test' }, error: 'hostname mismatch' },
      {
        name: 'one of another address',
        who: () => authority.identity('DNS:proxy.test,IP:127.0.0.2'),
        error: 'IP address mismatch',
      },
      {
        name: 'one that Node.js does not trust',
        way: { ca: null },
        error: 'unable to get local issuer certificate',
      },
      {
        name: 'a version that is too old',
        options: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
        error: 'alert protocol version',
      },
      {
        name: 'a certificate that it wants, TLS 1.2',
        options: { requestCert: true, maxVersion: 'TLSv1.2' },
        error: 'alert handshake failure',
      },
      {
        name: 'a certificate that it wants, TLS 1.3',
        options: { requestCert: true, minVersion: 'TLSv1.3' },
        error: 'alert certificate required',
      },
    ];
    test.each(cases)('$name', async ({ who, options, way, error }) => {
      const proxy = await proxyWith(options, await who?.());
      const daemon = await through({ port: proxy.port, options: { retries: 0 }, ...way });
      const client = (await dial(daemon.front)).send('secret');
      expect(await client.end()).toBe('reset');
      expect(await daemon.sessionOf(client)).toMatchObject({
        ...{ by: 'upstream', during: 'connect', reason: 'connect_failed', bytes_up: 0 },
        ...{ endpoint: 'web.test:80', error: `via 127.0.0.1:${proxy.port}: TLS: ${error}` },
      });
      expect(proxy.tunnels).toEqual([]);
      await daemon.booksBalance();
    });

    test('no TLS at all', async () => {
      const talker = await served((peer) =>
        peer.socket.once('data', () => peer.send('HTTP/1.1 400 Bad Request\r\n\r\n')),
      );
      const daemon = await through({ port: talker.port });
      const client = (await dial(daemon.front)).send('x');
      expect(await client.end()).toBe('reset');
      expect((await daemon.sessionOf(client)).error).toBe(
        `via 127.0.0.1:${talker.port}: TLS: wrong version number`,
      );
      expect((await talker.peer(0)).received.toString('latin1')).not.toContain('CONNECT');
    });

    const rude = [
      { name: 'resets', act: (peer: Peer) => peer.reset(), error: 'ECONNRESET' },
      { name: 'closes', act: (peer: Peer) => peer.finish(), error: 'TLS: unexpected eof while reading' },
    ];
    test.each(rude)('a proxy that $name in the handshake', async ({ act, error }) => {
      const server = await served((peer) => peer.socket.once('data', () => act(peer)));
      const daemon = await through({ port: server.port });
      const client = (await dial(daemon.front)).send('x');
      expect(await client.end()).toBe('reset');
      expect((await daemon.sessionOf(client)).error).toBe(`via 127.0.0.1:${server.port}: ${error}`);
    });

    test('a handshake is waited for as long as dial_timeout', async () => {
      const silent = await served();
      const daemon = await through({ port: silent.port, options: { dial_timeout: '300ms', ...watched } });
      const client = (await dial(daemon.front)).send('x');
      expect(await client.end()).toBe('reset');
      expect(await daemon.sessionOf(client)).toMatchObject({
        ...{ by: 'timeout', reason: 'connect_timeout', error: `via 127.0.0.1:${silent.port}: ETIMEDOUT` },
      });
      await (await silent.peer(0)).end();
    });

    test('none of it is held against the endpoint', async () => {
      const silent = await served();
      const refused = await proxyWith({}, await authority.identity(NAMES, -1));
      for (const { port } of [silent, refused]) {
        const daemon = await through({ port, options: { dial_timeout: '300ms', ...watched } });
        for (let n = 0; n < 2; n += 1) {
          const client = (await dial(daemon.front)).send('x');
          await client.end();
          expect((await daemon.sessionOf(client)).error).toMatch(/ETIMEDOUT|expired/);
        }
        expect(daemon.lines.map(({ msg }) => msg)).not.toContain(EJECTED);
      }
    });

    test('a client that leaves in the handshake takes the connection with it', async () => {
      const silent = await served();
      const daemon = await through({ port: silent.port });
      const client = (await dial(daemon.front)).send('x');
      const peer = await silent.peer(0);
      client.reset();
      await peer.end();
      expect(await daemon.sessionOf(client)).toMatchObject({ by: 'client', reason: 'client_gone' });
    });
  });

  describe('how a tunnel ends', () => {
    async function tunnelled(): Promise<{ daemon: Daemon; client: Peer; tunnel: Tunnel }> {
      const proxy = await proxyWith();
      const daemon = await through({ port: proxy.port });
      const client = (await dial(daemon.front)).send('hello');
      const tunnel = await proxy.tunnel(0);
      await eventually('the first bytes', () => tunnel.received().toString() === 'hello');
      return { daemon, client, tunnel };
    }
    const ending = (tunnel: Tunnel) => eventually('the end of the tunnel', tunnel.ending);

    test('close_notify of the proxy is the end of what it says, and the client goes on', async () => {
      const { daemon, client, tunnel } = await tunnelled();
      tunnel.secure.end('last');
      expect(await client.end()).toBe('fin');
      expect(client.received.toString()).toBe('last');
      client.send(', heard').finish();
      expect(await ending(tunnel)).toBe('end');
      expect(tunnel.received().toString()).toBe('hello, heard');
      expect(await daemon.sessionOf(client)).toMatchObject({ by: 'upstream', reason: 'done' });
    });

    test('a proxy that waits for the end of its client hears it, and goes on', async () => {
      const { daemon, client, tunnel } = await tunnelled();
      client.finish();
      expect(await ending(tunnel)).toBe('end');
      tunnel.secure.end('an answer');
      expect(await client.end()).toBe('fin');
      expect(client.received.toString()).toBe('an answer');
      expect(await daemon.sessionOf(client)).toMatchObject({ by: 'client', reason: 'done' });
    });

    test('an end without it has cut something short', async () => {
      const { daemon, client, tunnel } = await tunnelled();
      const words = randomBytes(300_000);
      tunnel.secure.write(words, () => tunnel.raw.destroy());
      expect(await client.end()).toBe('reset');
      expect(hashOf(client.received)).toBe(hashOf(words));
      expect(await daemon.sessionOf(client)).toMatchObject({ by: 'upstream', reason: 'reset' });
    });

    test('a reset of the proxy is one for the client', async () => {
      const { daemon, client, tunnel } = await tunnelled();
      tunnel.secure.write('before');
      await client.bytes(6);
      tunnel.raw.resetAndDestroy();
      expect(await client.end()).toBe('reset');
      expect(await daemon.sessionOf(client)).toMatchObject({
        ...{ by: 'upstream', reason: 'reset', bytes_down: 6 },
      });
    });

    test('a reset of the client is one for the proxy', async () => {
      const { daemon, client, tunnel } = await tunnelled();
      client.reset();
      expect(await ending(tunnel)).toBe('reset');
      expect(await daemon.sessionOf(client)).toMatchObject({ by: 'client', reason: 'reset' });
    });

    test('a proxy that is gone behind its last words has not heard the rest', async () => {
      const { daemon, client, tunnel } = await tunnelled();
      tunnel.secure.end('last');
      expect(await client.end()).toBe('fin');
      tunnel.raw.destroy();
      await eventually('the reset', () => client.send('unheard').socket.destroyed);
      expect(await daemon.sessionOf(client)).toMatchObject({ by: 'upstream', reason: 'reset' });
    });

    test('a proxy that does not read holds up its own client alone, and loses nothing', async () => {
      const proxy = await proxyWith();
      const daemon = await through({ port: proxy.port });
      const slow = (await dial(daemon.front)).send('hello');
      const tunnel = await proxy.tunnel(0);
      tunnel.secure.pause();
      const sent = randomBytes(64 << 20);
      slow.send(sent);
      const other = (await dial(daemon.front)).send('another');
      const beside = await proxy.tunnel(1);
      await eventually('its bytes', () => beside.received().toString() === 'another');
      other.reset();
      expect(slow.socket.writableLength).toBeGreaterThan(0);
      tunnel.secure.resume();
      await eventually('all of it', () => tunnel.received().length === 5 + sent.length);
      expect(hashOf(tunnel.received().subarray(5))).toBe(hashOf(sent));
    }, 60_000);
  });

  test('health checks go the same way, and trust the same authorities', async () => {
    const check = { type: 'tcp', interval: '100ms', timeout: '5s', rise: 1, fall: 1, jitter: 0 };
    const good = await proxyWith();
    const trusting = await through({ port: good.port, options: { health_check: check } });
    expect((await good.tunnel(2)).target).toBe('web.test:80');
    expect(await trusting.metric('anyport_endpoint_up', { endpoint: 'web.test:80' })).toBe(1);
    const bad = await proxyWith({}, await authority.identity(NAMES, -1));
    const doubting = await through({ port: bad.port, options: { health_check: check } });
    const down = await doubting.line('endpoint is down');
    expect(down.why).toMatch(new RegExp(`^via 127\\.0\\.0\\.1:${bad.port}: .*expired`));
    expect(bad.tunnels).toEqual([]);
  });

  describe('authorities', () => {
    test('where none are named, those of Node.js and of NODE_EXTRA_CA_CERTS', async () => {
      const proxy = await proxyWith();
      const way = { port: proxy.port, ca: null };
      const daemon = await through(way, { environment: { NODE_EXTRA_CA_CERTS: authority.file } });
      const client = (await dial(daemon.front)).send('x');
      (await proxy.tunnel(0)).secure.end();
      await end(client);
    });

    test('a reload trusts others from the next session on, whatever the tickets', async () => {
      const proxy = await proxyWith();
      const other = await Authority.create();
      open.push({ stop: async () => other.remove() });
      const daemon = await through({ port: proxy.port });
      const first = (await dial(daemon.front)).send('x');
      const tunnel = await proxy.tunnel(0);
      const way = { port: proxy.port, ca: other.file, options: { retries: 0 } };
      expect((await daemon.reload(configOf(daemon.front, way))).msg).toBe('reloaded');
      const second = (await dial(daemon.front)).send('x');
      expect(await second.end()).toBe('reset');
      expect((await daemon.sessionOf(second)).error).toMatch(/TLS: unable to get local issuer certificate$/);
      tunnel.secure.end('still here');
      await end(first);
      expect(first.received.toString()).toBe('still here');
    });
  });
});
