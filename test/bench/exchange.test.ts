/** A relay that does something wrong to one datagram is found out: every kind of fault is counted at the end that sees it. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type ExchangeEndpoint,
  exchange,
  type Faults,
  faultsText,
  startExchangeEndpoint,
} from '../support/exchange.js';

/** What becomes of the nth datagram of a direction, from 0; nothing: it is relayed. */
type Mishap = (datagram: Buffer, n: number, send: (bytes: Buffer) => void, others: Socket[]) => boolean;

const FLOWS = 2;
const ROUNDS = 20;
const shape = { flows: FLOWS, rounds: ROUNDS, window: 4, bytes: 200 };
let endpoint: ExchangeEndpoint;

beforeAll(async () => {
  endpoint = await startExchangeEndpoint();
});
afterAll(() => endpoint.stop());

/** Relays as it should, apart from the mishaps. */
async function startRelay(up: Mishap, down: Mishap): Promise<{ port: number; stop(): void }> {
  const front = createSocket('udp4').bind(0, '127.0.0.1');
  await once(front, 'listening');
  const behind = new Map<number, Promise<Socket>>();
  const counts = { up: 0, down: 0 };
  const open = async (client: number, address: string): Promise<Socket> => {
    const socket = createSocket('udp4');
    socket.connect(endpoint.port, '127.0.0.1');
    await once(socket, 'connect');
    const send = (bytes: Buffer) => front.send(bytes, client, address);
    socket.on('message', async (answer) => {
      if (!down(answer, counts.down++, send, [])) send(answer);
    });
    return socket;
  };
  let turn = Promise.resolve();
  front.on('message', (request, from) => {
    if (!behind.has(from.port)) behind.set(from.port, open(from.port, from.address));
    turn = turn.then(async () => {
      const socket = (await behind.get(from.port)) as Socket;
      const all = await Promise.all(behind.values());
      const others = all.filter((each) => each !== socket);
      const send = (bytes: Buffer) => socket.send(bytes);
      if (!up(request, counts.up++, send, others)) send(request);
    });
  });
  const stop = () => {
    front.close();
    for (const socket of behind.values()) void socket.then((each) => each.close());
  };
  return { port: front.address().port, stop };
}

const nothing: Mishap = () => false;
const at =
  (n: number, does: (...args: Parameters<Mishap>) => void): Mishap =>
  (...args) => {
    if (args[1] !== n) return false;
    does(...args);
    return true;
  };

const lose = at(30, () => {});
const change = at(30, (bytes, _n, send) => {
  const changed = Buffer.from(bytes);
  changed[150] = (changed[150] as number) ^ 1;
  send(changed);
});
const cut = at(30, (bytes, _n, send) => send(bytes.subarray(0, 199)));
const repeat = at(30, (bytes, _n, send) => {
  send(bytes);
  send(bytes);
});
const misdirect = at(30, (bytes, _n, _send, others) => others[0]?.send(bytes));

/** Exchanges the nth datagram and the one behind it of the same flow. */
function swap(n: number): Mishap {
  let kept: { bytes: Buffer; flow: number } | null = null;
  const flowOf = (bytes: Buffer) => bytes.readUInt32LE(8);
  return (bytes, index, send) => {
    if (index === n) {
      kept = { bytes, flow: flowOf(bytes) };
      return true;
    }
    if (kept === null || kept.flow !== flowOf(bytes)) return false;
    send(bytes);
    send(kept.bytes);
    kept = null;
    return true;
  };
}

async function through(up: Mishap, down: Mishap): Promise<{ up: Faults; down: Faults; rounds: number }> {
  const relay = await startRelay(up, down);
  await endpoint.served();
  const exchanged = await exchange(relay.port, shape);
  const served = await endpoint.served();
  relay.stop();
  return { up: served, down: exchanged, rounds: exchanged.rounds };
}

test('a relay that does nothing wrong', async () => {
  const { up, down, rounds } = await through(nothing, nothing);
  expect([faultsText(up), faultsText(down), rounds]).toEqual(['', '', FLOWS * ROUNDS]);
});

test.each([
  { what: 'a lost request', mishap: lose, upwards: 'lost 1', downwards: 'lost 1' },
  { what: 'a changed request', mishap: change, upwards: 'lost 1, wrong 1', downwards: 'lost 1' },
  { what: 'a cut request', mishap: cut, upwards: 'lost 1, wrong 1', downwards: 'lost 1' },
  { what: 'a repeated request', mishap: repeat, upwards: 'twice 1', downwards: 'twice 1' },
  { what: 'requests that overtake', mishap: swap(30), upwards: 'reordered 1', downwards: 'reordered 1' },
])('$what', async ({ mishap, upwards, downwards }) => {
  const { up, down } = await through(mishap, nothing);
  expect([faultsText(up), faultsText(down)]).toEqual([upwards, downwards]);
});

test('a request of another flow', async () => {
  const { up, down } = await through(misdirect, nothing);
  expect(up.astray).toBeGreaterThan(0);
  expect(down.astray).toBeGreaterThan(0);
});

test.each([
  { what: 'a lost answer', mishap: lose, wanted: 'lost 1' },
  { what: 'a changed answer', mishap: change, wanted: 'lost 1, wrong 1' },
  { what: 'a cut answer', mishap: cut, wanted: 'lost 1, wrong 1' },
  { what: 'a repeated answer', mishap: repeat, wanted: 'twice 1' },
  { what: 'answers that overtake', mishap: swap(30), wanted: 'reordered 1' },
])('$what', async ({ mishap, wanted }) => {
  const { up, down } = await through(nothing, mishap);
  expect([faultsText(up), faultsText(down)]).toEqual(['', wanted]);
});
