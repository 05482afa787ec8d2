/** Every recorded opening through the daemon: same name as from `identify`, and relayed byte for byte. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { identifyBytes } from '../../src/protocols/identify.js';
import { protocols } from '../../src/protocols/index.js';
import { type Flight, flights } from '../cases/flights.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { dial, echo, listenTcp, type Upstream } from '../support/tcp.js';
import { eventually } from '../support/wait.js';

let daemon: Daemon;
let upstream: Upstream;

// A daemon per case: client addresses, by which sessions are found, may repeat.
beforeEach(async () => {
  upstream = await listenTcp(echo);
  const named = protocols.filter(({ transports }) => transports.includes('tcp'));
  daemon = await startDaemon({
    server: { max_connections: 2000 },
    protocols: named.map(({ id }) => ({ name: id, target: upstream.target })),
  });
});

afterEach(async () => {
  await daemon.stop();
  await upstream.close();
});

const streams = flights.filter(({ transport, bytes }) => transport === 'tcp' && bytes.length > 0);

/** The session line of a flight, and the bytes that the endpoint received (it echoes them). */
async function send({ bytes }: Flight, cuts: readonly number[]) {
  const client = await dial(daemon.port);
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    client.send(bytes.subarray(from, cut));
    from = cut;
    await new Promise((resolve) => setImmediate(resolve));
  }
  client.finish();
  await client.end();
  const { protocol } = await daemon.sessionOf(client);
  client.socket.destroy();
  return { protocol, echoed: client.received };
}

test.each([
  ['whole', () => []],
  ['cut in two', ({ bytes }: Flight) => [Math.ceil(bytes.length / 2)]],
  ['its first bytes one by one', ({ bytes }: Flight) => [...bytes.subarray(0, 24).keys()].slice(1)],
] as const)('%s', async (_, cutsOf: (flight: Flight) => readonly number[]) => {
  const wrong: unknown[] = [];
  const crowd = streams.map(async (flight) => {
    const { protocol } = identifyBytes([flight.bytes], 'tcp');
    const sent = await send(flight, cutsOf(flight));
    const replayed = protocol === null ? sent.echoed.length === 0 : sent.echoed.equals(flight.bytes);
    if (sent.protocol !== protocol || !replayed) wrong.push({ id: flight.id, protocol, said: sent.protocol });
  });
  await Promise.all(crowd);
  expect(wrong).toEqual([]);
  await eventually('all sessions to end', async () => (await daemon.metric('anyport_sessions_active')) === 0);
});
