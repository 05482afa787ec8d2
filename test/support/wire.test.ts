/** The emulated wire itself, and kcptun over it: what the tests of KCP rest on. */
import { afterEach, expect, test } from 'vitest';
import { type DatagramEndpoint, type DatagramPeer, datagramClient, listenUdp } from './datagrams.js';
import { startKcptunClient, startKcptunServer } from './kcptun.js';
import { freePort } from './ports.js';
import { startEndpoint } from './steady.js';
import { describeWith } from './tools.js';
import { roundTrips, transfer } from './tunnel-load.js';
import { eventually } from './wait.js';
import { type Conditions, lossyWire, startWire, type Wire } from './wire.js';

const open: { stop(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each.stop();
});

function keep<T extends { stop(): Promise<unknown> }>(made: T): T {
  open.push(made);
  return made;
}

interface Ends {
  readonly wire: Wire;
  readonly client: DatagramPeer;
  readonly server: DatagramEndpoint;
}

async function start(conditions: Conditions): Promise<Ends> {
  const server = await listenUdp();
  const wire = keep(await startWire(server.port, conditions));
  const client = await datagramClient(wire.port);
  open.push({ stop: () => server.close() }, { stop: () => client.close() });
  return { wire, client, server };
}

const COUNT = 500;

/** Sends numbers; resolves with those that came, in their order. */
async function send({ wire, client, server }: Ends): Promise<number[]> {
  for (let n = 0; n < COUNT; n++) await client.send(`${n}`);
  let [offered, lost] = [0, 0];
  await eventually('the wire to have taken all', async () => {
    const carried = await wire.carried();
    offered += carried.up;
    lost += carried.up_lost;
    return offered === COUNT;
  });
  await eventually('the rest to come', () => new Set(server.peer.texts).size === COUNT - lost);
  return server.peer.texts.map(Number);
}

describeWith('g++')('an emulated wire', () => {
  test('loses what its seed says, and keeps the order of the rest', async () => {
    const first = await send(await start({ loss: 1000, seed: 3 }));
    expect(first.length).toBeGreaterThan(COUNT * 0.8);
    expect(first.length).toBeLessThan(COUNT);
    expect(first).toEqual(first.toSorted((a, b) => a - b));
    expect(await send(await start({ loss: 1000, seed: 3 }))).toEqual(first);
    expect(await send(await start({ loss: 1000, seed: 4 }))).not.toEqual(first);
  });

  test('holds some back so that others overtake them, and repeats some', async () => {
    const came = await send(await start({ reorder: 1000, duplicate: 1000, held_us: 200_000, seed: 5 }));
    expect(new Set(came).size).toBe(COUNT);
    expect(came.length).toBeGreaterThan(COUNT);
    expect(came).not.toEqual(came.toSorted((a, b) => a - b));
  });

  test('outlives that nobody is there, and serves who comes', async () => {
    const port = await freePort();
    const wire = keep(await startWire(port));
    const client = await datagramClient(wire.port);
    open.push({ stop: () => client.close() });
    for (let n = 0; n < 20; n++) {
      await client.send('nobody there');
      await wire.carried(); // it goes on
    }
    const next = await listenUdp(() => {}, '127.0.0.1', port);
    open.push({ stop: () => next.close() });
    await eventually('a datagram', async () => {
      await client.send('somebody there');
      return next.peer.texts.includes('somebody there');
    });
  });

  test('takes its time, each way', async () => {
    const { client, server } = await start({ delay_us: 50_000 });
    server.peer.socket.on('message', (bytes, { port }) => server.peer.socket.send(bytes, port, '127.0.0.1'));
    const began = performance.now();
    await client.ask('there and back');
    expect(performance.now() - began).toBeGreaterThan(99);
  });

  test('gives a client another address when it rebinds; answers still reach it', async () => {
    const { wire, client, server } = await start({});
    server.peer.socket.on('message', (bytes, { port }) => server.peer.socket.send(bytes, port, '127.0.0.1'));
    await client.ask('before');
    await wire.rebind();
    await client.ask('after');
    expect(server.senders).toHaveLength(2);
  });

  test('lets nothing pass while it is cut', async () => {
    const { wire, client, server } = await start({});
    await client.send('first');
    await server.peer.datagram(0);
    await wire.change({ cut: 1 });
    await client.send('lost');
    await eventually('it to be lost', async () => (await wire.carried()).up_lost === 1);
    await wire.change({ cut: 0 });
    await client.send('second');
    await server.peer.datagram(1);
    expect(server.peer.texts).toEqual(['first', 'second']);
  });
});

describeWith(
  'g++',
  'kcptun-client',
  'kcptun-server',
)('kcptun with itself over a lossy wire', () => {
  test.each(['down', 'up'] as const)('%s: every byte', async (direction) => {
    const endpoint = keep(await startEndpoint());
    const server = keep(await startKcptunServer(endpoint.target));
    const wire = keep(await startWire(server.port, lossyWire));
    const client = keep(await startKcptunClient(wire.target));
    await transfer(client.port, direction, 1_000_000, 2);
    expect((await roundTrips(client.port, 300)).length).toBeGreaterThan(0);
    const { up_lost, down_lost } = await wire.carried();
    expect(Math.min(up_lost, down_lost)).toBeGreaterThan(0);
  });
});
