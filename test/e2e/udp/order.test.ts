/** Thousands of flows under load: each datagram arrives once, whole, in order and where it belongs, both ways. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import {
  type ExchangeEndpoint,
  exchange,
  noFaults,
  type Shape,
  startExchangeEndpoint,
} from '../../support/exchange.js';
import { freePort } from '../../support/ports.js';

const FLOWS_MAX = 20_000;
const DATAGRAM_MAX = 65_507;

/** 64 flows at work at any time, each for a few round trips and then another: they mix in every way. */
const crowd: Shape = { flows: 2000, active: 64, rounds: 24, turn: 8, window: 4 };
const fan: Shape = { ...crowd, rounds: 4, turn: 2, window: 1, answers: 16, answer_bytes: 1200 };

/** Listener → what flows do. Those behind `segmented` send the answers to a request as one segmented message. */
const loads: readonly { what: string; listener: 'plain' | 'segmented' | 'identified'; shape: Shape }[] = [
  { what: '64 bytes', listener: 'plain', shape: { ...crowd, bytes: 64 } },
  { what: '1,200 bytes', listener: 'plain', shape: { ...crowd, bytes: 1200 } },
  { what: '16 answers to each request', listener: 'plain', shape: fan },
  { what: '16 answers in one message', listener: 'segmented', shape: { ...fan, offload: 1 } },
  { what: '16 answers in one message, read one by one', listener: 'segmented', shape: fan },
  {
    what: 'three answers in one message, two requests under way',
    listener: 'segmented',
    shape: { ...fan, answers: 3, window: 2, answer_bytes: 1201, offload: 1 },
  },
  {
    what: `${DATAGRAM_MAX} bytes both ways`,
    listener: 'plain',
    shape: { flows: 20, active: 4, rounds: 50, turn: 10, window: 2, bytes: DATAGRAM_MAX },
  },
  { what: 'a DNS query each', listener: 'identified', shape: { flows: 2000, active: 64, dns: 1 } },
  {
    what: 'DNS queries that are identified once',
    listener: 'identified',
    shape: { flows: 500, active: 64, rounds: 12, turn: 4, window: 4, dns: 1 },
  },
];

const datagramsOf = ({ flows = 1, rounds = 1, answers = 1 }: Shape) => ({
  up: flows * rounds,
  down: flows * rounds * answers,
});

describe.each([1, 2])('%i workers, 2,000 flows', (workers) => {
  const endpoints = new Map<string, ExchangeEndpoint>();
  const ports = new Map<string, number>();
  let daemon: Daemon;

  beforeAll(async () => {
    for (const name of ['plain', 'segmented', 'identified']) {
      endpoints.set(name, await startExchangeEndpoint({ offload: name === 'segmented' ? 1 : 0 }));
      ports.set(name, await freePort());
    }
    daemon = await startDaemon({
      server: { workers, udp: { max_flows: FLOWS_MAX, max_flows_per_ip: FLOWS_MAX } },
      listeners: [...ports].map(([name, port]) => ({ name, address: `127.0.0.1:${port}`, transport: 'udp' })),
      protocols: ['DNS', 'STUN', 'QUIC'].map((name) => ({ name })),
      routes: [
        { when: { listener: 'plain' }, to: 'plain' },
        { when: { listener: 'segmented' }, to: 'segmented' },
        { when: { protocol: 'DNS' }, to: 'identified' },
      ],
      upstreams: Object.fromEntries(
        [...endpoints].map(([name, { target }]) => [name, { endpoints: [target] }]),
      ),
    });
  });

  afterAll(async () => {
    await daemon.stop();
    for (const endpoint of endpoints.values()) await endpoint.stop();
  });

  test.each(loads)('$what', async ({ listener, shape }) => {
    const endpoint = endpoints.get(listener) as ExchangeEndpoint;
    const { up, down } = datagramsOf(shape);
    const counted = (direction: string) =>
      daemon.metric('anyport_udp_datagrams_total', { listener, direction });
    const [upBefore, downBefore] = [await counted('up'), await counted('down')];
    expect(await exchange(ports.get(listener) as number, shape)).toMatchObject({ ...noFaults, rounds: up });
    expect(await endpoint.served()).toEqual({ ...noFaults, requests: up });
    await daemon.metricBecomes('anyport_udp_datagrams_total', upBefore + up, { listener, direction: 'up' });
    await daemon.metricBecomes('anyport_udp_datagrams_total', downBefore + down, {
      listener,
      direction: 'down',
    });
  });

  test('nothing was dropped, and the books balance', async () => {
    expect(await daemon.metric('anyport_udp_dropped_total')).toBe(0);
    await daemon.booksBalance();
  });
});
