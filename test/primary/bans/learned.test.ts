/** Bans of other nodes, on the engine's own table. */
import { expect, test } from 'vitest';
import { native } from '../../../src/addon.js';
import { createNetworkSet } from '../../../src/base/network.js';
import { noLists } from '../../../src/config/validate/lists.js';
import { Bans } from '../../../src/primary/bans/index.js';
import { FakeClock } from '../../base/fake-clock.js';

const HOUR_MS = 3_600_000;

async function started() {
  const admission = new native.Admission({ room: new Int32Array(new SharedArrayBuffer(1 << 16)) });
  const clock = new FakeClock();
  const lines: object[] = [];
  const write = (fields: object, msg: string) => lines.push({ msg, ...fields });
  const log = { info: write, warn: write, error: write };
  const world = { trusted: [] as string[] };
  const trusted = () => ({ contains: createNetworkSet(world.trusted) });
  const bans = new Bans({ admission, trusted, clock, nowMs: Date.now, log: log as never });
  const security = { rateLimit: null, guard: null, lists: noLists, banExport: null };
  (await bans.prepare({ security })).commit();
  const listed = () => bans.list().bans.map(({ address, cause, reason }) => [address, cause, reason]);
  return { bans, admission, clock, lines, world, listed };
}

const of = (address: string, leftMs = HOUR_MS) => ({ address, leftMs });

test('they are in force at once, with the node that has made them, and not told on as our own', async () => {
  const { bans, admission, clock, lines, listed } = await started();
  const { version } = bans.own;
  bans.learn('n2', [of('192.0.2.7'), of('2001:db8::')]);
  expect(listed()).toEqual([
    ['192.0.2.7', 'cluster', 'node n2'],
    ['2001:db8::/64', 'cluster', 'node n2'],
  ]);
  await clock.pass(1000);
  expect(lines).toMatchObject([
    { msg: 'source banned', source: '192.0.2.7', cause: 'cluster', reason: 'node n2' },
    { msg: 'source banned', source: '2001:db8::/64' },
  ]);
  expect(admission.counts().bans).toEqual({ attempts: 0, failures: 0, operator: 0, cluster: 2 });
  expect(bans.own.version).toBe(version);
  expect(bans.own.list(10)).toEqual([]);
  bans.close();
});

test('our own are told on, those of operators first, then those that last longest', async () => {
  const { bans, admission, clock } = await started();
  const { version } = bans.own;
  bans.ban({ ip: '192.0.2.1', for: '1m' });
  bans.ban({ ip: '2001:db8::1', for: '1h' });
  admission.ban('192.0.2.9', HOUR_MS, 'cluster');
  await clock.pass(1000);
  expect(bans.own.version).not.toBe(version);
  expect(bans.own.list(10).map(({ address }) => address)).toEqual(['2001:db8::', '192.0.2.1']);
  expect(bans.own.list(1)).toHaveLength(1);
  const before = bans.own.version;
  bans.lift('192.0.2.1');
  expect(bans.own.version).not.toBe(before);
  bans.close();
});

test('end early when their node takes them back, unless another one has the same', async () => {
  const { bans, listed } = await started();
  bans.learn('n2', [of('192.0.2.7'), of('192.0.2.8')]);
  bans.learn('n3', [of('192.0.2.8')]);
  bans.learn('n2', []);
  expect(listed()).toEqual([['192.0.2.8', 'cluster', 'node n2']]);
  bans.learn('n3', []);
  expect(listed()).toEqual([]);
  bans.close();
});

test('the whitelist wins, also later', async () => {
  const { bans, clock, world, listed } = await started();
  world.trusted = ['192.0.2.0/24'];
  bans.learn('n2', [of('192.0.2.7'), of('198.51.100.1')]);
  expect(listed()).toEqual([['198.51.100.1', 'cluster', 'node n2']]);
  world.trusted = [];
  await clock.pass(1000);
  expect(listed()).toHaveLength(2);
  bans.close();
});

test('a ban of our own stays ours; that of the node follows it', async () => {
  const { bans, clock, listed } = await started();
  bans.ban({ ip: '192.0.2.7', for: '1m', reason: 'mine' });
  bans.learn('n2', [of('192.0.2.7')]);
  expect(listed()).toEqual([['192.0.2.7', 'operator', 'mine']]);
  bans.lift('192.0.2.7');
  await clock.pass(1000);
  expect(listed()).toEqual([['192.0.2.7', 'cluster', 'node n2']]);
  bans.close();
});

test('an operator who lifts one has the last word, until the node bans anew', async () => {
  const { bans, clock, listed } = await started();
  bans.learn('n2', [of('192.0.2.7')]);
  expect(bans.lift('192.0.2.7')).toMatchObject({ result: 'lifted' });
  bans.learn('n2', [of('192.0.2.7', HOUR_MS - 1000), of('192.0.2.8')]);
  await clock.pass(1000);
  expect(listed().map(([address]) => address)).toEqual(['192.0.2.8']);
  bans.learn('n2', [of('192.0.2.7', 2 * HOUR_MS)]);
  expect(listed().map(([address]) => address)).toEqual(['192.0.2.7']);
  bans.close();
});

test('last as long as was said, from when it was heard: by no clock of another node', async () => {
  const { bans, admission } = await started();
  bans.learn('n2', [of('192.0.2.7', 60_000)]);
  const leftMs = admission.banOf('192.0.2.7')?.leftMs ?? 0;
  expect(leftMs).toBeGreaterThan(50_000);
  expect(leftMs).toBeLessThanOrEqual(60_000);
  bans.learn('n2', [of('192.0.2.7', 30_000)]);
  expect(admission.banOf('192.0.2.7')?.leftMs).toBeGreaterThan(30_000);
  bans.close();
});
