/** Facts as operators and routes see them: bounded, and without influence on identification. */

import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { alpn, hello, records, serverName } from '../cases/tls.js';
import { type Daemon, startDaemon, type TestConfig } from '../support/daemon.js';
import { runProgram } from '../support/process.js';
import { dial, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { describeWith } from '../support/tools.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(config: TestConfig): Promise<Daemon> {
  const daemon = await startDaemon(config);
  cleanups.push(() => daemon.stop());
  return daemon;
}

async function serve(name: string): Promise<Upstream> {
  const upstream = await listenTcp((peer) => void peer.send(name).finish());
  cleanups.push(() => upstream.close());
  return upstream;
}

async function ask(daemon: Daemon, opening: Uint8Array | string): Promise<Peer> {
  const client = await dial(daemon.port);
  client.send(Buffer.from(opening)).finish();
  await client.end();
  return client;
}

describe('a hello with 20,000 application protocols', () => {
  const opening = records(hello([serverName('a.example'), alpn(...Array<string>(20_000).fill('x1'))]));

  test('is one line of the log, and a short one', async () => {
    const { target } = await serve('web');
    const daemon = await start({
      routes: [{ when: { protocol: 'tls', sni: 'a.example' }, to: 'web' }],
      upstreams: { web: { endpoints: [target] } },
    });
    const client = await ask(daemon, opening);
    expect(client.received.toString()).toBe('web');
    const line = await daemon.sessionOf(client);
    expect(line.facts).toMatchObject({ sni: 'a.example' });
    expect(JSON.stringify(line).length).toBeLessThan(2000);
  });

  test('is refused by a rule on them, for it can not be said whether it holds', async () => {
    const { target } = await serve('web');
    const daemon = await start({
      routes: [{ when: { protocol: 'tls', alpn: 'h2' }, to: 'reset' }],
      protocols: [{ name: 'TLS', target: 'web' }],
      upstreams: { web: { endpoints: [target] } },
    });
    const client = await ask(daemon, opening);
    expect(client.received.toString()).toBe('');
    expect(await daemon.sessionOf(client)).toMatchObject({
      reason: 'rejected',
      during: 'route',
      upstream: null,
    });
  });
});

describe('where a session goes does not depend on whether anybody reads its facts', () => {
  test.each([true, false])('access log: %s', async (access_log) => {
    const { target } = await serve('web');
    // No AMQP version exists in this opening.
    const daemon = await start({
      protocols: [{ name: 'AMQP', start_bytes: [Buffer.from('AMQP').toString('hex')], target }],
      logging: { access_log },
    });
    const client = await ask(daemon, 'AMQP\x09\x09\x09\x09');
    expect(client.received.toString()).toBe('web');
  });
});

describe('a rule on a host', () => {
  /** Requests for `secret.test` are refused, all others served. */
  async function startGuarded(server: Record<string, unknown> = {}) {
    const web = http2.createServer((_, response) => response.end('web'));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => new Promise((resolve) => web.close(resolve)));
    const plain = await serve('web');
    return start({
      server,
      routes: [
        { when: { host: 'secret.test' }, to: 'reset' },
        { when: { protocol: 'http2' }, to: 'h2' },
      ],
      protocols: [
        { name: 'HTTP', target: plain.target },
        { name: 'GRPC', target: 'h2' },
      ],
      upstreams: { h2: { endpoints: [`127.0.0.1:${(web.address() as AddressInfo).port}`] } },
    });
  }

  describeWith('curl')('holds for HTTP/2 in the clear', () => {
    const curl = (daemon: Daemon, ...args: string[]) =>
      runProgram('curl', ['-s', '--http2-prior-knowledge', ...args, `http://127.0.0.1:${daemon.port}/`]);

    test.each([
      { why: 'another name is served', args: ['-H', 'Host: open.test'], says: 'web' },
      { why: 'the authority', args: ['-H', 'Host: secret.test'], says: '' },
      { why: 'in other letters, with a port', args: ['-H', 'Host: Secret.Test:80'], says: '' },
      {
        why: 'as a call of gRPC',
        args: ['-H', 'Host: secret.test', '-H', 'content-type: application/grpc', '-d', 'x'],
        says: '',
      },
    ])('$why', async ({ args, says }) => {
      const daemon = await startGuarded();
      expect((await curl(daemon, ...args)).stdout).toBe(says);
      const [line] = await daemon.ended(1);
      expect(line?.reason).toBe(says === '' ? 'rejected' : 'done');
    });
  });

  test('is not walked past by a client of HTTP/2 that waits for the server before it says whom it asks for', async () => {
    const daemon = await startGuarded({ identify_timeout: '3s' });
    const client = await dial(daemon.port);
    client.send(
      Buffer.concat([
        Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
      ]),
    );
    await client.end();
    expect(client.received.toString()).toBe('');
    expect(await daemon.sessionOf(client)).toMatchObject({ protocol: 'http2', reason: 'identify_timeout' });
  });

  const rows: { why: string; opening: string; served: boolean }[] = [
    { why: 'another name', opening: 'GET / HTTP/1.1\r\nHost: open.test\r\n\r\n', served: true },
    { why: 'spaces and tabs', opening: 'GET \t /  HTTP/1.1\r\nHost: open.test\r\n\r\n', served: true },
    { why: 'a space in the target', opening: 'GET /a b HTTP/1.1\r\nHost: open.test\r\n\r\n', served: true },
    { why: 'no target', opening: 'GET HTTP/1.1\r\nHost: open.test\r\n\r\n', served: true },
    {
      why: 'a line of 32 KiB',
      opening: `GET /${'a'.repeat(32_000)} HTTP/1.1\r\nHost: open.test\r\n\r\n`,
      served: true,
    },
    {
      why: 'a head that is longer than what is looked at, behind the host',
      opening: `GET / HTTP/1.1\r\nHost: open.test\r\n${'Cookie: a\r\n'.repeat(8000)}\r\n`,
      served: true,
    },
    {
      why: 'and before the host',
      opening: `GET / HTTP/1.1\r\n${'Cookie: a\r\n'.repeat(8000)}Host: open.test\r\n\r\n`,
      served: false,
    },
    { why: 'spaces and tabs', opening: 'GET \t /  HTTP/1.1\r\nHost: secret.test\r\n\r\n', served: false },
    {
      why: 'a space in the target',
      opening: 'GET /a b HTTP/1.1\r\nHost: secret.test\r\n\r\n',
      served: false,
    },
    { why: 'the absolute form', opening: 'GET http://secret.test/ HTTP/1.1\r\n\r\n', served: false },
    {
      why: 'the absolute form, with another header',
      opening: 'GET http://open.test/ HTTP/1.1\r\nHost: secret.test\r\n\r\n',
      served: false,
    },
    {
      why: 'a host that is too long to be known whole',
      opening: `GET / HTTP/1.1\r\nHost: ${'a.'.repeat(300)}test\r\n\r\n`,
      served: false,
    },
  ];
  test.each(rows)('HTTP/1: $why, served: $served', async ({ opening, served }) => {
    const daemon = await startGuarded();
    const client = await ask(daemon, opening);
    expect(client.received.toString()).toBe(served ? 'web' : '');
  });

  test('looks at identify_max_bytes, which is configurable', async () => {
    const opening = `GET / HTTP/1.1\r\n${'Cookie: a\r\n'.repeat(8000)}Host: open.test\r\n\r\n`;
    const daemon = await startGuarded({ buffer_size: '128KiB', identify_max_bytes: '128KiB' });
    expect((await ask(daemon, opening)).received.toString()).toBe('web');
    const short = await startGuarded({ identify_max_bytes: 1024 });
    const longer = `GET / HTTP/1.1\r\nA: ${'b'.repeat(1024)}\r\nHost: open.test\r\n\r\n`;
    expect((await ask(short, longer)).received.toString()).toBe('');
  });
});

test('Minecraft is routed by the host that the player wrote, and an alias of a mod does not matter', async () => {
  const [lobby, rest] = await Promise.all(['lobby', 'rest'].map(serve));
  const daemon = await start({
    routes: [{ when: { protocol: 'minecraft', host: '*.play.test' }, to: 'lobby' }],
    protocols: [{ name: 'Minecraft', target: rest?.target }],
    upstreams: { lobby: { endpoints: [lobby?.target] } },
  });
  const login = (host: string): Buffer => {
    const name = Buffer.from(host);
    const body = Buffer.concat([Buffer.from([0, 0x2f, name.length]), name, Buffer.from([0x63, 0xdd, 2])]);
    return Buffer.concat([Buffer.from([body.length]), body]);
  };
  expect((await ask(daemon, login('eu.Play.test'))).received.toString()).toBe('lobby');
  expect((await ask(daemon, login('eu.play.test\0FML2\0'))).received.toString()).toBe('lobby');
  const other = await ask(daemon, login('other.test'));
  expect(other.received.toString()).toBe('rest');
  expect(await daemon.sessionOf(other)).toMatchObject({
    facts: { host: 'other.test', port: 25_565, version: 47, intent: 'login' },
  });
});
