/** What other nodes say of endpoints: when it counts, and what it never does. */
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/health/check.js';
import { Monitor } from '../../src/health/monitor.js';
import { HealthTable } from '../../src/health/table.js';
import { isCommon, isOutvoted } from '../../src/health/votes.js';
import type { SocketAddress } from '../../src/model/address.js';
import type { Plan, PlanEndpoint } from '../../src/model/plan.js';
import { type Tally, type Verdict, verdictKey } from '../../src/model/verdicts.js';
import { HandClock } from '../support/clock.js';
import { optionsWith } from '../support/plan.js';

describe('a majority', () => {
  const cases: { own: Verdict | null; up: number; down: number; is: boolean; why: string }[] = [
    { own: 'up', up: 0, down: 0, is: false, why: 'nobody else has a verdict' },
    { own: 'up', up: 0, down: 1, is: false, why: 'one against one' },
    {
      own: null,
      up: 0,
      down: 1,
      is: false,
      why: 'a single node never overrides, not even one without a verdict',
    },
    { own: 'up', up: 0, down: 2, is: true, why: 'two of three' },
    { own: null, up: 0, down: 2, is: true, why: 'two of two, where this one has not asked yet' },
    { own: 'up', up: 1, down: 2, is: false, why: 'two of four are no majority' },
    { own: null, up: 2, down: 2, is: false, why: 'nor are two of four others' },
    { own: 'up', up: 1, down: 3, is: true, why: 'three of five' },
    { own: 'down', up: 0, down: 9, is: false, why: 'its own verdict is enough: nobody overrides it' },
  ];
  test.each(cases)('$why: $is', ({ own, up, down, is }) => expect(isOutvoted(own, { up, down })).toBe(is));
});

describe('an endpoint that all nodes mean', () => {
  const cases: { addresses: SocketAddress[]; loopback?: boolean; is: boolean }[] = [
    { addresses: [{ host: '10.0.0.1', port: 80 }], is: true },
    { addresses: [{ host: '2001:db8::1', port: 80 }], is: true },
    { addresses: [{ host: '127.0.0.1', port: 80 }], is: false },
    { addresses: [{ host: '127.0.0.1', port: 80 }], loopback: true, is: true },
    {
      addresses: [
        { host: '10.0.0.1', port: 80 },
        { host: '::1', port: 80 },
      ],
      is: false,
    },
    { addresses: [{ path: '/run/a.sock' }], loopback: true, is: false },
    { addresses: [], is: false },
  ];
  test.each(cases)('$addresses, loopback allowed: $loopback', ({ addresses, loopback = false, is }) =>
    expect(isCommon(addresses, loopback)).toBe(is),
  );
});

const check = { type: 'tcp', interval: '1s', timeout: '100ms', rise: 1, fall: 1, jitter: 0 } as const;

const endpoint = (name: string, host = '10.0.0.1'): PlanEndpoint => ({
  ...{ name, weight: 1, backup: false, state: 'up' },
  addresses: [{ host, port: 80 }],
});

/** Ids are 1, 2, 3 … of the names' letters. */
function planOf(endpoints: readonly PlanEndpoint[], written: object = { health_check: check }): Plan {
  const options = optionsWith(written as Parameters<typeof optionsWith>[0]);
  const upstream = { name: 'web', handler: null, via: null, endpoints, options };
  const ids = endpoints.map(({ name }) => name.charCodeAt(0) - 96);
  return { upstreams: [upstream], ids: { upstreams: [1], endpoints: [ids] } } as unknown as Plan;
}

function setUp() {
  const clock = new HandClock();
  const table = new HealthTable();
  const lines: string[] = [];
  const changes: string[] = [];
  const reset: number[] = [];
  const outcomes = new Map<string, Outcome>();
  const log = ({ endpoint: name = 'web' }: { endpoint?: string }, message: string) =>
    lines.push(`${name} ${message}`);
  const monitor = new Monitor({
    clock,
    wallMs: () => clock.nowMs(),
    random: () => 0,
    table,
    log: { info: log, warn: log, error: log },
    changed: ({ endpoint: name, why }) => changes.push(`${name} ${why ?? 'up'}`),
    reset: (id) => reset.push(id),
    ask: async ({ endpoint: name }) => outcomes.get(name) ?? { well: true },
  });
  const hear = (said: Record<string, Tally>, allowLoopback = false) =>
    monitor.others.hear({
      tallies: new Map(Object.entries(said).map(([name, tally]) => [verdictKey('web', name), tally])),
      allowLoopback,
    });
  const up = () => [1, 2, 3].filter((id) => table.isUp(id));
  return { clock, lines, changes, reset, outcomes, monitor, hear, up };
}

const bad: Outcome = { well: false, why: 'refused' };
const three = ['a:1', 'b:1', 'c:1'].map((name) => endpoint(name));
const most: Tally = { up: 0, down: 2 };

test('an endpoint is down while most nodes say so, told once and with the count', async () => {
  const { clock, lines, changes, monitor, hear, up } = setUp();
  monitor.follow(planOf(three));
  await clock.advance(1500);
  hear({ 'a:1': most });
  hear({ 'a:1': most });
  expect(up()).toEqual([2, 3]);
  expect(monitor.statusOf(1)).toMatchObject({ up: false, why: '2 of 3 nodes say that it is down' });
  hear({ 'a:1': { up: 1, down: 1 } });
  expect(up()).toEqual([1, 2, 3]);
  expect(changes).toEqual(['a:1 2 of 3 nodes say that it is down', 'a:1 up']);
  expect(lines).toEqual([
    'a:1 endpoint is down: other nodes say so',
    'a:1 endpoint is up: other nodes do not speak against it any more',
  ]);
});

test('what others say is no verdict of this node: it goes on to say what it finds itself', async () => {
  const { clock, outcomes, monitor, hear } = setUp();
  monitor.follow(planOf(three));
  expect(monitor.others.verdicts(false).size).toBe(0);
  outcomes.set('b:1', bad);
  await clock.advance(1500);
  hear({ 'a:1': most });
  expect([...monitor.others.verdicts(false)]).toEqual([
    [verdictKey('web', 'a:1'), 'up'],
    [verdictKey('web', 'b:1'), 'down'],
    [verdictKey('web', 'c:1'), 'up'],
  ]);
});

test('its own checks take an endpoint down whatever the others say', async () => {
  const { clock, outcomes, monitor, hear, up } = setUp();
  monitor.follow(planOf(three));
  hear({ 'a:1': { up: 5, down: 0 } });
  outcomes.set('a:1', bad);
  await clock.advance(1500);
  expect(up()).toEqual([2, 3]);
  expect(monitor.statusOf(1)?.why).toBe('refused');
});

test('others never take the last endpoint that this node reaches', async () => {
  const { clock, outcomes, monitor, hear, up } = setUp();
  monitor.follow(planOf(three));
  await clock.advance(1500);
  hear({ 'a:1': most, 'b:1': most });
  expect(up()).toEqual([3]);
  hear({ 'a:1': most, 'b:1': most, 'c:1': most });
  expect(up()).toEqual([1, 2, 3]);
  hear({ 'a:1': most, 'b:1': most });
  expect(up()).toEqual([3]);
  outcomes.set('c:1', bad);
  await clock.advance(1000);
  expect(up()).toEqual([1, 2]);
});

test('sessions of an endpoint that this node reaches are not reset, whatever `on_down` says', async () => {
  const { clock, monitor, hear, reset, up } = setUp();
  monitor.follow(planOf(three, { health_check: check, on_down: 'reset' }));
  await clock.advance(1500);
  hear({ 'a:1': most });
  expect(up()).toEqual([2, 3]);
  expect(reset).toEqual([]);
});

test('they do not count where nothing is checked, nor of an endpoint that is each node’s own', async () => {
  const { clock, monitor, hear, up } = setUp();
  monitor.follow(planOf(three, {}));
  hear({ 'a:1': most });
  expect(up()).toEqual([1, 2, 3]);
  monitor.follow(planOf([endpoint('a:1', '127.0.0.1'), endpoint('b:1')]));
  await clock.advance(1500);
  expect(up()).toEqual([1, 2, 3]);
  expect([...monitor.others.verdicts(false).keys()]).toEqual([verdictKey('web', 'b:1')]);
  hear({ 'a:1': most }, true);
  expect(up()).toEqual([2, 3]);
});

test('nobody is listened to any more: each node is left with its own verdicts', async () => {
  const { clock, monitor, hear, up } = setUp();
  monitor.follow(planOf(three));
  await clock.advance(1500);
  hear({ 'a:1': most });
  monitor.others.hear(null);
  expect(up()).toEqual([1, 2, 3]);
});
