/** What ends a flow, or keeps one from beginning: idleness, caps in total and of each source, and amplification. */
import { afterEach, expect, test } from 'vitest';
import { type Daemon, startDaemon, type TestConfig } from '../../../support/daemon.js';
import {
  type ClientOptions,
  type DatagramEndpoint,
  type DatagramPeer,
  datagramClient,
  echoDatagrams,
  listenUdp,
  type ServeDatagram,
} from '../../../support/datagrams.js';
import { freePort } from '../../../support/ports.js';
import { eventually, waited } from '../../../support/wait.js';

let daemon: Daemon;
let endpoint: DatagramEndpoint;
let port: number;
const clients: DatagramPeer[] = [];
afterEach(async () => {
  await daemon.stop();
  for (const each of clients.splice(0)) await each.close();
  await endpoint.close();
});

async function start(serve: ServeDatagram, config: { udp?: object; upstream?: object } = {}): Promise<void> {
  endpoint = await listenUdp(serve);
  port = await freePort();
  const upstreams = {
    web: { endpoints: [endpoint.target], ...(config.upstream && { udp: config.upstream }) },
  };
  const listener = { name: 'any', address: `:${port}`, transport: 'udp', on_unknown: 'web' };
  daemon = await startDaemon({
    ...(config.udp && { server: { udp: config.udp } }),
    listeners: [listener],
    upstreams,
  } satisfies TestConfig);
}

async function client(options?: ClientOptions): Promise<DatagramPeer> {
  const made = await datagramClient(port, options);
  clients.push(made);
  return made;
}

/** Heard of again after its first answer. */
async function confirmed(options?: ClientOptions): Promise<DatagramPeer> {
  const made = await client(options);
  await made.ask('one');
  await made.ask('two');
  return made;
}

const dropped = (reason: string, count: number) =>
  daemon.metricBecomes('anyport_udp_dropped_total', count, { reason });

test('a flow ends when neither side has spoken, though nothing else happens', async () => {
  await start(echoDatagrams, { udp: { idle_timeout: '300ms' } });
  const peer = await client();
  await peer.ask('once');
  const [line] = await daemon.ended(1);
  expect(line).toMatchObject({ source: peer.address, reason: 'idle_timeout', bytes_up: 4, bytes_down: 4 });
  expect(line?.duration_ms).toBeGreaterThan(waited(300));
  await daemon.metricBecomes('anyport_udp_flows', 0);
  await peer.ask('again'); // as a flow of its own
  await daemon.ended(2);
  expect(endpoint.senders).toHaveLength(2);
});

test("an endpoint that speaks keeps a flow alive, and the upstream's own limit counts", async () => {
  let speaking: NodeJS.Timeout | undefined;
  await start(
    (_, reply) => {
      speaking ??= setInterval(() => reply('still here'), 50);
    },
    { udp: { idle_timeout: '50ms' }, upstream: { idle_timeout: '3s' } },
  );
  const peer = await client();
  await peer.send('hello');
  await peer.datagram(100); // five seconds
  expect(daemon.sessions).toEqual([]);
  clearInterval(speaking);
  const [line] = await daemon.ended(1);
  expect(line).toMatchObject({ reason: 'idle_timeout', bytes_up: 5 });
});

test('of each source only so many, and the others are served', async () => {
  await start(echoDatagrams, { udp: { max_flows_per_ip: 3 } });
  for (let n = 0; n < 3; n++) await confirmed({ from: '127.0.0.2' });
  const fourth = await client({ from: '127.0.0.2' });
  for (let n = 0; n < 5; n++) await fourth.send('one too many');
  await dropped('per_ip', 5);
  await confirmed({ from: '127.0.0.3' });
  expect(fourth.received).toEqual([]);
  await daemon.metricBecomes('anyport_udp_flows', 4);
});

test('in total only so many: who has not been heard of since the first answer goes first', async () => {
  await start(echoDatagrams, { udp: { max_flows: 4 } });
  const known = [await confirmed(), await confirmed(), await confirmed()];
  const once = await client();
  await once.ask('once');
  const next = await confirmed();
  const [line] = await daemon.ended(1);
  expect(line).toMatchObject({ source: once.address, reason: 'over_limit' });
  const refused = await client();
  await refused.send('no place');
  await dropped('no_flow', 1);
  for (const each of [...known, next]) await each.ask('still served');
  expect(refused.received).toEqual([]);
  expect(daemon.sessions.filter(({ reason }) => reason === 'over_limit').length).toBeGreaterThan(0);
});

test('before it has been heard of again a client gets no more than so many times what it has sent', async () => {
  const ANSWERS = 20;
  await start(
    ({ bytes }, reply) => {
      for (let n = 0; n < ANSWERS; n++) reply(bytes);
    },
    { upstream: { amplification: 3 } },
  );
  const peer = await client();
  await peer.send(Buffer.alloc(100));
  await dropped('amplification', ANSWERS - 3);
  await peer.datagram(2);
  expect(peer.received).toHaveLength(3);
  await peer.send(Buffer.alloc(100));
  await eventually('all answers', () => peer.received.length === 3 + ANSWERS);
  await dropped('amplification', ANSWERS - 3);
});

test('without a limit a client gets all answers', async () => {
  await start(({ bytes }, reply) => {
    for (let n = 0; n < 50; n++) reply(bytes);
  });
  const peer = await client();
  await peer.send(Buffer.alloc(100));
  await peer.datagram(49);
  expect(await daemon.metric('anyport_udp_dropped_total')).toBe(0);
});
