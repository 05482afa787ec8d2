import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { KcpEvent } from '../../src/addon/kcp.js';
import type { Engine } from '../../src/addon.js';
import { datagramClient, echoDatagrams, listenUdp } from '../support/datagrams.js';
import { dial, echo, listenTcp, type Peer } from '../support/tcp.js';
import { eventually } from '../support/wait.js';
import { type EngineLinks, FlowEngine, type FlowEngineOptions } from './flow-engine.js';
import { agreedBy, answerWith, establishedBy, hello, kcpProfile, TestEndpoint } from './kcp-endpoint.js';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** Shakes hands, as both ends. */
function shake(event: KcpEvent, engine: Engine): void {
  if (event.kind === 'hello')
    engine.kcpAccept(event.handle, { ...agreedBy('server'), answer: answerWith(event.token) });
  if (event.kind === 'begin') engine.kcpSend(event.link, hello());
  if (event.kind === 'answer') engine.kcpEstablish(event.link, establishedBy(event.bytes));
}

function engineOf(
  links: Partial<EngineLinks>,
  options: FlowEngineOptions,
): { engine: FlowEngine; told: KcpEvent[] } {
  const told: KcpEvent[] = [];
  const engine = new FlowEngine({
    ...options,
    links: {
      profile: kcpProfile,
      onEvent: (event, native) => {
        told.push(event);
        shake(event, native);
      },
      ...links,
    },
  });
  stops.push(() => engine.close());
  return { engine, told };
}

async function endpoint(serve: (peer: Peer) => void = echo) {
  const opened = await listenTcp(serve);
  stops.push(() => opened.close());
  return { opened, address: { host: '127.0.0.1', port: opened.port } };
}

async function client(port: number) {
  const links = new TestEndpoint();
  stops.push(() => links.close());
  return { links, link: await links.connect(port) };
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('a listener of links', () => {
  test.each([
    { why: 'decided before the first byte', identifies: false },
    { why: 'decided by the first bytes', identifies: true },
  ])('relays their streams as connections of their peer, $why', async ({ identifies }) => {
    const { address } = await endpoint();
    const { engine } = engineOf({ takes: 'links' }, { endpoints: [address], identifies });
    const { links, link } = await client(engine.port);
    const bytes = randomBytes(2_000_000);
    const stream = links.open(link).send(bytes).finish();
    expect(await stream.ended).toBe('fin');
    expect(sha256(stream.received)).toBe(sha256(bytes));
    await eventually('the end', () => engine.of('ended').length === 1);
    expect(engine.of('ended')[0]).toMatchObject({
      reason: 'done',
      isKcp: true,
      isDatagram: false,
      bytesUp: bytes.length,
      bytesDown: bytes.length,
    });
    expect(engine.of('ended')[0]?.source).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(engine.links).toBe(1);
    expect(engine.flows).toBe(0);
    const [row] = engine.engine.kcpLinks();
    expect(row).toMatchObject({ profile: 7, listener: 2, isClient: false, state: 'up' });
    const { slot, generation } = engine.of('ended')[0] as { slot: number; generation: number };
    expect(engine.engine.destination(slot, generation)).toBe(null);
  });

  test('beside flows on one port: each datagram goes to whom it is for', async () => {
    const udp = await listenUdp(echoDatagrams);
    stops.push(() => udp.close());
    const { address } = await endpoint();
    const { engine } = engineOf(
      { takes: 'both' },
      {
        endpoints: [address, { host: '127.0.0.1', port: udp.port }],
        decide: (flow, own) => own.dial(flow, flow.isDatagram ? 1 : 0),
      },
    );
    const { links, link } = await client(engine.port);
    const peer = await datagramClient(engine.port, {});
    stops.push(() => peer.close());
    const stream = links.open(link);
    // The first bytes of links, in datagrams that are not theirs.
    const others = [
      Buffer.from([0xa8]),
      Buffer.from('a8000000', 'hex'),
      Buffer.alloc(100, 0xa8),
      Buffer.alloc(512, 0x20),
    ];
    for (const [index, datagram] of others.entries()) {
      stream.send(`${index}`);
      expect((await peer.ask(datagram)).bytes.equals(datagram)).toBe(true);
    }
    expect((await stream.bytes(4)).toString()).toBe('0123');
    expect(engine.flows).toBe(1);
    expect(engine.links).toBe(1);
    expect(engine.linkDrops.unknown).toBe(0);
  });

  test('drops and counts what is no link of its own', async () => {
    const { engine } = engineOf({ takes: 'links' }, { endpoints: [] });
    const peer = await datagramClient(engine.port, {});
    stops.push(() => peer.close());
    await peer.send('plain');
    await peer.send(Buffer.alloc(100, 0xa8));
    await peer.send(Buffer.alloc(511, 0xa9));
    await eventually('all are counted', () => engine.linkDrops.unknown + engine.linkDrops.malformed === 3);
    expect(engine.seen).toEqual([]);
  });

  test('a reset by the client reaches the endpoint as a reset, and the other way round', async () => {
    const peers: Peer[] = [];
    const { address } = await endpoint((peer) => peers.push(peer));
    const { engine } = engineOf({ takes: 'links' }, { endpoints: [address] });
    const { links, link } = await client(engine.port);
    const first = links.open(link).send('x');
    await eventually('the connection', () => peers.length === 1);
    links.endpoint.reset(first.stream);
    expect(await peers[0]?.ended).toBe('reset');
    const second = links.open(link).send('x');
    await eventually('the connection', () => peers.length === 2);
    peers[1]?.reset();
    await eventually('the reset', () => links.resets.has(second.stream));
    await eventually('both ends', () => engine.of('ended').length === 2);
    expect(engine.of('ended').map(({ reason, by }) => ({ reason, by }))).toEqual([
      { reason: 'reset', by: 'client' },
      { reason: 'reset', by: 'upstream' },
    ]);
  });

  test('what the engine ends by itself is a reset of the stream', async () => {
    const { address } = await endpoint();
    const { engine } = engineOf({ takes: 'links' }, { endpoints: [address] });
    const { links, link } = await client(engine.port);
    const stream = links.open(link).send('x');
    await stream.bytes(1);
    const { slot, generation } = engine.of('connected')[0] as { slot: number; generation: number };
    expect(engine.engine.destination(slot, generation)).toEqual({ host: '127.0.0.1', port: engine.port });
    engine.engine.end(slot, generation, 0, 0);
    await eventually('the reset', () => links.resets.has(stream.stream));
  });

  test('goes on with its links when the Plan changes, and ends them when their profile goes', async () => {
    const { address } = await endpoint();
    const { engine, told } = engineOf({ takes: 'links' }, { endpoints: [address] });
    const { links, link } = await client(engine.port);
    const stream = links.open(link).send('a');
    await stream.bytes(1);
    engine.adopt();
    stream.send('b');
    await stream.bytes(2);
    await links.open(link).send('c').bytes(1);
    engine.adopt({
      tables: { kcpProfiles: [], listeners: [{ ...listenerOf(engine), kcp: -1, kcpOnly: false }] },
    });
    await eventually('the end', () => links.of('down').length === 1);
    expect(links.of('down')[0]?.reason).toBe('shutdown');
    await eventually('no links', () => engine.links === 0);
    expect(told.filter(({ kind }) => kind === 'down')).toHaveLength(1);
  });

  test('takes no links and streams while it drains; what is there goes on', async () => {
    const { address } = await endpoint();
    const { engine } = engineOf({ takes: 'links' }, { endpoints: [address] });
    const { links, link } = await client(engine.port);
    const stream = links.open(link).send('a');
    await stream.bytes(1);
    engine.engine.stopAccepting();
    stream.send('b');
    await stream.bytes(2);
    const late = links.open(link).send('x');
    await eventually('the refusal', () => links.resets.has(late.stream));
    const other = new TestEndpoint();
    stops.push(() => other.close());
    other.endpoint.connect({ host: '127.0.0.1', port: engine.port }, 500);
    await eventually('no answer', () => other.of('down').length === 1);
    expect(stream.ending).toBe(undefined);
  });

  test('ends its links when another process has the socket', async () => {
    const { engine } = engineOf({ takes: 'links' }, { endpoints: [] });
    const { links } = await client(engine.port);
    engine.engine.stopAccepting(true);
    await eventually('the end', () => links.of('down').length === 1);
    expect(links.of('down')[0]?.reason).toBe('shutdown');
  });
});

describe('an upstream that is reached through a link', () => {
  async function chain(options: Partial<FlowEngineOptions> = {}, serve?: (peer: Peer) => void) {
    const { address, opened } = await endpoint(serve);
    const far = engineOf({ takes: 'links' }, { endpoints: [address] });
    const near = engineOf(
      { over: true },
      { endpoints: [{ host: '127.0.0.1', port: far.engine.port }], streams: true, ...options },
    );
    return { far, near, opened };
  }

  async function connect(engine: FlowEngine): Promise<Peer> {
    const peer = await dial(engine.streamPort);
    stops.push(() => peer.socket.destroy());
    return peer;
  }

  test('carries sessions, many on one link, each with its own bytes', async () => {
    const { far, near } = await chain({ tables: {} });
    const peers = await Promise.all(Array.from({ length: 8 }, () => connect(near.engine)));
    const sent = peers.map((peer) => {
      const bytes = randomBytes(300_000);
      peer.send(bytes).finish();
      return bytes;
    });
    for (const [index, peer] of peers.entries()) {
      expect(await peer.ended).toBe('fin');
      expect(sha256(peer.received)).toBe(sha256(sent[index] as Buffer));
    }
    expect(near.engine.links).toBe(1);
    expect(far.engine.links).toBe(1);
    await eventually('all have ended', () => near.engine.of('ended').length === 8);
    for (const { reason } of [...near.engine.of('ended'), ...far.engine.of('ended')])
      expect(reason).toBe('done');
    await eventually('no streams', () => near.engine.engine.kcpLinks()[0]?.streams === 0);
    await eventually('no streams', () => far.engine.engine.kcpLinks()[0]?.streams === 0);
  });

  test('half-close and reset pass, both ways', async () => {
    const served: Peer[] = [];
    const { near } = await chain({}, (peer) => served.push(peer));
    const half = (await connect(near.engine)).send('question').finish();
    await eventually('the connection', () => served.length === 1);
    expect(await served[0]?.ended).toBe('fin');
    served[0]?.send('answer').finish();
    expect(await half.ended).toBe('fin');
    expect(half.received.toString()).toBe('answer');
    const resets = (await connect(near.engine)).send('x');
    await eventually('the connection', () => served.length === 2);
    resets.reset();
    expect(await served[1]?.ended).toBe('reset');
    const isReset = (await connect(near.engine)).send('x');
    await eventually('the connection', () => served.length === 3);
    served[2]?.reset();
    expect(await isReset.ended).toBe('reset');
  });

  test('the next session begins the link anew when it has died', async () => {
    const { far, near } = await chain();
    const first = (await connect(near.engine)).send('a');
    await first.bytes(1);
    const [row] = far.engine.engine.kcpLinks();
    far.engine.engine.kcpEnd(row?.link as number);
    expect(await first.ended).toBe('reset');
    const second = (await connect(near.engine)).send('b');
    expect((await second.bytes(1)).toString()).toBe('b');
    expect(near.told.filter(({ kind }) => kind === 'begin')).toHaveLength(2);
  });

  test('an endpoint that does not answer is unreachable after dial_timeout', async () => {
    const silent = await datagramClient(1, {});
    stops.push(() => silent.close());
    const { engine } = engineOf(
      { over: true },
      {
        endpoints: [{ host: '127.0.0.1', port: silent.port }],
        streams: true,
        decide: (flow, own) =>
          flow.kind === 'unreachable'
            ? own.answers.end(flow, 0, 'proxy', 'connect', 'connect_failed', 'reset')
            : own.dial(flow),
      },
    );
    (await connect(engine)).send('x');
    await eventually('the failure', () => engine.of('unreachable').length === 1);
  });

  test('a link without streams ends after its idle time', async () => {
    const { address } = await endpoint();
    const far = engineOf({ takes: 'links' }, { endpoints: [address] });
    const near = engineOf(
      { over: true, profile: { ...kcpProfile, idleMs: 300 } },
      { endpoints: [{ host: '127.0.0.1', port: far.engine.port }], streams: true },
    );
    const peer = (await connect(near.engine)).send('a').finish();
    await peer.ended;
    await eventually('the end', () =>
      near.told.some((event) => event.kind === 'down' && event.reason === 'idle'),
    );
    await eventually('no links', () => far.engine.links === 0 && near.engine.links === 0);
  });
});

const listenerOf = (engine: FlowEngine) => {
  const [listener] = engine.tables().listeners;
  if (!listener) throw new Error('no listener');
  return listener;
};

const idOf = (datagram: Buffer, at: number) => datagram.toString('hex', at, at + 8);

describe('strangers', () => {
  const COUNT = process.env.ANYPORT_SOAK === '1' ? 1_000_000 : 20_000;

  test(`${COUNT} random, cut and repeated datagrams make no link, and no answer is longer than its cause`, async () => {
    const { engine } = engineOf({ takes: 'links' }, { endpoints: [] });
    const peer = await datagramClient(engine.port, {});
    stops.push(() => peer.close());
    const types = [0xa8, 0xa9, 0xaa, 0xab, 0xac, 0x00, 0xff];
    // Packets of links by the id of the link.
    const lengths = new Map<string, number>();
    let sent = 0;
    for (let index = 0; index < COUNT; index += 1) {
      const kind = index % types.length;
      const length = kind === 1 && index % 4 === 1 ? 512 : 1 + ((index * 7919) % 1400);
      const datagram = randomBytes(length);
      datagram[0] = types[kind] as number;
      if (kind === 0) lengths.set(idOf(datagram, 2), length);
      await peer.send(datagram);
      sent += 1;
      if (sent % 256 === 0) await sleep(0);
    }
    const { links, link } = await client(engine.port);
    expect(links.endpoint.links()[0]?.link).toBe(link);
    expect(engine.links).toBe(1);
    expect(engine.of('ended')).toEqual([]);
    // A cookie, for 512 bytes, or the reset of a link.
    for (const { bytes } of peer.received) {
      expect(bytes.length).toBe(25);
      if (bytes[0] === 0xac) expect(lengths.get(idOf(bytes, 1))).toBeGreaterThanOrEqual(25);
      else expect(bytes[0]).toBe(0xaa);
    }
    expect(new Set(peer.received.map(({ bytes }) => bytes[0]))).toEqual(new Set([0xaa, 0xac]));
  });
});
