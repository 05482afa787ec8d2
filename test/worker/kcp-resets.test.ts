/** A server that does not know a link any more says so, and its client believes nobody else. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { KcpEstablished } from '../../src/addon/kcp.js';
import { native } from '../../src/addon.js';
import { type DatagramPeer, datagramClient } from '../support/datagrams.js';
import { eventually } from '../support/wait.js';
import { FlowEngine } from './flow-engine.js';
import { agreedBy, ciphers, type EndpointOptions, kcpProfile, TestEndpoint } from './kcp-endpoint.js';

const RESET = 0xac;
const RESET_BYTES = 25;

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

function endpointOf(options: EndpointOptions = {}): TestEndpoint {
  const endpoint = new TestEndpoint(options);
  stops.push(() => endpoint.close());
  return endpoint;
}

/** Stands between a client and the server at `to`, which may be another one later. */
class Between {
  to: number | null = null;
  /** What the server has sent, also what did not pass. */
  readonly down: Buffer[] = [];
  readonly #client: DatagramPeer;
  readonly #server: DatagramPeer;
  #from = '';

  private constructor(client: DatagramPeer, server: DatagramPeer) {
    this.#client = client;
    this.#server = server;
    client.socket.on('message', (bytes, { address, port }) => {
      this.#from = `${address}:${port}`;
      if (this.to !== null) void server.send(bytes, `127.0.0.1:${this.to}`);
    });
    server.socket.on('message', (bytes, { port }) => {
      this.down.push(bytes);
      if (port === this.to && this.#from !== '') void this.say(bytes);
    });
  }

  static async open(): Promise<Between> {
    const ends = await Promise.all([datagramClient(1), datagramClient(1)]);
    stops.push(() => Promise.all(ends.map((end) => end.close())));
    return new Between(...ends);
  }

  get port(): number {
    return this.#client.port;
  }
  get resets(): Buffer[] {
    return this.down.filter((bytes) => bytes[0] === RESET);
  }
  /** To the client, as if it came from the server. */
  say(bytes: Uint8Array): Promise<void> {
    return this.#client.send(bytes, this.#from);
  }
  /** To the server. */
  ask(bytes: Uint8Array): Promise<void> {
    return this.#server.send(bytes, `127.0.0.1:${this.to}`);
  }
}

/** A link whose server is gone without a word; another one is at its place once it is `started`. */
async function orphan(options: EndpointOptions = {}) {
  const between = await Between.open();
  const server = new TestEndpoint(options);
  between.to = server.listen();
  const client = endpointOf(options);
  const link = await client.connect(between.port);
  const stream = client.open(link).send('x');
  await server.accepted();
  const start = (changed: EndpointOptions = {}) => {
    const next = endpointOf({ ...options, ...changed });
    between.to = next.listen();
    return next;
  };
  const kill = () => {
    between.to = null;
    server.close();
  };
  return { between, server, client, link, stream, start, kill };
}

const packetOf = (id: Uint8Array, bytes = 60): Buffer =>
  Buffer.concat([Buffer.of(0xa8, 0), id, Buffer.alloc(bytes - 2 - id.length, 7)]);

describe('a server that has started again', () => {
  test.each(Object.entries(ciphers))('ends the link with the next packet, with %s', async (_name, cipher) => {
    const { client, between, link, stream, start, kill } = await orphan({ cipher });
    kill();
    const next = start();
    stream.send('y');
    await eventually('the end', () => client.of('down').length === 1);
    expect(client.of('down')[0]).toMatchObject({ link, reason: 'lost', isClient: true });
    expect(client.resets).toEqual(new Set([stream.stream]));
    expect(client.endpoint.counts()).toMatchObject({ links: 0, resetsReceived: 1, dropped: { refused: 0 } });
    expect(next.endpoint.counts().resetsSent).toBeGreaterThan(0);
    expect(between.resets[0]).toHaveLength(RESET_BYTES);
    const again = client.open(await client.connect(between.port)).send('z');
    const served = await next.accepted();
    expect(`${await served.bytes(1)}`).toBe('z');
    again.finish();
  });

  test('says so of a link without streams, too: its heartbeat asks', async () => {
    const profile = { heartbeatMs: 100 };
    const { client, stream, start, kill } = await orphan({ profile, serve: (served) => served.finish() });
    stream.finish();
    await stream.ended;
    kill();
    start();
    await eventually('the end', () => client.of('down').length === 1);
    expect(client.of('down')[0]?.reason).toBe('lost');
  });

  test('with another key is not believed, and counted', async () => {
    const { client, link, between, stream, start, kill } = await orphan();
    kill();
    start({ profile: { resetKey: new Uint8Array(32).fill(4) } });
    stream.send('y');
    await eventually('it to be counted', () => client.endpoint.counts().dropped.refused > 0);
    expect(between.resets.length).toBeGreaterThan(0);
    expect(client.endpoint.links()).toMatchObject([{ link, state: 'up' }]);
    expect(client.endpoint.counts().resetsReceived).toBe(0);
  });

  test('without a lasting key: this process knows its own', async () => {
    const { client, stream, start, kill } = await orphan({ profile: { resetKey: null } });
    kill();
    start();
    stream.send('y');
    await eventually('the end', () => client.of('down').length === 1);
    expect(client.of('down')[0]?.reason).toBe('lost');
  });

  test('a link that is ending has its own reason', async () => {
    const { client, link, start, kill } = await orphan();
    kill();
    client.endpoint.end(link);
    start();
    await eventually('the end', () => client.of('down').length === 1);
    expect(client.of('down')[0]?.reason).toBe('admin');
  });
});

describe('a client', () => {
  test('is not established without a token: one of zeros would end its link', () => {
    const { endpoint } = endpointOf();
    const agreed = agreedBy('client');
    const reset = new Uint8Array(15);
    expect(() => endpoint.establish(0, agreed as KcpEstablished)).toThrow('reset must be a Uint8Array');
    expect(() => endpoint.establish(0, { ...agreed, reset })).toThrow('reset must be of 16 bytes');
  });

  test('is not ended by the reset of a former link, or by any other', async () => {
    const { client, between, stream, start, kill } = await orphan();
    kill();
    start();
    stream.send('y');
    await eventually('the end', () => client.of('down').length === 1);
    const former = between.resets[0] as Buffer;
    const link = await client.connect(between.port);
    const current = client.open(link).send('z');
    const id = between.down.findLast((bytes) => bytes[0] === 0xab)?.subarray(9, 17) as Buffer;
    const [head, token] = [Buffer.of(RESET), former.subarray(9)];
    const forged = [
      former,
      Buffer.concat([head, id, token]),
      Buffer.concat([head, id, Buffer.alloc(16)]),
      former.subarray(0, 9),
      Buffer.concat([former, Buffer.of(0)]),
      head,
    ];
    for (const bytes of forged) await between.say(bytes);
    await eventually('all are counted', () => client.endpoint.counts().dropped.refused === forged.length);
    current.send('still');
    expect(client.endpoint.links()).toMatchObject([{ link, state: 'up' }]);
    expect(client.endpoint.counts().resetsReceived).toBe(1);
  });
});

describe('a server says nothing', () => {
  /** That a hello is answered shows that what was sent before has been seen. */
  async function isSilent(between: Between) {
    const seen = between.down.length;
    const hello = new Uint8Array(512);
    hello[0] = 0xa9;
    await between.ask(hello);
    await eventually('the retry', () => between.down.slice(seen).some((bytes) => bytes[0] === 0xaa));
    expect(between.resets).toEqual([]);
  }

  test('of a link that somebody else in its process has', async () => {
    const { client, between, link, start, stream } = await orphan();
    const other = start();
    stream.send('y');
    await eventually('it to come there', () => other.endpoint.counts().dropped.unknown > 0);
    await isSilent(between);
    expect(client.endpoint.links()).toMatchObject([{ link, state: 'up' }]);
  });

  test('while it drains, and while another process has its sockets, too', async () => {
    const between = await Between.open();
    const draining = endpointOf();
    between.to = draining.listen();
    const id = Buffer.from('0011223344556677', 'hex');
    draining.endpoint.drain();
    await between.ask(packetOf(id));
    await eventually('it to be counted', () => draining.endpoint.counts().dropped.unknown === 1);
    const held = endpointOf();
    between.to = held.listen();
    stops.push(() => native.allowKcpResets(true));
    native.allowKcpResets(false);
    await between.ask(packetOf(id));
    await isSilent(between);
    native.allowKcpResets(true);
    await between.ask(packetOf(id));
    await eventually('the reset', () => between.resets.length === 1);
  });

  test('to packets that are shorter than it', async () => {
    const between = await Between.open();
    between.to = endpointOf().listen();
    const id = Buffer.from('0011223344556677', 'hex');
    for (const bytes of [10, 14, RESET_BYTES - 1]) await between.ask(packetOf(id, bytes));
    await isSilent(between);
    await between.ask(packetOf(id, RESET_BYTES));
    await eventually('the reset', () => between.resets.length === 1);
  });
});

describe('beside flows on one port', () => {
  const engineOf = (known: boolean) => {
    const engine = new FlowEngine({
      endpoints: [{ host: '127.0.0.1', port: 9 }],
      links: { profile: kcpProfile, takes: 'both', onEvent: () => {} },
      decide: (flow, own) =>
        known ? own.dial(flow) : own.answers.end(flow, 0, 'proxy', 'classify', 'unknown_protocol', 'close'),
    });
    stops.push(() => engine.close());
    return engine;
  };

  test('what is of no protocol may be of a link that was there before', async () => {
    const engine = engineOf(false);
    const peer = await datagramClient(engine.port);
    stops.push(() => peer.close());
    const id = Buffer.from('00aabbccddeeff11', 'hex');
    await peer.send('neither');
    await eventually('its end', () => engine.of('ended').length === 1);
    await peer.send(packetOf(id));
    const { bytes } = await peer.datagram(0);
    expect(bytes.subarray(0, 9)).toEqual(Buffer.concat([Buffer.of(RESET), id]));
    expect(bytes).toHaveLength(RESET_BYTES);
    await eventually('both have ended', () => engine.of('ended').length === 2);
    expect(engine.of('ended').map(({ reason }) => reason)).toEqual(['unknown_protocol', 'unknown_protocol']);
    expect(engine.flows).toBe(0);
  });

  test('what is of another protocol goes there, and is not answered', async () => {
    const engine = engineOf(true);
    const peer = await datagramClient(engine.port);
    stops.push(() => peer.close());
    await peer.send(packetOf(Buffer.from('00aabbccddeeff11', 'hex')));
    await eventually('the flow', () => engine.of('connected').length === 1);
    const hello = new Uint8Array(512);
    hello[0] = 0xa9;
    await peer.send(hello);
    await peer.datagram(0);
    await sleep(0);
    expect(peer.received.map(({ bytes }) => bytes[0])).toEqual([0xaa]);
  });
});
