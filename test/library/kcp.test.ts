/** Reliable UDP without a daemon: sockets of a program, both ends real. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import type { KcpOptions, KcpServer, KcpSocket } from '../../src/index.js';
import { eventually, within } from '../support/wait.js';
import { ANY, anyport, host } from './anyport.js';

const { connectKcp, createKcpServer } = anyport;

const secret = 'a long and random secret';

const servers: KcpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const ignoreErrors = (socket: KcpSocket): KcpSocket => socket.on('error', () => {});

/** A server, and the sockets that it has been given. */
async function serve(onSocket: (socket: KcpSocket) => void, options: KcpOptions = {}) {
  const given: KcpSocket[] = [];
  const server = createKcpServer({ secret, ...options }, (socket) => {
    given.push(ignoreErrors(socket));
    onSocket(socket);
  });
  servers.push(server);
  const { port } = await server.listen(ANY);
  return { server, given, port };
}

const connect = async (port: number, options: KcpOptions = {}): Promise<KcpSocket> =>
  ignoreErrors(await connectKcp({ host, port, secret, ...options }));

async function readAll(socket: KcpSocket): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** 'close' has the reason behind whether there was an error. */
const closed = (socket: KcpSocket) =>
  within(
    'a socket to close',
    new Promise<unknown[]>((resolve) => socket.once('close', (...values) => resolve(values))),
  );

const echo = (socket: KcpSocket) => socket.pipe(socket);

test('what a client says comes back, and both ends close as done', async () => {
  const { port, given } = await serve(echo);
  const socket = await connect(port);
  const ended = closed(socket);
  socket.end('hello');
  expect(String(await readAll(socket))).toBe('hello');
  expect(await ended).toEqual([false, 'done']);
  const [peer] = given;
  await eventually('the other end to close', () => peer?.closeReason ?? undefined);
  expect(peer?.closeReason).toBe('done');
});

test('megabytes go both ways whole, with a reader that is slow', async () => {
  const { port } = await serve(echo, { allowHalfOpen: true });
  const socket = await connect(port, { allowHalfOpen: true });
  const text = Buffer.alloc(6 << 20);
  for (let at = 0; at < text.length; at += 4) text.writeUInt32LE((at * 2654435761) % 2 ** 32, at);
  expect(socket.write(text)).toBe(false); // back-pressure
  socket.end();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect((await readAll(socket)).equals(text)).toBe(true);
});

test('what was not read when the link ended is read afterwards', async () => {
  const { port, given } = await serve((socket) => socket.end(Buffer.alloc(100_000, 'x')));
  const socket = await connect(port);
  socket.end();
  await eventually('the other end to close', () => given[0]?.closeReason ?? undefined);
  expect(given[0]?.closeReason).toBe('done');
  const ended = closed(socket);
  expect(await readAll(socket)).toHaveLength(100_000);
  expect(await ended).toEqual([false, 'done']);
});

test('both ends know the session and each other', async () => {
  const { port, given } = await serve(echo);
  const socket = await connect(port);
  socket.write('x');
  const peer = await eventually('a socket', () => given[0]);
  expect(socket.sessionId).toMatch(/^[0-9a-f]{32}$/);
  expect(peer.sessionId).toBe(socket.sessionId);
  expect([socket.remoteAddress, socket.remotePort, socket.remoteFamily]).toEqual([host, port, 'IPv4']);
  expect(peer.remoteAddress).toBe(host);
  expect(peer.remotePort).toBeGreaterThan(0);
  await within('bytes', once(socket, 'data'));
  const stats = socket.stats();
  expect(stats?.bytesSent).toBeGreaterThan(0);
  expect(stats?.bytesReceived).toBeGreaterThan(0);
});

test('a reset is an error at the other end, never a clean end', async () => {
  const { port, given } = await serve((socket) => socket.on('data', () => {}));
  const socket = await connect(port);
  socket.write('half of it');
  const peer = await eventually('the bytes to come', () => (given[0]?.bytesRead ? given[0] : undefined));
  let hasEnded = false;
  peer.on('end', () => {
    hasEnded = true;
  });
  const failed = once(peer, 'error');
  const peerClosed = closed(peer);
  socket.destroy();
  const [error] = await within('an error', failed);
  expect(error).toMatchObject({ name: 'KcpError', code: 'reset' });
  expect(await peerClosed).toEqual([true, 'reset']);
  expect(hasEnded).toBe(false);
  await eventually('the socket itself to close', () => socket.closeReason ?? undefined);
});

test('a server that closes resets its connections', async () => {
  const { port, server } = await serve(echo);
  const socket = await connect(port);
  socket.write('x');
  await within('bytes', once(socket, 'data'));
  const failed = once(socket, 'error');
  await within('the server to close', server.close());
  const [error] = await within('an error', failed);
  expect(error).toMatchObject({ name: 'KcpError' });
  expect(server.sockets).toHaveLength(0);
});

test('a drained server lets connections end by themselves', async () => {
  const { port, server } = await serve(echo);
  const socket = await connect(port);
  socket.write('x');
  await within('bytes', once(socket, 'data'));
  const ended = closed(socket);
  const closing = server.close({ drain: '10s' });
  socket.end('y');
  expect(String(await readAll(socket))).toBe('y');
  expect(await ended).toEqual([false, 'done']);
  await within('the server to close', closing);
});

test('a wrong secret is not answered, and logged once', async () => {
  const lines: object[] = [];
  const { port } = await serve(echo, { logger: (line) => lines.push(line) });
  for (let i = 0; i < 2; i++) {
    const refused = connectKcp({ host, port, secret: 'another long and random secret', timeout: 600 });
    await expect(refused).rejects.toMatchObject({ name: 'KcpError', code: 'connect_timeout' });
  }
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ msg: 'kcp: client refused', source: host, refusal: 'secret' });
});

test('wrong options say what and where', async () => {
  const server = createKcpServer({ secret, mtu: 100 }, echo);
  const error = { name: 'AnyportError', code: 'invalid_config' };
  await expect(server.listen(ANY)).rejects.toMatchObject({ ...error, problems: [{ path: 'mtu' }] });
  await expect(createKcpServer({}, echo).listen(ANY)).rejects.toMatchObject(error);
  await expect(connectKcp({ host, port: 0, secret })).rejects.toMatchObject({
    ...error,
    problems: [{ path: 'port' }],
  });
  const { port } = await serve(echo);
  const taken = createKcpServer({ secret }, echo);
  await expect(taken.listen(`127.0.0.1:${port}`)).rejects.toMatchObject({ code: 'listen_failed' });
  const socket = await connect(port);
  const wrong = expect.objectContaining({ name: 'KcpError', code: 'invalid_argument' });
  expect(() => socket.setMtu(100)).toThrow(wrong);
  expect(() => socket.setWindow(0, 1)).toThrow(wrong);
  expect(() => socket.setInterval(1)).toThrow(wrong);
  socket.destroy();
});

test('datagrams and windows of a connection may become smaller', async () => {
  const { port } = await serve(echo);
  const socket = await connect(port, { fec: { data: 0, parity: 0 } });
  socket.setMtu(600);
  socket.setWindow(16, 16);
  socket.setInterval(20);
  socket.end(Buffer.alloc(200_000));
  expect(await readAll(socket)).toHaveLength(200_000);
  const { datagramsSent = 0, wireBytesSent = 0 } = socket.stats() ?? {};
  expect(wireBytesSent / datagramsSent).toBeLessThanOrEqual(600);
  expect(datagramsSent).toBeGreaterThan(200_000 / 600);
});

test('a status line is logged about each connection', async () => {
  const lines: object[] = [];
  const { port } = await serve(echo, { statusLog: '1s', logger: (line) => lines.push(line) });
  const socket = await connect(port);
  socket.write('x');
  await eventually('a line', () => lines[0]);
  expect(lines[0]).toMatchObject({ msg: 'kcp link', session: socket.sessionId, streams: 1 });
  socket.destroy();
});

test('several servers and connections live in one process', async () => {
  const one = await serve((socket) => socket.end('one'));
  const two = await serve((socket) => socket.end('two'), { secret: 'the secret of the second one' });
  const [first, second] = await Promise.all([
    connect(one.port),
    connect(two.port, { secret: 'the secret of the second one' }),
  ]);
  expect(await Promise.all([first, second].map(async (socket) => String(await readAll(socket))))).toEqual([
    'one',
    'two',
  ]);
});

test('a hundred servers and connections leave no descriptor', async () => {
  const descriptors = () => readdirSync('/proc/self/fd').length;
  const cycle = async () => {
    const { port, server } = await serve(echo);
    const socket = await connect(port);
    const ended = closed(socket);
    socket.end('hello');
    expect(String(await readAll(socket))).toBe('hello');
    expect(await ended).toEqual([false, 'done']);
    await server.close();
  };
  await cycle();
  const before = descriptors();
  for (let i = 0; i < 100; i++) await cycle();
  await eventually('all to be given back', () => (descriptors() <= before ? true : undefined));
});
