/**
 * Sessions that are refused in words: these arrive whatever the client still sends, because its connection lingers. How
 * long, how many and how much is bounded, and counted to the last one.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { native } from '../../src/addon.js';
import type { InetAddress, SocketAddress } from '../../src/model/address.js';
import { freePort } from '../support/ports.js';
import { echo, type Peer } from '../support/tcp.js';
import { tempFolder } from '../support/temp.js';
import { eventually } from '../support/wait.js';
import type { FlowEngine, Seen } from './flow-engine.js';
import { TestEndpoint } from './kcp-endpoint.js';
import { at, dialOwn, first, ofLinks, useEngines } from './stream-engine.js';

const { later, engineOf, serve, client } = useEngines();

const HEAD = 'CONNECT there\r\n\r\n';
const WORDS = '403 no\r\n\r\nnot from here\r\n';
const CLIENTS_MAX = 128;
const BYTES_MAX = 4 * 1024 * 1024;

const refuse = (session: Seen, { answers }: FlowEngine, words = WORDS) =>
  answers.refuse(session, 0, Buffer.from(words), 'proxy', 'route', 'denied');

/** A client that reads nothing before it is told to. */
async function deafClient(to: SocketAddress): Promise<Socket> {
  const socket = connect({ ...to, noDelay: true });
  later(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Everything that it is sent up to the FIN; rejects on a reset. */
async function heard(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const send = (socket: Socket, bytes: number) =>
  new Promise<void>((resolve, reject) =>
    socket.write(Buffer.alloc(bytes, 'x'), (error) => (error ? reject(error) : resolve())),
  );

test('a session ends with its last words, which are followed by a FIN', async () => {
  const engine = engineOf(refuse);
  const user = (await client(engine)).send(HEAD);
  expect(await user.end()).toBe('fin');
  expect(user.received.toString()).toBe(WORDS);
  expect(await first(engine, 'ended')).toMatchObject({
    reason: 'denied',
    by: 'proxy',
    during: 'route',
    bytesUp: 0,
    bytesDown: 0,
  });
  expect(engine.engine.sessions()).toBe(0);
  expect(engine.lingering).toBe(1);
  user.finish();
  await eventually('its end', () => engine.lingering === 0);
  expect(engine.lingered).toEqual({ closed: 1 });
});

describe('a client that has not heard it and goes on sending', () => {
  test('hears it, however its bytes and the words cross', async () => {
    const engine = engineOf(refuse);
    const user = await deafClient(at(engine.streamPort));
    user.write(`${HEAD}a body`);
    await first(engine, 'ended');
    for (let piece = 0; piece < 16; piece += 1) await send(user, 64 * 1024);
    expect(await heard(user)).toBe(WORDS);
    user.destroy();
    await eventually('its end', () => engine.lingering === 0);
    expect(engine.lingered).toEqual({ closed: 1 });
  });

  test('hears it when its bytes came before the decision', async () => {
    const engine = engineOf((session, { answers }) => answers.hold(session, 0, 60_000));
    const user = await deafClient(at(engine.streamPort));
    user.write(HEAD);
    const session = await first(engine, 'classified');
    await send(user, 64 * 1024);
    refuse(session, engine);
    engine.flush();
    await first(engine, 'ended');
    await send(user, 64 * 1024);
    expect(await heard(user)).toBe(WORDS);
  });

  test('is heard out to a limit', async () => {
    const engine = engineOf(refuse);
    const user = (await client(engine)).send(HEAD);
    await user.end();
    user.send(Buffer.alloc(BYTES_MAX));
    await eventually('all of it', () => user.socket.writableLength === 0);
    expect(engine.lingering).toBe(1);
    user.send(Buffer.alloc(1024 * 1024));
    await eventually('its end', () => engine.lingering === 0);
    expect(engine.lingered).toEqual({ too_much: 1 });
  });

  test('is waited for to a limit', async () => {
    const engine = engineOf(refuse);
    const user = (await client(engine)).send(HEAD);
    await user.end();
    await eventually('its end', () => engine.lingering === 0);
    expect(engine.lingered).toEqual({ timeout: 1 });
    expect(user.received.toString()).toBe(WORDS);
  });
});

test('a client that has said all when it is refused does not linger', async () => {
  const engine = engineOf(refuse);
  const user = (await client(engine)).send(HEAD).finish();
  expect(await user.end()).toBe('fin');
  expect(user.received.toString()).toBe(WORDS);
  await eventually('its end', () => engine.lingering === 0);
  expect(engine.lingered).toEqual({ closed: 1 });
});

test('a client that resets lingers no more', async () => {
  const engine = engineOf(refuse);
  const user = (await client(engine)).send(HEAD);
  await user.end();
  user.reset();
  await eventually('its end', () => engine.lingering === 0);
  expect(engine.lingered).toEqual({ closed: 1 });
});

test('so many linger at once; then the oldest gives way, and takes no place of a session', async () => {
  const engine = engineOf(refuse, { tables: { maxConnections: 1 } });
  const users: Peer[] = [];
  for (let count = 0; count <= CLIENTS_MAX; count += 1) {
    const user = (await client(engine)).send(HEAD);
    expect(await user.end()).toBe('fin');
    users.push(user);
  }
  expect(engine.lingering).toBe(CLIENTS_MAX);
  expect(engine.lingered).toEqual({ over_limit: 1 });
  for (const user of users) user.finish();
  await eventually('their end', () => engine.lingering === 0);
  expect(engine.lingered).toEqual({ over_limit: 1, closed: CLIENTS_MAX });
  const late = (await client(engine)).send(HEAD).finish();
  expect(await late.end()).toBe('fin');
  expect(late.received.toString()).toBe(WORDS);
});

test('those that linger go on while the engine drains, and end with it', async () => {
  const engine = engineOf(refuse);
  const user = (await client(engine)).send(HEAD);
  await user.end();
  engine.engine.stopAccepting();
  expect(engine.lingering).toBe(1);
  engine.engine.close();
  expect(engine.lingering).toBe(0);
  expect(engine.lingered).toEqual({ shutdown: 1 });
});

test('a client of the greatest number of words gets them all', async () => {
  const words = 'w'.repeat(2048);
  const engine = engineOf((session, its) => refuse(session, its, words));
  const user = (await client(engine)).send(HEAD);
  expect(await user.end()).toBe('fin');
  expect(user.received.toString()).toBe(words);
  expect(() => refuse({} as Seen, engine, `${words}w`)).toThrow('too many bytes');
});

describe('it may be refused', () => {
  test('when no endpoint was reached', async () => {
    const dead = at(await freePort());
    const engine = engineOf(() => {}, {
      decide: (session, its) => {
        if (session.kind === 'classified') dialOwn(its, session, [dead], { taken: HEAD.length });
        else its.answers.refuse(session, 0, Buffer.from(WORDS), 'upstream', 'connect', 'connect_failed');
      },
    });
    const user = await deafClient(at(engine.streamPort));
    user.write(`${HEAD}pipelined`);
    expect(await first(engine, 'ended')).toMatchObject({ reason: 'connect_failed', during: 'connect' });
    expect(engine.lingering).toBe(1);
    await send(user, 64 * 1024);
    expect(await heard(user)).toBe(WORDS);
  });

  test('when its time is over', async () => {
    const engine = engineOf(
      (session, its) => {
        if (session.cause === 'timeout') refuse(session, its);
        else its.answers.wait(session, 0, 1000);
      },
      { tables: { identifyTimeoutMs: 100 } },
    );
    const user = (await client(engine)).send(HEAD);
    expect(await user.end()).toBe('fin');
    expect(engine.lingering).toBe(1);
    expect(user.received.toString()).toBe(WORDS);
  });

  test('but not in words once it is relayed: these would be taken for the endpoint’s', async () => {
    const server = await serve(echo);
    const engine = engineOf((session, its) => dialOwn(its, session, [at(server.port)]));
    const user = (await client(engine)).send('x');
    await user.bytes(1);
    refuse(engine.of('classified')[0] as Seen, engine);
    engine.flush();
    expect(await user.end()).toBe('reset');
    expect(user.received.toString()).toBe('x');
    expect(engine.lingering).toBe(0);
  });
});

/** Connections of a socket that the primary accepts from (handoff mode). */
function handOff(address: SocketAddress) {
  const inbox = native.createInbox();
  const fd = native.listen(address, { reusePort: false, backlog: 16 });
  const engine = engineOf(refuse, { inbox });
  const acceptor = new native.Acceptor({ room: engine.room });
  later(() => {
    acceptor.close();
    native.closeFd(fd);
    native.closeInbox(inbox);
  });
  const socket = { transport: 'tcp', socket: native.socketNumber(fd), listener: 2, fd } as const;
  acceptor.prepare({
    generation: 1,
    sockets: [socket],
    inboxes: [inbox],
    maxConnections: 16,
    acceptsPerTurn: 4,
  });
  acceptor.leave();
  acceptor.commit();
  return { engine, address: native.localAddress(fd) };
}

test('in handoff mode, too', async () => {
  const { engine, address } = handOff({ host: '127.0.0.1', port: 0 });
  const user = await deafClient(address as InetAddress);
  user.write(HEAD);
  await first(engine, 'ended');
  expect(engine.lingering).toBe(1);
  await send(user, 256 * 1024);
  expect(await heard(user)).toBe(WORDS);
});

test('of a Unix socket, too', async () => {
  const folder = tempFolder();
  later(() => folder.remove());
  const { engine, address } = handOff({ path: join(folder.path, 'front') });
  const user = await deafClient(address);
  user.write(HEAD);
  await first(engine, 'ended');
  await send(user, 64 * 1024);
  expect(await heard(user)).toBe(WORDS);
});

test('over a link: the words, and the end of the stream behind them', async () => {
  const engine = engineOf(refuse, { links: ofLinks });
  const links = new TestEndpoint();
  later(() => links.close());
  const stream = links.open(await links.connect(engine.port));
  stream.send(HEAD);
  expect(await stream.end()).toBe('fin');
  expect(stream.received.toString()).toBe(WORDS);
  expect(links.resets.size).toBe(0);
  stream.send('still something').finish();
  await eventually('its end', () => engine.lingering === 0);
  expect(engine.lingered).toEqual({ closed: 1 });
});
