/** Flows of datagrams in a real engine, over real sockets: from the first datagram to the end. */
import { createSocket, type Socket } from 'node:dgram';
import { afterEach, describe, expect, test } from 'vitest';
import {
  type DatagramPeer,
  datagramClient,
  echoDatagrams,
  listenUdp,
  namedEcho,
  type ServeDatagram,
} from '../support/datagrams.js';
import { eventually } from '../support/wait.js';
import { FlowEngine, type FlowEngineOptions } from './flow-engine.js';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function endpoint(serve?: ServeDatagram, host?: string, port?: number) {
  const opened = await listenUdp(serve, host, port);
  stops.push(() => opened.close());
  return { opened, peer: opened.peer, address: { host: host ?? '127.0.0.1', port: opened.port } };
}

async function client(port: number, options = {}): Promise<DatagramPeer> {
  const peer = await datagramClient(port, options);
  stops.push(() => peer.close());
  return peer;
}

function engineOf(options: FlowEngineOptions): FlowEngine {
  const engine = new FlowEngine(options);
  stops.push(() => engine.close());
  return engine;
}

/** Datagrams on their way at once: a socket's buffer has room for them where the system allows no more. */
const WINDOW = 32;

describe('a flow', () => {
  test.each([
    { why: 'decided before the first datagram', identifies: false },
    { why: 'decided by the first datagram', identifies: true },
  ])('$why carries datagrams both ways, in their order, each as it was', async ({ identifies }) => {
    const { address } = await endpoint(echoDatagrams);
    const engine = engineOf({ endpoints: [address], identifies });
    const peer = await client(engine.port);
    const sent = Array.from({ length: 200 }, (_, index) => `${index}:${'x'.repeat((index * 37) % 1400)}`);
    await peer.ask(sent[0] as string);
    for (const [index, text] of sent.entries()) {
      if (index === 0) continue;
      await peer.send(text);
      if (index % WINDOW === 0) await peer.datagram(index);
    }
    await peer.datagram(sent.length - 1);
    expect(peer.texts).toEqual(sent);
    expect(engine.flows).toBe(1);
    expect(engine.flowsOfAll).toBe(1);
    expect(engine.datagrams).toEqual({ up: 200, down: 200 });
    expect(engine.seen.every(({ isDatagram }) => isDatagram)).toBe(true);
    expect(engine.of('connected')).toHaveLength(1);
    expect(engine.dropped).toEqual({});
  });

  test.each([0, 1, 1472, 9000, 65_507])('%i bytes pass both ways', async (bytes) => {
    const { address } = await endpoint(echoDatagrams);
    const engine = engineOf({ endpoints: [address] });
    const peer = await client(engine.port);
    await peer.ask('first');
    const large = Buffer.alloc(bytes, 'ab');
    await peer.send(large);
    expect((await peer.datagram(1)).bytes.equals(large)).toBe(true);
  });

  test('its first datagram may be as large as one may be', async () => {
    const { address } = await endpoint(echoDatagrams);
    const engine = engineOf({ endpoints: [address], identifies: true });
    const peer = await client(engine.port);
    const large = Buffer.alloc(65_507, 'ab');
    expect((await peer.ask(large)).bytes.equals(large)).toBe(true);
  });

  test('each client has its own, and nobody gets the answers of another', async () => {
    const echo = await endpoint(echoDatagrams);
    const engine = engineOf({ endpoints: [echo.address] });
    const peers = await Promise.all(Array.from({ length: 50 }, () => client(engine.port)));
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(peers.map((peer, index) => peer.send(`${index}/${round}`)));
      await Promise.all(peers.map((peer) => peer.datagram(round)));
    }
    for (const [index, { texts }] of peers.entries())
      expect(texts).toEqual(Array.from({ length: 20 }, (_, round) => `${index}/${round}`));
    expect(engine.flows).toBe(50);
    expect(echo.opened.senders).toHaveLength(50);
  });

  test('ends when it is idle, both directions count, and its client begins another', async () => {
    const { address, peer: server } = await endpoint();
    const engine = engineOf({ endpoints: [address], udp: { idleTimeoutMs: 400 } });
    const peer = await client(engine.port);
    await peer.send('up');
    const { from } = await server.datagram(0);
    const until = Date.now() + 1200;
    while (Date.now() < until) {
      await server.send('down', from);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(engine.of('ended')).toEqual([]);
    const [ended] = await eventually('the end', () =>
      engine.of('ended').length > 0 ? engine.of('ended') : undefined,
    );
    expect(ended).toMatchObject({ reason: 'idle_timeout', by: 'timeout', bytesUp: 2 });
    expect(engine.flows).toBe(0);
    expect(engine.flowsOfAll).toBe(0);
    await peer.send('again');
    await eventually('another flow', () => (engine.of('connected').length === 2 ? true : undefined));
  });
});

describe('an endpoint that is gone', () => {
  test('is left at the next datagram, which goes to another one', async () => {
    const first = await listenUdp(namedEcho('first'));
    const second = await endpoint(namedEcho('second'));
    const engine = engineOf({
      endpoints: [{ host: '127.0.0.1', port: first.port }, second.address],
      decide: (flow, self) => self.dial(flow, flow.kind === 'unreachable' ? 1 : 0),
    });
    const peer = await client(engine.port);
    expect((await peer.ask('a')).bytes.toString()).toBe('first:a');
    await first.close();
    // The kernel tells of the first one that finds nobody.
    await peer.send('b');
    expect((await peer.ask('c', { again: true })).bytes.toString()).toBe('second:c');
    const [unreachable] = engine.of('unreachable');
    expect(unreachable).toMatchObject({ upstream: 0, endpoint: 10, isDatagram: true });
    expect(engine.of('connected')).toHaveLength(2);
    expect(engine.flows).toBe(1);
    expect(engine.endpointSessions).toBe(1);
  });

  test('never stops the listener: who comes back is served', async () => {
    const server = await listenUdp(echoDatagrams);
    const engine = engineOf({
      endpoints: [{ host: '127.0.0.1', port: server.port }],
      decide: (flow, self) => {
        if (flow.kind !== 'unreachable') return self.dial(flow);
        self.answers.end(flow, 0, 'upstream', 'connect', 'connect_failed', 'reset');
      },
    });
    const peer = await client(engine.port);
    await peer.ask('a');
    await server.close();
    await eventually('its end', async () => {
      await peer.send('nobody');
      return engine.of('ended')[0];
    });
    const back = await endpoint(echoDatagrams, '127.0.0.1', server.port);
    await peer.send('b');
    await eventually('an answer', () => peer.texts.includes('b'));
    expect(back.peer.received.length).toBeGreaterThan(0);
  });
});

describe('limits', () => {
  test('responses: a flow is done with the last answer that is due', async () => {
    const { address } = await endpoint(({ bytes }, reply) => {
      for (let i = 0; i < 3; i += 1) reply(`${bytes}${i}`);
    });
    const engine = engineOf({ endpoints: [address], udp: { responses: 2 } });
    const peer = await client(engine.port);
    await peer.send('a');
    const ended = await eventually('the end', () => engine.of('ended')[0]);
    expect(ended).toMatchObject({ reason: 'done', by: 'upstream', bytesUp: 1, bytesDown: 4 });
    await peer.datagram(1);
    expect(peer.texts).toEqual(['a0', 'a1']);
    expect(engine.datagrams).toEqual({ up: 1, down: 2 });
    expect(engine.flowsOfAll).toBe(0);
  });

  test('amplification: a client that is not heard of again gets no more than so many times what it sent', async () => {
    const { address, peer: server } = await endpoint();
    const engine = engineOf({ endpoints: [address], udp: { amplification: 3 } });
    const peer = await client(engine.port);
    await peer.send('1234567890');
    const { from } = await server.datagram(0);
    await server.send('x'.repeat(20), from);
    await server.send('y'.repeat(20), from);
    await server.send('z'.repeat(10), from);
    await peer.datagram(1);
    expect(peer.texts).toEqual(['x'.repeat(20), 'z'.repeat(10)]);
    expect(engine.dropped).toEqual({ amplification: 1 });
    // It has heard the answer, and so is where it says.
    await peer.send('1');
    await server.datagram(1);
    await server.send('w'.repeat(1000), from);
    expect((await peer.datagram(2)).bytes).toHaveLength(1000);
  });

  test('max_flows: the oldest flow whose client has not confirmed an answer goes for a new one', async () => {
    const { address } = await endpoint(echoDatagrams);
    const engine = engineOf({ endpoints: [address], tables: { flowsMax: 3 } });
    const [confirmed, first, second, third] = await Promise.all([0, 1, 2, 3].map(() => client(engine.port)));
    await confirmed?.ask('a');
    await confirmed?.ask('b');
    await first?.ask('c');
    await second?.ask('d');
    await third?.ask('e');
    expect(engine.of('ended').map(({ reason, source }) => `${reason} ${source}`)).toEqual([
      `over_limit ${first?.address}`,
    ]);
    expect(engine.flowsOfAll).toBe(3);
    await confirmed?.ask('f');
    expect(engine.of('connected')).toHaveLength(4);
  });

  test('max_flows: where all are confirmed a new one is refused, and told', async () => {
    const { address } = await endpoint(echoDatagrams);
    const engine = engineOf({ endpoints: [address], tables: { flowsMax: 1 } });
    const peer = await client(engine.port);
    await peer.ask('a');
    await peer.ask('b');
    const other = await client(engine.port);
    await other.send('c');
    const refused = await eventually('a refusal', () => engine.of('refused')[0]);
    expect(refused).toMatchObject({ refused: 'max_flows', source: other.address, isDatagram: true });
    expect(engine.dropped).toEqual({ no_flow: 1 });
    expect((await peer.ask('d')).bytes.toString()).toBe('d');
  });

  test('max_flows_per_ip: of one source so many, and others are served', async () => {
    const { address } = await endpoint(echoDatagrams);
    const engine = engineOf({ endpoints: [address], tables: { flowsPerSource: 2 } });
    const peers = await Promise.all([0, 1].map(() => client(engine.port)));
    for (const peer of peers) await peer.ask('a');
    const third = await client(engine.port);
    await third.send('b');
    const refused = await eventually('a refusal', () => engine.of('refused')[0]);
    expect(refused?.refused).toBe('max_flows_per_ip');
    expect(engine.dropped).toEqual({ per_ip: 1 });
    const other = await client(engine.port, { from: '127.0.0.2' });
    expect((await other.ask('c')).bytes.toString()).toBe('c');
  });

  test('bandwidth: what is beyond it is dropped and counted', async () => {
    const { address, peer: server } = await endpoint();
    const engine = engineOf({ endpoints: [address], bandwidth: { up: 10_000, down: 0, per: 'session' } });
    const peer = await client(engine.port);
    await peer.send('first');
    await server.datagram(0);
    // 50 ms of the rate at once, and a little for the time that passes.
    for (let i = 0; i < 20; i += 1) await peer.send('x'.repeat(100));
    await eventually('drops', () => (engine.dropped.queue_full ?? 0) > 0);
    const passed = await eventually('all', () => {
      const { up } = engine.datagrams;
      return up + (engine.dropped.queue_full ?? 0) === 21 ? up : undefined;
    });
    expect(passed).toBeLessThan(21);
    expect(passed).toBeGreaterThan(4);
  });

  test('bandwidth: datagrams that come in one piece are asked for one by one', async () => {
    const { address, peer: server } = await endpoint();
    const engine = engineOf({ endpoints: [address], bandwidth: { up: 10_000, down: 0, per: 'session' } });
    // What this one receives at once it sends in one piece.
    const before = engineOf({ endpoints: [{ host: '127.0.0.1', port: engine.port }] });
    const peer = await client(before.port);
    await peer.send('first');
    await server.datagram(0);
    await Promise.all(Array.from({ length: 40 }, () => peer.send('x'.repeat(100))));
    const passed = await eventually('all', () => {
      const { up } = engine.datagrams;
      return up + (engine.dropped.queue_full ?? 0) === 41 ? up : undefined;
    });
    await server.datagram(passed - 1);
    // 50 ms of the rate are 5 of them; and what time brings while they are looked at.
    expect(passed).toBeGreaterThan(4);
    expect(passed).toBeLessThan(20);
    expect(server.received.slice(1).every(({ bytes }) => bytes.length === 100)).toBe(true);
  });

  test('per datagram: each one is a flow of its own', async () => {
    const { address, opened } = await endpoint(echoDatagrams);
    const engine = engineOf({ endpoints: [address], udp: { per: 'datagram', responses: 1 } });
    const peer = await client(engine.port);
    for (let i = 0; i < 5; i += 1) await peer.send(`${i}`);
    await peer.datagram(4);
    expect(new Set(peer.texts)).toEqual(new Set(['0', '1', '2', '3', '4']));
    expect(opened.senders).toHaveLength(5);
    await eventually('their ends', () => engine.of('ended').length === 5);
  });
});

describe('PROXY headers', () => {
  const header = (source: string, port: number): Buffer => {
    const fixed = Buffer.from('0d0a0d0a000d0a515549540a2112000c', 'hex');
    const block = Buffer.alloc(12);
    block.set(source.split('.').map(Number), 0);
    block.set([127, 0, 0, 1], 4);
    block.writeUInt16BE(port, 8);
    block.writeUInt16BE(53, 10);
    return Buffer.concat([fixed, block]);
  };
  const trustedProxies = [{ address: '127.0.0.0', bits: 8 }];

  test('come with each datagram of a trusted proxy and are taken off; the announced client is the source', async () => {
    const { address, peer: server, opened } = await endpoint(echoDatagrams);
    const engine = engineOf({
      endpoints: [address],
      trustedProxies,
      decide: (flow, self) => self.dial(flow),
    });
    const proxy = await client(engine.port);
    const [one, other] = [header('192.0.2.1', 1000), header('192.0.2.2', 2000)];
    for (const text of ['a', 'b', 'c']) {
      await proxy.send(Buffer.concat([one, Buffer.from(text)]));
      await proxy.send(Buffer.concat([other, Buffer.from(text.toUpperCase())]));
    }
    await proxy.datagram(5);
    expect(new Set(proxy.texts)).toEqual(new Set(['A', 'B', 'C', 'a', 'b', 'c']));
    expect(opened.senders).toHaveLength(2);
    const [first] = server.received;
    expect(
      server.received.filter(({ from }) => from === first?.from).map(({ bytes }) => bytes.toString()),
    ).toEqual(['a', 'b', 'c']);
    engine.engine.endAll(0, 0);
    await eventually('the ends', () => engine.of('ended').length === 2);
    expect(new Set(engine.of('ended').map(({ source }) => source))).toEqual(
      new Set(['192.0.2.1:1000', '192.0.2.2:2000']),
    );
  });

  test('are missing: the datagram is refused, and later ones with it', async () => {
    const { address, peer: server } = await endpoint();
    const engine = engineOf({ endpoints: [address], trustedProxies });
    const proxy = await client(engine.port);
    await proxy.send('no header');
    const ended = await eventually('the end', () => engine.of('ended')[0]);
    expect(ended?.reason).toBe('rejected');
    expect(server.received).toEqual([]);
  });

  test('go out before every datagram', async () => {
    const { address, peer: server } = await endpoint(echoDatagrams);
    const preamble = header('192.0.2.9', 9);
    const engine = engineOf({ endpoints: [address], preamble });
    const peer = await client(engine.port);
    await peer.ask('first');
    const sent = ['a', 'b', 'cc', '', 'd'.repeat(3000), 'e'.repeat(3000), 'f'];
    for (const text of sent) await peer.send(text);
    await peer.datagram(sent.length);
    expect(server.received.map(({ bytes }) => bytes.toString('latin1'))).toEqual(
      ['first', ...sent].map((text) => preamble.toString('latin1') + text),
    );
    expect(engine.datagrams.up).toBe(8);
  });
});

describe('a change of the Plan', () => {
  test('keeps flows where their endpoint still is, and the socket that is left open for them', async () => {
    const { address } = await endpoint(echoDatagrams);
    const engine = engineOf({ endpoints: [address] });
    const peer = await client(engine.port);
    await peer.ask('a');
    engine.adopt();
    await peer.ask('b');
    expect(engine.of('connected')).toHaveLength(1);
    engine.adopt({ tables: { listeners: [] } }, false);
    await peer.ask('c');
    const other = await client(engine.port);
    await other.send('nobody');
    await eventually('a drop', () => engine.dropped.no_flow === 1);
    engine.engine.endAll(0, 0);
    await eventually('the end', () => engine.of('ended')[0]);
  });

  const gone = { upstreams: [] as never[] };
  test.each([
    { onReload: 'keep', answer: 'first:b', ends: 0 },
    { onReload: 'move', answer: 'second:b', ends: 0 },
    { onReload: 'close', answer: 'second:b', ends: 1 },
  ] as const)('$onReload: a flow whose endpoint is gone', async ({ onReload, answer, ends }) => {
    const first = await endpoint(namedEcho('first'));
    const second = await endpoint(namedEcho('second'));
    const engine = engineOf({ endpoints: [first.address, second.address], udp: { onReload } });
    const peer = await client(engine.port);
    expect((await peer.ask('a')).bytes.toString()).toBe('first:a');
    const upstream = { ...engine.tables().upstreams[0], endpoints: [11] } as never;
    engine.adopt({
      tables: { upstreams: [upstream] },
      decide: (flow, self) => self.dial(flow, 1),
    });
    if (ends > 0) await eventually('the end', () => engine.of('ended')[0]);
    expect((await peer.ask('b')).bytes.toString()).toBe(answer);
    expect(engine.of('ended')).toHaveLength(ends);
    expect(engine.of('moved').map(({ upstream: index, isDatagram }) => [index, isDatagram])).toEqual(
      onReload === 'move' ? [[0, true]] : [],
    );
    expect(engine.endpointSessions).toBe(1);
  });

  test('an upstream that is gone ends its flows at their next datagram', async () => {
    const { address } = await endpoint(echoDatagrams);
    const engine = engineOf({ endpoints: [address] });
    const peer = await client(engine.port);
    await peer.ask('a');
    engine.adopt({ tables: gone, decide: () => {} });
    await peer.send('b');
    const ended = await eventually('the end', () => engine.of('ended')[0]);
    expect(ended).toMatchObject({ reason: 'upstream_gone', by: 'proxy' });
  });

  test('handed over, the socket is let go at once and its flows end', async () => {
    const { address } = await endpoint(echoDatagrams);
    const engine = engineOf({ endpoints: [address] });
    const peers = await Promise.all([0, 1, 2].map(() => client(engine.port)));
    for (const peer of peers) await peer.ask('a');
    engine.engine.stopAccepting(true);
    await eventually('the ends', () => engine.of('ended').length === 3);
    expect(engine.of('ended').every(({ reason }) => reason === 'drain_timeout')).toBe(true);
    expect(engine.flowsOfAll).toBe(0);
  });
});

test('a handler has a socket of its own, connected to the flow', async () => {
  const { address } = await endpoint();
  const handlers: Socket[] = [];
  const engine = engineOf({
    endpoints: [address],
    decide: (flow, self) => {
      const fd = self.engine.attach(flow.slot, flow.generation, 0, 0);
      const socket = createSocket('udp4');
      socket.bind({ fd });
      // Node knows only of sockets that it has connected itself (src/worker/in-process-flow.ts).
      const state = Object.getOwnPropertySymbols(socket).find(
        ({ description }) => description === 'state symbol',
      );
      Object.assign((socket as unknown as Record<symbol, object>)[state as symbol] ?? {}, {
        connectState: 2,
      });
      socket.on('message', (bytes) => socket.send(`served ${bytes}`));
      handlers.push(socket);
    },
  });
  stops.push(() => {
    for (const each of handlers) each.close();
  });
  const peer = await client(engine.port);
  expect((await peer.ask('a')).bytes.toString()).toBe('served a');
  expect((await peer.ask('b')).bytes.toString()).toBe('served b');
  expect(engine.flows).toBe(1);
});

test.each([
  { why: 'IPv4', host: '0.0.0.0', asked: ['127.0.0.1', '127.0.0.7', '127.3.2.1'] },
  { why: 'IPv6', host: '::', asked: ['::1'] },
])('replies come from the address that was asked: $why', async ({ host, asked }) => {
  const { address } = await endpoint(echoDatagrams);
  const engine = engineOf({ endpoints: [address], host });
  const peer = await client(engine.port, { host: asked[0], ...(host === '::' ? {} : { from: '127.0.0.1' }) });
  for (const one of asked) {
    const to = one.includes(':') ? `[${one}]:${engine.port}` : `${one}:${engine.port}`;
    await peer.send(one, to);
    const answer = await eventually(`the answer of ${one}`, () =>
      peer.received.find(({ bytes }) => bytes.toString() === one),
    );
    expect(answer.from).toBe(to);
  }
  expect(engine.flows).toBe(asked.length);
});

test('an IPv4 client of a socket of both families is answered from the address that it asked', async () => {
  const { address } = await endpoint(echoDatagrams, '::1');
  const engine = engineOf({ endpoints: [address], host: '::' });
  const peer = await client(engine.port, { host: '127.0.0.5', from: '127.0.0.1' });
  const answer = await peer.ask('mapped');
  expect(answer.from).toBe(`127.0.0.5:${engine.port}`);
  expect(engine.of('arrived')[0]?.source).toBe(peer.address);
});
