/** What is asked of the port that is not CONNECT: other methods, HTTP/2, and web servers beside the proxy. */
import { once } from 'node:events';
import http2 from 'node:http2';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Daemon } from '../../support/daemon.js';
import { freePort } from '../../support/ports.js';
import { runProgram } from '../../support/process.js';
import { answerTo, connectHead, openTunnel } from '../../support/proxy-clients.js';
import { dial } from '../../support/tcp.js';
import { describeWith } from '../../support/tools.js';
import { eventually, within } from '../../support/wait.js';
import { useStage } from './stage.js';

const stage = useStage();
const shared = useStage('all');

let daemon: Daemon;
beforeAll(async () => {
  daemon = await shared.proxy();
});

describe('other methods', () => {
  test.each([
    ['GET', 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n'],
    ['GET of a URL, as plain proxies are asked', 'GET http://127.0.0.1/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'],
    ['POST with a body', 'POST http://127.0.0.1/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello'],
    ['OPTIONS', 'OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n'],
    ['PROPFIND', 'PROPFIND / HTTP/1.1\r\nHost: a.example\r\nDepth: 0\r\n\r\n'],
    ['a WebSocket', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
  ])('%s is answered 405 with Allow, and the client reads it to its end', async (_, request) => {
    const client = await dial(daemon.port);
    client.send(request);
    const { status, headers, content } = await answerTo(client);
    expect([status, headers.allow]).toEqual([405, 'CONNECT']);
    expect(content).toMatch(/^[^\n]+\n$/);
    expect(await client.end()).toBe('fin');
    client.finish();
    expect(await daemon.sessionOf(client)).toMatchObject({ by: 'proxy', reason: 'rejected' });
  });

  test('HEAD is answered without content', async () => {
    const client = await dial(daemon.port);
    client.send('HEAD / HTTP/1.1\r\nHost: a.example\r\n\r\n');
    expect(await client.end()).toBe('fin');
    expect(client.received.toString('latin1')).toMatch(
      /^HTTP\/1\.1 405 [^\r]*\r\n(.+\r\n)*Allow: CONNECT\r\n(.+\r\n)*\r\n$/,
    );
  });

  test('a megabyte that is still on its way does not turn the answer into a reset', async () => {
    const client = await dial(daemon.port);
    const body = Buffer.alloc(1024 * 1024, 0x61);
    client.send(`PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`).send(body);
    expect((await answerTo(client)).status).toBe(405);
    expect(await client.end()).toBe('fin');
  });
});

describe('HTTP/2', () => {
  const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

  async function request(
    port: number,
    headers: http2.OutgoingHttpHeaders,
  ): Promise<http2.IncomingHttpHeaders> {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    session.on('error', () => {});
    stage.later(() => session.destroy());
    const stream = session.request(headers);
    stream.on('error', () => {}).resume();
    const [answer] = await within('an answer', once(stream, 'response'));
    stream.end();
    return answer;
  }

  test.each([
    ['CONNECT', { ':method': 'CONNECT', ':authority': '127.0.0.1:443' }],
    ['GET', { ':path': '/' }],
  ])('%s is answered 501 with Allow', async (_, headers) => {
    expect(await request(daemon.port, headers)).toMatchObject({ ':status': 501, allow: 'CONNECT' });
    const line = await eventually('its session to end', () => {
      return daemon.sessions.find(({ protocol }) => protocol === 'http2');
    });
    expect(line).toMatchObject({ by: 'proxy', reason: 'rejected' });
  });

  test('a client that waits for our SETTINGS gets them, and GOAWAY', async () => {
    const client = await dial(daemon.port);
    client.send(`${preface}\0\0\0\x04\0\0\0\0\0`);
    expect(await client.end()).toBe('fin');
    const types: (number | undefined)[] = [];
    for (let at = 0; at + 9 <= client.length; at += 9 + client.received.readUIntBE(at, 3))
      types.push(client.received[at + 3]);
    expect([types[0], types.at(-1)]).toEqual([4, 7]);
  });
});

describe('web servers on the same port', () => {
  test('requests that are not CONNECT go where they went, and CONNECT to the proxy', async () => {
    const web = await stage.server((peer) => void peer.send('HTTP/1.1 204 No Content\r\n\r\n').finish());
    const server = await stage.server();
    const daemon = await stage.proxy({}, { protocols: [{ name: 'HTTP', target: web.target }] });
    const client = await dial(daemon.port);
    client.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
    expect((await answerTo(client)).status).toBe(204);
    client.finish();
    const tunnel = await openTunnel(daemon.port, server.target);
    tunnel.client.send('x').finish();
    expect(`${await tunnel.bytes(1)}`).toBe('x');
    expect(web.peers).toHaveLength(1);
    const upstreams = (await daemon.ended(2)).map(({ upstream }) => upstream);
    expect(new Set(upstreams)).toEqual(new Set(['HTTP', 'connect_proxy']));
  });

  test('a route by host or method takes no CONNECT: what is in front of the proxy is only its own', async () => {
    const web = await stage.server();
    const server = await stage.server();
    const daemon = await stage.proxy(
      {},
      {
        routes: [{ when: { protocol: 'http' }, to: 'web' }],
        upstreams: { web: { endpoints: [web.target] } },
      },
    );
    await openTunnel(daemon.port, server.target);
    expect(web.peers).toHaveLength(0);
  });

  test('on listeners that are not its own there is no proxy', async () => {
    const web = await stage.server((peer) => void peer.send('HTTP/1.1 204 No Content\r\n\r\n').finish());
    const server = await stage.server();
    const [inside, outside] = [await freePort(), await freePort()];
    await stage.proxy(
      { listeners: ['inside'] },
      {
        listeners: [
          { name: 'inside', address: `127.0.0.1:${inside}` },
          { name: 'outside', address: `127.0.0.1:${outside}` },
        ],
        protocols: [{ name: 'HTTP', target: web.target }],
      },
    );
    await openTunnel(inside, server.target);
    const client = await dial(outside);
    client.send(connectHead(server.target));
    expect((await answerTo(client)).status).toBe(204);
    expect([server.peers.length, web.peers.length]).toEqual([1, 1]);
  });
});

describeWith('curl')('curl', () => {
  test('with prior knowledge of HTTP/2 is answered 501', async () => {
    const args = [
      '-sS',
      '--noproxy',
      '*',
      '--http2-prior-knowledge',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
    ];
    const { stdout } = await runProgram('curl', [...args, `http://127.0.0.1:${daemon.port}/`]);
    expect(stdout).toBe('501');
  });

  test('a page over plain HTTP through the proxy is answered 405', async () => {
    const args = [
      '-sS',
      '--noproxy',
      '',
      '-x',
      `http://127.0.0.1:${daemon.port}`,
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
    ];
    const { stdout } = await runProgram('curl', [...args, 'http://127.0.0.1:1/']);
    expect(stdout).toBe('405');
  });
});
