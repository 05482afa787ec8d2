/** Buffers of a worker as its metrics show them: what an opening and a backlog hold, by size, and what is left of them. */
import { expect, test } from 'vitest';
import { native } from '../../src/addon.js';
import { tiers } from '../../src/metrics/catalog.js';
import { listedRoutes } from '../support/plan.js';
import { dial, echo } from '../support/tcp.js';
import { eventually } from '../support/wait.js';
import { limits, type Plane, planFor, upstream, useStage } from './plane.js';

const { serve, start } = useStage();
const all = native.bufferTiers(limits.bufferBytes);

const NONE = { tiny: 0, small: 0, medium: 0, large: 0 };

const byTier = (plane: Plane, metric: string, labels: Record<string, string> = {}) =>
  Object.fromEntries(tiers.map((tier) => [tier, plane.metric(metric, { ...labels, tier })]));

const inUse = (plane: Plane) => byTier(plane, 'anyport_buffers', { state: 'in_use' });

/** HTTP by host, so that a head is read to its end. */
async function startHosts() {
  const server = await serve(echo);
  const routes = listedRoutes([
    { when: { protocol: 1, host: 'a.test' }, to: { kind: 'upstream', upstream: 0 } },
  ]);
  return start(planFor([upstream('a', server.port)], { routes }));
}

test('their names and order are those of the addon', () => {
  expect(all.map(({ name }) => name)).toEqual(tiers);
  const sizes = all.map(({ bytes }) => bytes);
  expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
});

test('the largest hold a copy buffer of any size', () => {
  for (const bytes of [1024, 131_072, 1_000_000]) {
    expect(native.bufferTiers(bytes).at(-1)?.bytes).toBeGreaterThanOrEqual(bytes);
  }
});

test('an opening holds the smallest buffer that its bytes fit into, and nothing when it has gone on', async () => {
  const plane = await startHosts();
  const client = await dial(plane.port);
  const head = 'GET / HTTP/1.1\r\nX-Long: ';
  let sent = 0;
  const send = (bytes: string) => {
    client.send(bytes);
    sent += bytes.length;
  };
  for (const [length, tier] of [
    [1_000, 'tiny'],
    [3_000, 'small'],
    [10_000, 'medium'],
    [40_000, 'large'],
  ] as const) {
    send((sent === 0 ? head : '').padEnd(length - sent, 'x'));
    await eventually(`a ${tier} one`, () => inUse(plane)[tier] === 1);
    expect(inUse(plane)).toEqual({ ...NONE, [tier]: 1 });
  }
  send('\r\nHost: a.test\r\n\r\n');
  await client.bytes(sent);
  await eventually('none to be held', () => inUse(plane).large === 0);
  expect(inUse(plane)).toEqual(NONE);
  expect(byTier(plane, 'anyport_buffers_peak')).toEqual({ tiny: 1, small: 1, medium: 1, large: 1 });
  expect(byTier(plane, 'anyport_buffer_misses_total')).toEqual(NONE);
  const uses = byTier(plane, 'anyport_buffer_uses_total');
  for (const tier of tiers) expect(uses[tier], tier).toBeGreaterThanOrEqual(1);
});

test('what a full socket has not taken waits in a buffer, and leaves it when the reader reads', async () => {
  const server = await serve();
  const plane = await start(planFor([upstream('a', server.port)]));
  const client = (await dial(plane.port)).send('aa');
  const peer = await server.peer(0);
  client.socket.pause();
  const held = () => Object.values(inUse(plane)).reduce((sum, count) => sum + count, 0);
  let sent = 0;
  while (held() === 0) {
    peer.send(Buffer.alloc(20_000));
    sent += 20_000;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect(held()).toBe(1);
  client.socket.resume();
  await client.bytes(sent);
  await eventually('none to be held', () => held() === 0);
});

test('in use and free are all there are, while it runs and not when it has gone', async () => {
  const plane = await startHosts();
  const total = () => byTier(plane, 'anyport_buffers');
  const expected = Object.fromEntries(all.map(({ name, count }) => [name, count]));
  expect(total()).toEqual(expected);
  (await dial(plane.port)).send('GET / HTTP/1.1\r\n');
  await eventually('a buffer in use', () => inUse(plane).tiny === 1);
  expect(total()).toEqual(expected);
  await plane.stop();
  expect(total()).toEqual(NONE);
  expect(inUse(plane)).toEqual(NONE);
  expect(plane.metric('anyport_buffers_peak', { tier: 'tiny' })).toBe(1);
});
