/** What a limit of speed does not change: bytes, their order, how a session ends, and which timeouts there are. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { type Daemon, type ServerSection, startDaemon } from '../../support/daemon.js';
import { redisPing } from '../../support/flights.js';
import { queuesOf } from '../../support/proc.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../../support/tcp.js';
import { eventually, waited } from '../../support/wait.js';

let daemon: Daemon;
let upstream: Upstream;

async function start(bandwidth: object, serve?: (peer: Peer) => void, server: ServerSection = {}) {
  upstream = await listenTcp(serve);
  daemon = await startDaemon({
    server,
    protocols: [{ name: 'Redis', target: { endpoints: [upstream.target], bandwidth } }],
  });
}

afterEach(async () => {
  await daemon.stop();
  await upstream.close();
});

const bytes = randomBytes(64 * 1024);
const RATE = 48 * 1024;

/** A session of which the endpoint has got the opening. */
async function established(): Promise<{ client: Peer; server: Peer }> {
  const client = (await dial(daemon.port)).send(redisPing);
  const server = await upstream.peer(0);
  await server.bytes(redisPing.length);
  return { client, server };
}

describe('ends come behind the bytes, and as what they were', () => {
  test.each(['up', 'down'] as const)('FIN %s', async (way) => {
    await start({ [way]: RATE });
    const { client, server } = await established();
    const [from, to] = way === 'up' ? [client, server] : [server, client];
    const before = to.length;
    from.send(bytes).finish();
    await to.bytes(before + 1);
    expect(to.ending).toBeUndefined();
    expect(await to.end()).toBe('fin');
    expect(to.received.subarray(before).equals(bytes)).toBe(true);
    // And the other way goes on.
    to.send('answer').finish();
    expect(await from.end()).toBe('fin');
    expect(from.received.toString()).toContain('answer');
    expect((await daemon.ended(1))[0]).toMatchObject({
      reason: 'done',
      [`bytes_${way}`]: before + bytes.length,
    });
  });

  test.each(['up', 'down'] as const)('RST %s', async (way) => {
    await start({ [way]: RATE });
    const { client, server } = await established();
    const [from, to] = way === 'up' ? [client, server] : [server, client];
    const before = to.length;
    from.send(bytes);
    // All of it is with the proxy's kernel before the reset.
    const own = way === 'up' ? { remote: daemon.port } : { local: upstream.port };
    await eventually('all to be sent', () => from.socket.writableLength === 0 && queuesOf(own).unsent === 0);
    await to.bytes(before + 1);
    from.reset();
    expect(await to.end()).toBe('reset');
    expect(to.received.subarray(before).equals(bytes)).toBe(true);
    expect((await daemon.ended(1))[0]).toMatchObject({ reason: 'reset' });
  });

  test('RST against the way that is held back ends it at once', async () => {
    await start({ down: 1000 });
    const { client, server } = await established();
    server.send(bytes);
    await client.bytes(1);
    client.reset();
    expect(await server.end()).toBe('reset');
    expect((await daemon.ended(1))[0]).toMatchObject({ by: 'client', reason: 'reset' });
  });
});

test.each(['client', 'server'] as const)('both ways are limited, and the %s ends first', async (who) => {
  await start({ up: RATE, down: RATE });
  const { client, server } = await established();
  const [first, other] = who === 'client' ? [client, server] : [server, client];
  const [ofFirst, ofOther] = [first.length, other.length];
  first.send(bytes).finish();
  other.send(bytes);
  expect(await other.end()).toBe('fin');
  other.send('more').finish();
  expect(await first.end()).toBe('fin');
  expect(other.received.subarray(ofOther).equals(bytes)).toBe(true);
  expect(first.received.subarray(ofFirst).equals(Buffer.concat([bytes, Buffer.from('more')]))).toBe(true);
  expect((await daemon.ended(1))[0]).toMatchObject({
    reason: 'done',
    bytes_up: redisPing.length + bytes.length + (who === 'client' ? 0 : 4),
    bytes_down: bytes.length + (who === 'client' ? 4 : 0),
  });
});

describe('timeouts', () => {
  /** Its sniffed bytes go at once and are owed: at 1000 bytes/s nothing moves for over a second and a half. */
  const opening = `*1\r\n$1600\r\n${'a'.repeat(1600)}\r\n`;
  const rest = 'b'.repeat(500);

  test('who waits for his turn is not idle', async () => {
    await start({ up: 1000 }, undefined, { idle_timeout: '500ms' });
    const client = (await dial(daemon.port)).send(opening).send(rest);
    const server = await upstream.peer(0);
    await server.bytes(opening.length + rest.length);
    // Then he is.
    await client.end();
    expect((await daemon.ended(1))[0]).toMatchObject({
      reason: 'idle_timeout',
      bytes_up: opening.length + rest.length,
    });
  });

  test('nor silent after a half-close', async () => {
    await start({ up: 1000 }, (peer) => void peer.finish(), { half_close_timeout: '500ms' });
    const client = (await dial(daemon.port)).send(opening).send(rest);
    expect(await client.end()).toBe('fin');
    const server = await upstream.peer(0);
    await server.bytes(opening.length + rest.length);
    client.finish();
    expect(await server.end()).toBe('fin');
    expect((await daemon.ended(1))[0]).toMatchObject({ reason: 'done', by: 'upstream' });
  });

  test('who has nothing to move is idle, however busy those are that he shares with', async () => {
    await start({ down: 20_000, per: 'upstream' }, undefined, { idle_timeout: '700ms' });
    const idle = (await dial(daemon.port)).send(redisPing);
    const first = await upstream.peer(0);
    const busy = (await dial(daemon.port)).send(redisPing);
    const second = await upstream.peer(1);
    first.send('x');
    second.send(Buffer.alloc(100_000));
    await idle.end();
    expect(busy.ending).toBeUndefined();
    expect(await daemon.ended(1)).toMatchObject([
      { reason: 'idle_timeout', source: idle.address, bytes_down: 1 },
    ]);
  });
});

test('both ways at once, each at its own speed', async () => {
  await start({ up: 200_000, down: 100_000 }, echo);
  const client = (await dial(daemon.port)).send(redisPing);
  client.send(bytes).finish();
  expect(await client.end()).toBe('fin');
  expect(client.received.subarray(redisPing.length).equals(bytes)).toBe(true);
});

/** What nginx's stream proxy promises of `proxy_upload_rate` and `proxy_download_rate`. */
describe('as nginx does', () => {
  const text = '1234567890'.repeat(100);
  const answering = (peer: Peer) => {
    peer.socket.on('data', () => {
      if (peer.length >= redisPing.length + text.length) peer.send(text).finish();
    });
  };
  const ask = async () => (await dial(daemon.port)).send(redisPing + text);

  const cases = [
    { why: 'a second has just room for the answer', bandwidth: { up: 1014, down: 1000 }, seconds: 0 },
    { why: '0 is no limit', bandwidth: { up: 0, down: 0 }, seconds: 0 },
    { why: '250 bytes a second down', bandwidth: { down: 250 }, seconds: 3 },
  ];
  test.each(cases)('$why', async ({ bandwidth, seconds }) => {
    await start(bandwidth, answering);
    const began = performance.now();
    const client = await ask();
    expect(await client.end()).toBe('fin');
    expect(client.received.toString()).toBe(text);
    expect(performance.now() - began).toBeGreaterThanOrEqual(waited(seconds * 1000));
  });

  test('250 bytes a second up', async () => {
    await start({ up: 250 });
    const began = performance.now();
    const { client, server } = await established();
    client.send(text).finish();
    expect(await server.end()).toBe('fin');
    expect(server.received.toString()).toBe(redisPing + text);
    expect(performance.now() - began).toBeGreaterThanOrEqual(3_000);
  });

  test('one byte a second', async () => {
    await start({ down: 1 }, answering);
    const began = performance.now();
    const client = await ask();
    await client.bytes(1);
    await sleep(1_500);
    expect(client.length).toBeLessThanOrEqual(1 + Math.ceil((performance.now() - began) / 1000));
  });
});
