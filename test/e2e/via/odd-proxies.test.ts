/** Proxies that answer in pieces, too much, too late or not at all: no byte is lost or comes twice, and every session ends. */
import { afterEach, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import { freePort } from '../../support/ports.js';
import { dial, listenTcp, type Peer, type Upstream } from '../../support/tcp.js';
import { eventually } from '../../support/wait.js';

const open: { stop(): Promise<unknown> }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each.stop();
});

type Forwarding = Daemon & { readonly front: number };

async function through(via: unknown, options: object = {}, endpoints = ['web.test:80']): Promise<Forwarding> {
  const front = await freePort();
  const daemon = await startDaemon({
    forwards: [{ name: 'front', listen: `127.0.0.1:${front}`, target: 'far' }],
    upstreams: { far: { endpoints, via, dial_timeout: '2s', ...options } },
  });
  open.push(daemon);
  return Object.assign(daemon, { front });
}

/** Calls `asked` with each whole request head, and how many bytes have come behind it. */
async function proxy(
  asked: (peer: Peer, request: string, n: number) => void,
): Promise<Upstream & { url: string }> {
  let n = 0;
  const upstream = await listenTcp((peer) => {
    const listen = () => {
      const text = peer.received.toString('latin1');
      if (!text.includes('\r\n\r\n')) return;
      peer.socket.off('data', listen);
      expect(text.endsWith('\r\n\r\n')).toBe(true);
      asked(peer, text, n++);
    };
    peer.socket.on('data', listen);
  });
  open.push({ stop: () => upstream.close() });
  return { ...upstream, url: `http://127.0.0.1:${upstream.port}` };
}

/** In two segments, and then as the endpoint. */
function cut(peer: Peer, bytes: Buffer, at: number): void {
  const asked = peer.length;
  peer.send(bytes.subarray(0, at));
  setTimeout(() => {
    peer.send(bytes.subarray(at)).send(peer.received.subarray(asked));
    echoFrom(peer);
  }, 20);
}

/** From now on the endpoint, which echoes. */
const echoFrom = (peer: Peer): void => void peer.socket.on('data', (chunk) => peer.socket.write(chunk));

const head = 'HTTP/1.1 200 Connection established\r\nProxy-Agent: odd\r\n\r\n';

describe('what is behind the answer is the session', () => {
  test('an answer cut at every byte, with a banner behind it', async () => {
    const answer = Buffer.from(`${head}220 ready\r\n`);
    const odd = await proxy((peer, _, n) => {
      cut(peer, answer, n + 1);
    });
    const daemon = await through(odd.url);
    const clients = await Promise.all(Array.from({ length: answer.length - 1 }, () => dial(daemon.front)));
    for (const [n, client] of clients.entries()) client.send(`client ${n}`);
    for (const [n, client] of clients.entries()) {
      const expected = `220 ready\r\nclient ${n}`;
      expect((await client.bytes(expected.length)).toString()).toBe(expected);
      client.finish();
    }
    await eventually('every session to be open or over', () => odd.peers.length === answer.length - 1);
  });

  test.each([
    ['interim answers', `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${head}`],
    ['a head of 4 KiB', head.replace('odd', 'o'.repeat(4096 - head.length + 3))],
    ['a length that means nothing', head.replace('Proxy-Agent: odd', 'Content-Length: 5')],
  ])('%s', async (_, answer) => {
    const odd = await proxy((peer) => {
      peer.send(`${answer}HTTP/1.1 200 of the endpoint\r\n\r\n`);
      echoFrom(peer);
    });
    const daemon = await through(odd.url);
    const client = (await dial(daemon.front)).send('GET /');
    const expected = 'HTTP/1.1 200 of the endpoint\r\n\r\nGET /';
    expect((await client.bytes(expected.length)).toString()).toBe(expected);
  });

  test('a SOCKS5 proxy that sends byte by byte', async () => {
    const greeting = 4;
    const credentials = 1 + 1 + 'us'.length + 1 + 'pw'.length;
    const request = 4 + 1 + 'web.test'.length + 2;
    const turns = [
      { atBytes: greeting, answer: Buffer.from('0502', 'hex') },
      { atBytes: greeting + credentials, answer: Buffer.from('0100', 'hex') },
      // A name of three letters as the address, and then the endpoint.
      { atBytes: greeting + credentials + request, answer: Buffer.from('050000030361626301bb6869', 'hex') },
    ];
    const odd = await listenTcp((peer) => {
      peer.socket.on('data', () => {
        const turn = turns.at(0);
        if (turn === undefined || peer.length < turn.atBytes) return;
        expect(peer.length).toBe(turn.atBytes);
        turns.shift();
        for (const [at, byte] of turn.answer.entries())
          setTimeout(() => peer.send(Uint8Array.of(byte)), 5 * at);
      });
    });
    open.push({ stop: () => odd.close() });
    const daemon = await through(`socks5://us:pw@${odd.target}`);
    const client = (await dial(daemon.front)).send('session');
    expect((await client.bytes(2)).toString()).toBe('hi');
    const peer = await odd.peer(0);
    await peer.bytes(greeting + credentials + request + 'session'.length);
    expect(peer.received.toString('latin1').endsWith('web.test\0Psession')).toBe(true);
  });
});

describe('a proxy that fails in its answer', () => {
  const failures: readonly {
    readonly name: string;
    readonly fail: (peer: Peer) => void;
    readonly error: RegExp;
  }[] = [
    { name: 'closes before it', fail: (peer) => void peer.finish(), error: /: ECONNRESET$/ },
    {
      name: 'closes in it',
      fail: (peer) => void peer.send('HTTP/1.1 200 O').finish(),
      error: /: ECONNRESET$/,
    },
    { name: 'resets', fail: (peer) => peer.reset(), error: /: ECONNRESET$/ },
    {
      name: 'says something else',
      fail: (peer) => void peer.send('220 smtp.example ready\r\n'),
      error: /: does not answer as an HTTP proxy$/,
    },
    {
      name: 'has no end',
      fail: (peer) => void peer.send(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(8000)}`),
      error: /: answers with a head of over 4096 bytes$/,
    },
    {
      name: 'writes to the terminal',
      fail: (peer) => void peer.send('HTTP/1.1 403 \x1b[31mno\x07\r\n\r\n'),
      error: /: answers 403 \\x1b\[31mno\\x07$/,
    },
  ];

  test.each(failures)('$name: the error says so, and another endpoint is tried', async ({ fail, error }) => {
    const odd = await proxy((peer, request) => {
      if (request.startsWith('CONNECT bad.test:80')) return fail(peer);
      peer.send(head);
      echoFrom(peer);
    });
    const alone = await through(odd.url, {}, ['bad.test:80']);
    const lost = (await dial(alone.front)).send('once');
    expect(await lost.end()).toBe('reset');
    const line = await alone.sessionOf(lost);
    expect(line).toMatchObject({
      by: 'upstream',
      during: 'connect',
      reason: 'connect_failed',
      bytes_up: 0,
      bytes_down: 0,
    });
    expect(line.error).toMatch(/^via 127\.0\.0\.1:\d+: /);
    expect(line.error).toMatch(error);
    const endpoints = [{ address: 'bad.test:80' }, { address: 'good.test:80', backup: true }];
    const both = await through(odd.url, {}, endpoints as never);
    const client = (await dial(both.front)).send('once');
    expect((await client.bytes(4)).toString()).toBe('once');
    client.finish();
    expect(await both.metric('anyport_connect_failures_total', { endpoint: 'bad.test:80' })).toBe(1);
  });

  test('never answers: dial_timeout is for all of it, and another endpoint has its own', async () => {
    const odd = await proxy((peer, request) => {
      // Interim answers keep nobody waiting longer.
      if (request.startsWith('CONNECT bad.test'))
        return void setInterval(() => peer.send('HTTP/1.1 100 C\r\n\r\n'), 50).unref();
      peer.send(head);
      echoFrom(peer);
    });
    const endpoints = [{ address: 'bad.test:80' }, { address: 'good.test:80', backup: true }];
    const daemon = await through(odd.url, { dial_timeout: '400ms' }, endpoints as never);
    const client = (await dial(daemon.front)).send('once');
    expect((await client.bytes(4)).toString()).toBe('once');
    expect(await daemon.metric('anyport_connect_failures_total', { reason: 'connect_timeout' })).toBe(1);
  });
});

test('clients that leave while the proxy is asked leave nothing behind', async () => {
  const waiting: Peer[] = [];
  const odd = await proxy((peer) => void waiting.push(peer));
  const daemon = await through(odd.url);
  const clients = await Promise.all(Array.from({ length: 20 }, () => dial(daemon.front)));
  await eventually('all to be asked for', () => waiting.length === clients.length);
  for (const [n, client] of clients.entries()) {
    if (n % 2 === 0) client.reset();
    else client.send('bye').finish();
  }
  for (const peer of waiting) peer.send(head).finish();
  await daemon.ended(clients.length);
  await daemon.booksBalance();
  expect(await daemon.metric('anyport_sessions_active')).toBe(0);
});

test('a reload while the proxy is asked: the session goes on as it began', async () => {
  const waiting: Peer[] = [];
  const odd = await proxy((peer) => void waiting.push(peer));
  const daemon = await through(odd.url, { dial_timeout: '1m' });
  const client = (await dial(daemon.front)).send('x');
  await eventually('the request', () => waiting.length === 1);
  const line = await daemon.reload({
    forwards: [{ name: 'front', listen: `127.0.0.1:${daemon.front}`, target: 'other' }],
    upstreams: { other: { endpoints: ['other.test:80'], via: odd.url } },
  });
  expect(line.msg).toMatch(/^reloaded/);
  waiting[0]?.send(`${head}late`);
  expect((await client.bytes(4)).toString()).toBe('late');
  client.finish();
  waiting[0]?.finish();
  expect(await daemon.sessionOf(client)).toMatchObject({
    upstream: 'far',
    endpoint: 'web.test:80',
    reason: 'done',
  });
  const next = (await dial(daemon.front)).send('y');
  await eventually('the request of the next one', () => waiting.length === 2);
  expect(waiting[1]?.received.toString()).toMatch(/^CONNECT other\.test:80 /);
  next.reset();
});

test('the first proxy is looked up and has several addresses: the next one is tried', async () => {
  const odd = await proxy((peer) => {
    peer.send(head);
    echoFrom(peer);
  });
  // `localhost` is ::1, where nobody listens, and 127.0.0.1.
  const daemon = await through(`http://localhost:${odd.port}`);
  const client = (await dial(daemon.front)).send('once');
  expect((await client.bytes(4)).toString()).toBe('once');
});
