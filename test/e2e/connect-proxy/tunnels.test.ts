/** What a tunnel by CONNECT owes both ends: the bytes behind the request once and in order, FIN as FIN and RST as RST. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Daemon } from '../../support/daemon.js';
import { answerTo, basic, connectHead, openTunnel, statusOf } from '../../support/proxy-clients.js';
import { dial, echo } from '../../support/tcp.js';
import { eventually } from '../../support/wait.js';
import { useStage } from './stage.js';

const stage = useStage();
const shared = useStage('all');

let daemon: Daemon;
beforeAll(async () => {
  daemon = await shared.proxy();
});

/** As another segment. */
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('the first bytes', () => {
  test('those that come with the request reach the target once', async () => {
    const server = await stage.server(() => {});
    const client = await dial(daemon.port);
    client.send(`${connectHead(server.target)}first words`);
    expect(await answerTo(client)).toMatchObject({ status: 200, content: '' });
    client.send(', second words').finish();
    const peer = await server.peer(0);
    expect(await peer.end()).toBe('fin');
    expect(peer.received.toString()).toBe('first words, second words');
  });

  test('megabytes that do not wait for the answer reach the target once', async () => {
    const server = await stage.server(() => {});
    const client = await dial(daemon.port);
    const much = Buffer.from(Array.from({ length: 200_000 }, (_, n) => `${n};`).join(''));
    client.send(connectHead(server.target)).send(much).finish();
    const peer = await server.peer(0);
    expect(await peer.end()).toBe('fin');
    expect(peer.received.equals(much)).toBe(true);
  });

  test('a server that speaks first is heard, behind the answer', async () => {
    const server = await stage.server((peer) => void peer.send('220 ready\r\n'));
    const tunnel = await openTunnel(daemon.port, server.target);
    expect(`${await tunnel.bytes(11)}`).toBe('220 ready\r\n');
    tunnel.client.send('EHLO\r\n');
    expect(`${await (await server.peer(0)).bytes(6)}`).toBe('EHLO\r\n');
  });

  test('a client that waits for "100 Continue" is answered 200, and what says so inside passes', async () => {
    const server = await stage.server((peer) => {
      peer.socket.once('data', () => peer.send('HTTP/1.1 100 Continue\r\n\r\n'));
    });
    const tunnel = await openTunnel(daemon.port, server.target, ['Expect: 100-continue']);
    expect(tunnel.received).toHaveLength(0);
    const put = 'PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n';
    tunnel.client.send(put);
    expect(`${await tunnel.bytes(25)}`).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    tunnel.client.send('x').finish();
    const peer = await server.peer(0);
    await peer.end();
    expect(`${peer.received}`).toBe(`${put}x`);
  });

  test('nothing of the request goes on: neither its headers nor its credentials', async () => {
    const server = await stage.server(() => {});
    const headers = [basic('alice', 'secret'), 'User-Agent: somebody', 'Proxy-Connection: keep-alive'];
    const tunnel = await openTunnel(daemon.port, server.target, headers);
    tunnel.client.send('only this').finish();
    const peer = await server.peer(0);
    await peer.end();
    expect(`${peer.received}`).toBe('only this');
  });
});

describe('the request in pieces', () => {
  test('cut at every byte it is the same request, and what is behind it is whole', async () => {
    const server = await stage.server();
    const head = connectHead(server.target, 'User-Agent: x');
    const sent = Buffer.from(`${head}hello`);
    const wrong: unknown[] = [];
    const cutAt = async (at: number) => {
      const client = await dial(daemon.port);
      client.send(sent.subarray(0, at));
      await nextTurn();
      client.send(sent.subarray(at)).finish();
      await client.end();
      const answer = await answerTo(client);
      const rest = client.received.toString('latin1', answer.length);
      if (answer.status !== 200 || rest !== 'hello') wrong.push({ at, status: answer.status, rest });
    };
    await Promise.all(Array.from({ length: sent.length - 1 }, (_, n) => cutAt(n + 1)));
    expect(wrong).toEqual([]);
  });

  test('byte by byte it is the same request', async () => {
    const server = await stage.server();
    const client = await dial(daemon.port);
    for (const byte of `${connectHead(server.target)}x`) {
      client.send(byte);
      await nextTurn();
    }
    const { status, length } = await answerTo(client);
    expect(status).toBe(200);
    expect((await client.bytes(length + 1)).toString('latin1', length)).toBe('x');
  });
});

describe('long heads', () => {
  /** A head of exactly so many bytes. */
  function headOf(target: string, bytes: number): string {
    const names = Array.from({ length: 8 }, (_, n) => `X-Padding-${n}`);
    const bare = connectHead(target, ...names.map((name) => `${name}: `));
    const padding = bytes - bare.length;
    const each = Math.floor(padding / names.length);
    const sizes = names.map((_, n) => (n === 0 ? padding - each * (names.length - 1) : each));
    return connectHead(target, ...names.map((name, n) => `${name}: ${'p'.repeat(sizes[n] ?? 0)}`));
  }

  test.each([60 * 1024, 64 * 1024 - 64])('one of %d bytes is read', async (bytes) => {
    const server = await stage.server();
    const client = await dial(daemon.port);
    client.send(`${headOf(server.target, bytes)}hello`);
    const { status, length } = await answerTo(client);
    expect(status).toBe(200);
    expect((await client.bytes(length + 5)).toString('latin1', length)).toBe('hello');
  });

  test.each([66 * 1024, 1024 * 1024])(
    'one of %d bytes is refused, and the client can read why',
    async (bytes) => {
      const server = await stage.server();
      const client = await dial(daemon.port);
      client.send(headOf(server.target, bytes));
      expect((await answerTo(client)).status).toBe(431);
      client.finish();
      expect(await client.end()).toBe('fin');
      expect(server.peers).toHaveLength(0);
      expect(await daemon.sessionOf(client)).toMatchObject({ by: 'proxy' });
    },
  );

  test('a head that never ends is answered when its time is over', async () => {
    const daemon = await stage.proxy({}, { server: { identify_timeout: '500ms' } });
    const client = await dial(daemon.port);
    client.send('CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1\r\n');
    expect((await answerTo(client)).status).toBe(408);
    expect(await daemon.sessionOf(client)).toMatchObject({ by: 'timeout', reason: 'identify_timeout' });
  });
});

describe('the end of a tunnel', () => {
  test('a client that has finished still gets what the target says', async () => {
    const server = await stage.server(() => {});
    const tunnel = await openTunnel(daemon.port, server.target);
    tunnel.client.send('question').finish();
    const peer = await server.peer(0);
    expect(await peer.end()).toBe('fin');
    peer.send('answer').finish();
    expect(await tunnel.client.end()).toBe('fin');
    expect(`${tunnel.received}`).toBe('answer');
    const line = await daemon.sessionOf(tunnel.client);
    expect(line).toMatchObject({ reason: 'done', bytes_up: 8, bytes_down: 6 });
  });

  test('a target that has finished still gets what the client says', async () => {
    const server = await stage.server((peer) => void peer.send('banner').finish());
    const tunnel = await openTunnel(daemon.port, server.target);
    expect(await tunnel.client.end()).toBe('fin');
    expect(`${tunnel.received}`).toBe('banner');
    tunnel.client.send('more').finish();
    const peer = await server.peer(0);
    expect(await peer.end()).toBe('fin');
    expect(`${peer.received}`).toBe('more');
    expect(await daemon.sessionOf(tunnel.client)).toMatchObject({ reason: 'done', by: 'upstream' });
  });

  test('a request and a FIN in one segment are a tunnel that only listens', async () => {
    const server = await stage.server((peer) => void peer.send('banner').finish());
    const client = await dial(daemon.port);
    client.send(connectHead(server.target)).finish();
    expect(await client.end()).toBe('fin');
    const { status, length } = await answerTo(client);
    expect([status, client.received.toString('latin1', length)]).toEqual([200, 'banner']);
  });

  test('a reset of the client resets the target', async () => {
    const server = await stage.server();
    const tunnel = await openTunnel(daemon.port, server.target);
    tunnel.client.send('x');
    await tunnel.bytes(1);
    tunnel.client.reset();
    expect(await (await server.peer(0)).end()).toBe('reset');
    expect(await daemon.sessionOf(tunnel.client)).toMatchObject({ by: 'client', reason: 'reset' });
  });

  test('a reset of the target resets the client', async () => {
    const server = await stage.server();
    const tunnel = await openTunnel(daemon.port, server.target);
    tunnel.client.send('x');
    await tunnel.bytes(1);
    (await server.peer(0)).reset();
    expect(await tunnel.client.end()).toBe('reset');
    expect(await daemon.sessionOf(tunnel.client)).toMatchObject({ by: 'upstream', reason: 'reset' });
  });
});

describe('what is logged and counted', () => {
  test('a line has the target as asked for, and the bytes of the tunnel alone', async () => {
    const server = await stage.server();
    const tunnel = await openTunnel(daemon.port, server.target);
    tunnel.client.send('hello').finish();
    await tunnel.client.end();
    const line = await daemon.sessionOf(tunnel.client);
    expect(line).toMatchObject({
      protocol: 'http',
      upstream: 'connect_proxy',
      endpoint: server.target,
      bytes_up: 5,
      bytes_down: 5,
      reason: 'done',
    });
  });

  test('what was accepted is the sum of all ends, with tunnels, refusals and clients that leave', async () => {
    const server = await stage.server(echo);
    const daemon = await stage.proxy({ deny: ['127.0.0.9/32:*'] });
    const tunnels = await Promise.all([1, 2, 3].map(() => openTunnel(daemon.port, server.target)));
    for (const _ of [1, 2]) expect(await statusOf(daemon.port, '127.0.0.9:443')).toBe(403);
    const left = await dial(daemon.port);
    left.send('CONNECT ').reset();
    for (const { client } of tunnels) client.finish();
    await daemon.ended(6);
    await daemon.booksBalance();
    expect(await daemon.metric('anyport_accepted_total')).toBe(6);
    expect(await daemon.metric('anyport_sessions_total', { reason: 'done' })).toBe(3);
    expect(await daemon.metric('anyport_sessions_total', { reason: 'rejected' })).toBe(2);
    await eventually(
      'no session to be open',
      async () => (await daemon.metric('anyport_sessions_active')) === 0,
    );
  });
});
