/** Endpoints that fall silent: only a check finds out, for over UDP silence is no error. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../../../support/daemon.js';
import {
  type DatagramEndpoint,
  type DatagramPeer,
  datagramClient,
  listenUdp,
} from '../../../support/datagrams.js';
import { freePort } from '../../../support/ports.js';

/** Answers with its name, while it is well. */
class Fragile {
  isSilent = false as boolean;
  endpoint: DatagramEndpoint | null = null;

  async start(name: string): Promise<string> {
    this.endpoint = await listenUdp(({ bytes }, reply) => {
      if (!this.isSilent) reply(`${bytes}`.startsWith('are you well') ? 'yes' : name);
    });
    return this.endpoint.target;
  }
}

let [first, second]: Fragile[] = [];
let daemon: Daemon;
let peer: DatagramPeer;
let port: number;

beforeEach(async () => {
  [first, second] = [new Fragile(), new Fragile()];
  port = await freePort();
  peer = await datagramClient(port);
});
afterEach(async () => {
  await daemon.stop();
  await Promise.all([peer.close(), first?.endpoint?.close(), second?.endpoint?.close()]);
});

async function start(options: object = {}): Promise<void> {
  const endpoints = [await first?.start('first'), { address: await second?.start('second'), backup: true }];
  const rounds = [{ send: 'are you well', expect: 'yes' }];
  const check = { type: 'send_expect', transport: 'udp', rounds };
  const often = { interval: '100ms', timeout: '1s', fall: 1, rise: 1 };
  daemon = await startDaemon({
    listeners: [{ name: 'any', address: `127.0.0.1:${port}`, transport: 'udp', on_unknown: 'web' }],
    upstreams: { web: { endpoints, health_check: { ...check, ...often }, ...options } },
  });
}

const isUp = (count: number) => daemon.metricBecomes('anyport_endpoint_up', count);
const answer = async (client: DatagramPeer): Promise<string> =>
  `${(await client.ask('who', { again: true })).bytes}`;

async function newClientIsServedBy(name: string): Promise<void> {
  const client = await datagramClient(port);
  expect(await answer(client)).toBe(name);
  await client.close();
}

test('new flows go to one that answers its check', async () => {
  await start();
  await isUp(2);
  await newClientIsServedBy('first');
  if (first) first.isSilent = true;
  await isUp(1);
  await newClientIsServedBy('second');
  if (first) first.isSilent = false;
  await isUp(2);
  await newClientIsServedBy('first');
});

test('with `on_down: reset` a client that is waiting goes there with its next datagram', async () => {
  await start({ on_down: 'reset' });
  await isUp(2);
  expect(await answer(peer)).toBe('first');
  if (first) first.isSilent = true;
  expect(await answer(peer)).toBe('second');
  const [line] = await daemon.ended(1);
  expect(line).toMatchObject({ source: peer.address, endpoint: first?.endpoint?.target });
});
