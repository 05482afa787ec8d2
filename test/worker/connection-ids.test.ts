/** QUIC clients whose address changes: a connection id says which endpoint they speak with. */
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { createRoom } from '../../src/metrics/room.js';
import { type DatagramPeer, datagramClient, listenUdp } from '../support/datagrams.js';
import { type LongPacket, longPacket, quicVersions, shortPacket } from '../support/quic-packets.js';
import { eventually } from '../support/wait.js';
import { FlowEngine, type FlowEngineOptions } from './flow-engine.js';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** Answers long headers from its own id, and short ones with its name. */
async function server(name: string, id: Uint8Array = randomBytes(8), version: number = quicVersions.v1) {
  const opened = await listenUdp(({ bytes }, reply) =>
    reply(
      (bytes[0] as number) >= 0x80
        ? longPacket({ version, to: randomBytes(8), from: id })
        : `${name} has heard you`,
    ),
  );
  stops.push(() => opened.close());
  return { opened, id, name, address: { host: '127.0.0.1', port: opened.port } };
}

async function client(port: number): Promise<DatagramPeer> {
  const peer = await datagramClient(port);
  stops.push(() => peer.close());
  return peer;
}

function engineOf(options: FlowEngineOptions): FlowEngine {
  const engine = new FlowEngine({ quic: { follows: true }, ...options });
  stops.push(() => engine.close());
  return engine;
}

const initial = (): Buffer => longPacket({ to: randomBytes(8), from: randomBytes(4) });

/** The one that a test begins with is the first endpoint, and new flows go to the other one. */
async function stage({
  id,
  version,
  ...options
}: Partial<FlowEngineOptions> & { id?: Uint8Array; version?: number } = {}) {
  const home = await server('home', id, version);
  const other = await server('other');
  let turns = 0;
  const engine = engineOf({
    endpoints: [home.address, other.address],
    decide: (flow, self) => self.dial(flow, Math.min(turns++, 1)),
    ...options,
  });
  return { home, other, engine };
}

/** A handshake, up to the client's first datagram with a short header. */
async function connected(engine: FlowEngine, id: Uint8Array): Promise<DatagramPeer> {
  const peer = await client(engine.port);
  await peer.ask(initial());
  await peer.ask(shortPacket(id));
  return peer;
}

const whom = async (peer: DatagramPeer, datagram: Uint8Array): Promise<string> =>
  (await peer.ask(datagram)).bytes.toString();

const AT_HOME = 'home has heard you';
const ELSEWHERE = 'other has heard you';

describe('a client whose address has changed', () => {
  test('goes on with its endpoint, over a path of its own that the endpoint sees', async () => {
    const { home, engine } = await stage();
    const before = await connected(engine, home.id);
    const after = await client(engine.port);
    expect(await whom(after, shortPacket(home.id))).toBe(AT_HOME);
    expect(home.opened.senders).toHaveLength(2);
    // Whoever it was, nothing is taken from the other path.
    expect(await whom(before, shortPacket(home.id))).toBe(AT_HOME);
    expect([before.received.length, after.received.length]).toEqual([3, 1]);
    expect(engine.of('followed')).toMatchObject([{ upstream: 0, endpoint: 10, isDatagram: true }]);
    expect([engine.followed, engine.flows]).toEqual([1, 2]);
    expect(engine.dropped).toEqual({});
  });

  test('is a new client where nobody is followed', async () => {
    const { home, engine } = await stage({ quic: { follows: false } });
    await connected(engine, home.id);
    expect(await whom(await client(engine.port), shortPacket(home.id))).toBe(ELSEWHERE);
    expect(engine.followed).toBe(0);
  });

  test('is followed from address to address, also when the flows before have ended', async () => {
    const { home, engine } = await stage({ udp: { idleTimeoutMs: 400 } });
    await connected(engine, home.id);
    for (const ended of [1, 2, 3]) {
      const next = await client(engine.port);
      expect(await whom(next, shortPacket(home.id))).toBe(AT_HOME);
      await eventually('the end of the flow before', async () => {
        await next.ask(shortPacket(home.id));
        return engine.of('ended').length === ended;
      });
    }
    expect(engine.followed).toBe(3);
  });

  test('is found again at another worker', async () => {
    const room = new Int32Array(createRoom());
    const { home, other, engine } = await stage({ room });
    const another = engineOf({ endpoints: [home.address, other.address], room });
    await connected(engine, home.id);
    expect(await whom(await client(another.port), shortPacket(home.id))).toBe(AT_HOME);
    expect([engine.followed, another.followed]).toEqual([0, 1]);
    engine.engine.endAll(0, 0);
    await eventually('the end', () => engine.flowsOfAll === 1);
    expect(await whom(await client(another.port), shortPacket(home.id))).toBe(AT_HOME);
  });

  test('is not followed once its flow has ended', async () => {
    const { home, engine } = await stage();
    await connected(engine, home.id);
    engine.engine.endAll(0, 0);
    await eventually('the end', () => engine.flows === 0);
    expect(await whom(await client(engine.port), shortPacket(home.id))).toBe(ELSEWHERE);
  });

  test('is followed under the id that it has changed to, and under the newest four alone', async () => {
    const { home, engine } = await stage();
    const peer = await connected(engine, home.id);
    const later = Array.from({ length: 4 }, () => randomBytes(8));
    for (const id of later) await peer.ask(shortPacket(id));
    for (const id of later) expect(await whom(await client(engine.port), shortPacket(id))).toBe(AT_HOME);
    expect(await whom(await client(engine.port), shortPacket(home.id))).toBe(ELSEWHERE);
  });

  test('is followed where datagrams have PROXY headers, as the client that they announce', async () => {
    const { home, engine } = await stage({ trustedProxies: [{ address: '127.0.0.0', bits: 8 }] });
    const peer = await client(engine.port);
    await peer.ask(Buffer.concat([headerOf(1), initial()]));
    await peer.ask(Buffer.concat([headerOf(1), shortPacket(home.id)]));
    const moved = Buffer.concat([headerOf(2), shortPacket(home.id)]);
    expect(await whom(peer, moved)).toBe(AT_HOME);
    expect(await whom(peer, moved)).toBe(AT_HOME);
    expect(engine.of('followed').map(({ source }) => source)).toEqual(['192.0.2.2:4096']);
    expect(home.opened.peer.received.at(-1)?.bytes.equals(moved.subarray(28))).toBe(true);
  });
});

/** PROXY v2, UDP over IPv4. */
const headerOf = (host: number): Buffer =>
  Buffer.from(`0d0a0d0a000d0a515549540a2112000cc00002${`0${host}`.slice(-2)}7f00000110000035`, 'hex');

describe('a reload', () => {
  test('keeps ids', async () => {
    const { home, engine } = await stage();
    await connected(engine, home.id);
    engine.adopt();
    expect(await whom(await client(engine.port), shortPacket(home.id))).toBe(AT_HOME);
  });

  test.each([
    { why: 'that lists its endpoint no more', change: { endpoints: [11] } },
    { why: 'that follows nobody', change: { quic: { follows: false, idBytes: 0 } } },
  ])('$why: a new client', async ({ change }) => {
    const { home, engine } = await stage({ udp: { onReload: 'keep' } });
    await connected(engine, home.id);
    const upstream = { ...engine.tables().upstreams[0], ...change } as never;
    engine.adopt({ tables: { upstreams: [upstream] } });
    expect(await whom(await client(engine.port), shortPacket(home.id))).toBe(ELSEWHERE);
  });
});

const id = randomBytes(8);
const long = (packet: Partial<LongPacket>): Buffer => longPacket({ to: id, from: randomBytes(4), ...packet });

describe('what names a connection', () => {
  test.each([
    { why: 'a short header', datagram: shortPacket(id) },
    { why: 'a Handshake packet', datagram: long({ type: 'handshake' }) },
    { why: 'one of version 2', datagram: long({ type: 'handshake', version: quicVersions.v2 }) },
  ])('$why', async ({ datagram }) => {
    const { engine } = await stage({ id });
    await connected(engine, id);
    await (await client(engine.port)).send(datagram);
    await eventually('that it is followed', () => engine.followed === 1);
  });

  test.each([
    { why: 'an Initial packet, which may begin another one', datagram: long({}) },
    { why: 'a 0-RTT packet, likewise', datagram: long({ type: 'zeroRtt' }) },
    { why: 'a short header with another id', datagram: shortPacket(randomBytes(8)) },
    { why: 'a datagram too short for a packet', datagram: shortPacket(id, randomBytes(19)) },
    { why: 'an id of another length', datagram: shortPacket(id.subarray(0, 7)) },
  ])('not $why', async ({ datagram }) => {
    const { engine, other } = await stage({ id });
    await connected(engine, id);
    await (await client(engine.port)).send(datagram);
    await eventually('the datagram', () => other.opened.peer.received[0]);
    expect(engine.followed).toBe(0);
  });

  const learned = [
    { why: 'of 8 bytes', bytes: 8, follows: true },
    { why: 'of 20 bytes', bytes: 20, follows: true },
    { why: 'of 7 bytes, which may come about by chance', bytes: 7, follows: false },
    { why: 'of 4 bytes that are configured', bytes: 4, idBytes: 4, follows: true },
    { why: 'of other than the configured length', bytes: 18, idBytes: 8, follows: false },
    { why: 'that a client has chosen: Version Negotiation', bytes: 8, version: 0, follows: false },
  ];
  test.each(learned)('an id $why: $follows', async ({ bytes, idBytes = 0, version, follows }) => {
    const own = randomBytes(bytes);
    const { engine } = await stage({
      id: own,
      ...(version !== undefined && { version }),
      quic: { follows: true, idBytes },
    });
    await connected(engine, own);
    const answer = await whom(await client(engine.port), shortPacket(own));
    expect(answer).toBe(follows ? AT_HOME : ELSEWHERE);
  });
});

describe('somebody who is not the client', () => {
  test('gets no place with a forged source: it confirms no answer', async () => {
    const { home, engine } = await stage();
    await (await client(engine.port)).ask(initial());
    expect(await whom(await client(engine.port), shortPacket(home.id))).toBe(ELSEWHERE);
  });

  test('takes no answer from the client with an id that he has seen', async () => {
    const home = await listenUdp(({ bytes }, reply) => {
      if ((bytes[0] as number) >= 0x80) reply(longPacket({ to: randomBytes(8), from: id }));
      else if (bytes.includes('key')) reply(AT_HOME);
    });
    stops.push(() => home.close());
    const engine = engineOf({ endpoints: [{ host: '127.0.0.1', port: home.port }] });
    const peer = await client(engine.port);
    const genuine = shortPacket(id, Buffer.from('a packet made with the right key'));
    await peer.ask(initial());
    await peer.ask(genuine);
    const attacker = await client(engine.port);
    await attacker.send(shortPacket(id));
    await eventually('what he sends', () => home.senders.length === 2);
    for (let turn = 0; turn < 5; turn += 1) expect(await whom(peer, genuine)).toBe(AT_HOME);
    expect(attacker.received).toEqual([]);
  });

  test('can not claim the id of another client', async () => {
    const { home, other, engine } = await stage();
    await connected(engine, home.id);
    const attacker = await connected(engine, other.id);
    expect(await whom(attacker, shortPacket(home.id))).toBe(ELSEWHERE);
    expect(await whom(await client(engine.port), shortPacket(home.id))).toBe(AT_HOME);
  });
});
