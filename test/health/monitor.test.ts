/** What follows from answers and failures together, on a clock moved by hand. */
import { expect, test } from 'vitest';
import type { Outcome } from '../../src/health/check.js';
import { Monitor, monitorLimits } from '../../src/health/monitor.js';
import { HealthTable } from '../../src/health/table.js';
import type { Plan, PlanEndpoint } from '../../src/model/plan.js';
import { HandClock } from '../support/clock.js';
import { optionsWith } from '../support/plan.js';

const check = { type: 'tcp', interval: '1s', timeout: '100ms', rise: 2, fall: 2, jitter: 0 } as const;
const passive = { max_fails: 2, window: '10s', eject: '10s' } as const;

type Written = Parameters<typeof optionsWith>[0];

const endpoint = (name: string, more: Partial<PlanEndpoint> = {}): PlanEndpoint => ({
  name,
  weight: 1,
  backup: false,
  state: 'up',
  addresses: [{ host: name.split(':')[0] ?? '', port: 80 }],
  ...more,
});

/** A Plan with one upstream; the ids of its endpoints are 1, 2, 3 … of their names' last letters. */
function planOf(written: object, endpoints: readonly PlanEndpoint[]): Plan {
  const options = optionsWith(written as Written);
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
  const rises: number[] = [];
  const outcomes = new Map<string, Outcome>();
  const asked: string[] = [];
  let left = 0;
  const log = (fields: object, message: string) => {
    left += (fields as { suppressed?: number }).suppressed ?? 0;
    lines.push(`${(fields as { endpoint?: string }).endpoint ?? 'web'} ${message}`);
  };
  const monitor = new Monitor({
    clock,
    wallMs: () => 1_000_000 + clock.nowMs(),
    random: () => 0,
    table,
    log: { info: log, warn: log, error: log },
    changed: ({ endpoint: name, why }) => changes.push(`${name} ${why ?? 'up'}`),
    reset: (id) => reset.push(id),
    async ask({ endpoint: name }, address) {
      asked.push('host' in address ? `${address.host}:${address.port}` : address.path);
      return outcomes.get(name) ?? { well: true };
    },
  });
  monitor.onRise.push((id) => rises.push(id));
  const up = () => [1, 2, 3, 4].filter((id) => table.isUp(id));
  const suppressed = () => left;
  return { clock, table, lines, changes, reset, rises, outcomes, asked, monitor, up, suppressed };
}

const bad: Outcome = { well: false, why: 'refused' };
const four = ['a:1', 'b:1', 'c:1', 'd:1'].map((name) => endpoint(name));

test('down after `fall`, up after `rise`, each told once and to all', async () => {
  const { clock, lines, changes, reset, rises, outcomes, monitor, up } = setUp();
  monitor.follow(planOf({ health_check: check }, four));
  await clock.advance(1500);
  outcomes.set('a:1', bad);
  await clock.advance(1000);
  expect(up()).toEqual([1, 2, 3, 4]);
  await clock.advance(5000);
  expect(up()).toEqual([2, 3, 4]);
  expect(monitor.statusOf(1)).toMatchObject({ up: false, why: 'refused', check: 'tcp' });
  outcomes.delete('a:1');
  await clock.advance(5000);
  expect(up()).toEqual([1, 2, 3, 4]);
  expect(lines).toEqual(['a:1 endpoint is down', 'a:1 endpoint is up']);
  expect(changes).toEqual(['a:1 refused', 'a:1 up']);
  expect(rises).toEqual([1]);
  expect(reset).toEqual([]);
});

test('a flood of changes is not a flood of lines; what was left out is counted, and told to all', async () => {
  const { clock, lines, changes, outcomes, monitor, suppressed } = setUp();
  const count = 3 * monitorLimits.linesPerSecond;
  const crowd = Array.from({ length: count }, (_, at) => endpoint(`${String.fromCharCode(97 + at)}:1`));
  monitor.follow(planOf({ health_check: { ...check, fall: 1 } }, crowd));
  await clock.advance(1500);
  for (const { name } of crowd) outcomes.set(name, bad);
  await clock.advance(1000);
  expect(changes).toHaveLength(count);
  const told = lines.filter((line) => line.endsWith('endpoint is down')).length;
  expect(told).toBeGreaterThan(0);
  expect(told).toBeLessThanOrEqual(2 * monitorLimits.linesPerSecond);
  outcomes.delete('a:1');
  await clock.advance(2000);
  outcomes.set('a:1', bad);
  await clock.advance(2000);
  expect(told + suppressed()).toBe(count);
});

test('`on_down: reset` resets the sessions of one that goes down', async () => {
  const { clock, outcomes, monitor, reset } = setUp();
  monitor.follow(planOf({ health_check: check, on_down: 'reset' }, four));
  outcomes.set('b:1', bad);
  await clock.advance(5000);
  expect(reset).toEqual([2]);
});

test('the last one is told as an upstream without endpoints', async () => {
  const { clock, lines, outcomes, monitor } = setUp();
  monitor.follow(planOf({ health_check: check }, four));
  for (const { name } of four) outcomes.set(name, bad);
  await clock.advance(5000);
  expect(lines.at(-1)).toBe('web upstream has no endpoint for new sessions');
  outcomes.clear();
  await clock.advance(5000);
  expect(lines.filter((line) => line.startsWith('web'))).toEqual([
    'web upstream has no endpoint for new sessions',
    'web upstream has an endpoint for new sessions again',
  ]);
});

test('it asks the port and address that the check names', async () => {
  const { clock, asked, monitor } = setUp();
  monitor.follow(planOf({ health_check: { ...check, port: 8080 } }, [endpoint('a:1')]));
  await clock.advance(10);
  monitor.follow(planOf({ health_check: { ...check, port: 8080, address: '10.9.9.9' } }, [endpoint('a:1')]));
  await clock.advance(10);
  const unix = endpoint('a:unix', { addresses: [{ path: '/run/a.sock' }] });
  monitor.follow(planOf({ health_check: check }, [unix]));
  await clock.advance(10);
  expect(asked).toEqual(['a:8080', '10.9.9.9:8080', '/run/a.sock']);
});

test('one that is configured no more leaves nothing behind', async () => {
  const { clock, outcomes, monitor, up } = setUp();
  monitor.follow(planOf({ health_check: check }, four));
  outcomes.set('a:1', bad);
  await clock.advance(5000);
  monitor.follow(planOf({ health_check: check }, four.slice(1)));
  expect(up()).toEqual([1, 2, 3, 4]);
  expect(monitor.statusOf(1)).toBeNull();
  monitor.close();
  expect(clock.waiting).toBe(0);
});

test('an agent takes part of the weight, drains and comes back; slow start takes part of that', async () => {
  const { clock, table, lines, outcomes, monitor, up } = setUp();
  monitor.follow(planOf({ health_check: check }, four));
  outcomes.set('a:1', { well: true, share: 128 });
  await clock.advance(1000);
  expect(table.share(1)).toBe(128);
  monitor.setSlowShare(1, 64);
  expect(table.share(1)).toBe(32);
  outcomes.set('a:1', { well: true, share: 256, state: 'drain' });
  await clock.advance(2000);
  expect(up()).toEqual([2, 3, 4]);
  expect(monitor.statusOf(1)).toMatchObject({ up: true, asks: 'drain' });
  outcomes.set('a:1', { well: true, state: 'ready' });
  await clock.advance(2000);
  expect(up()).toEqual([1, 2, 3, 4]);
  expect(lines).toEqual(['a:1 endpoint asks for another state', 'a:1 endpoint asks for another state']);
});

test('what an agent asks for ends with its check', async () => {
  const { clock, table, lines, outcomes, monitor, up } = setUp();
  const agent = { ...check, type: 'agent' } as const;
  monitor.follow(planOf({ health_check: agent }, four));
  outcomes.set('a:1', { well: true, state: 'maint', share: 64 });
  outcomes.set('b:1', { well: true, state: 'drain', share: 64 });
  await clock.advance(1500);
  expect(up()).toEqual([3, 4]);
  outcomes.clear();
  monitor.follow(planOf({ health_check: { ...agent, rise: 3 } }, four));
  await clock.advance(5000);
  expect(up()).toEqual([3, 4]);
  monitor.follow(planOf({ health_check: check }, four));
  expect(up()).toEqual([1, 2, 3, 4]);
  expect([table.share(1), table.share(2)]).toEqual([256, 256]);
  expect(lines.slice(-2)).toEqual(['a:1 endpoint is up', 'b:1 endpoint asks for another state']);
});

test('sessions that fail eject an endpoint for a time that doubles', async () => {
  const { clock, lines, rises, monitor, up } = setUp();
  monitor.follow(planOf({ passive_health: passive }, four));
  monitor.failed([[1, 1]]);
  expect(up()).toEqual([1, 2, 3, 4]);
  monitor.failed([[1, 1]]);
  expect(up()).toEqual([2, 3, 4]);
  expect(monitor.statusOf(1)).toMatchObject({ up: false, ejectedUntil: new Date(1_010_000) });
  await clock.advance(9999);
  expect(up()).toEqual([2, 3, 4]);
  await clock.advance(1);
  expect(up()).toEqual([1, 2, 3, 4]);
  monitor.failed([[1, 2]]);
  await clock.advance(19_999);
  expect(up()).toEqual([2, 3, 4]);
  await clock.advance(1);
  expect(up()).toEqual([1, 2, 3, 4]);
  expect(lines).toHaveLength(4);
  expect(rises).toEqual([1, 1]);
  expect(monitor.ejections()[0]).toEqual({ upstream: 'web', endpoint: 'a:1', count: 2 });
});

test('never more than half are ejected, and one that could not be is once there is room', async () => {
  const { clock, monitor, up } = setUp();
  monitor.follow(planOf({ passive_health: passive }, four));
  monitor.failed([
    [1, 2],
    [2, 2],
    [3, 2],
    [4, 2],
  ]);
  expect(up()).toEqual([3, 4]);
  await clock.advance(10_000);
  expect(up()).toEqual([1, 2, 3, 4]);
  monitor.failed([[3, 2]]);
  expect(up()).toEqual([1, 2, 4]);
});

test('where others are configured no more, ejections beyond half end early, the first to end first', async () => {
  const { clock, lines, monitor, up } = setUp();
  monitor.follow(planOf({ passive_health: passive }, four));
  monitor.failed([[1, 2]]);
  await clock.advance(1000);
  monitor.failed([[2, 2]]);
  expect(up()).toEqual([3, 4]);
  monitor.follow(planOf({ passive_health: passive }, four.slice(0, 3)));
  expect(up()).toEqual([1, 3, 4]);
  expect(lines.at(-1)).toBe('a:1 endpoint is back from its ejection');
  monitor.follow(planOf({ passive_health: passive }, four.slice(1, 2)));
  expect(up()).toEqual([1, 2, 3, 4]);
  const said = lines.length;
  await clock.advance(60_000);
  expect(lines).toHaveLength(said);
});

test('an ejected one returns when its check leaves no other', async () => {
  const { clock, lines, outcomes, monitor, up } = setUp();
  monitor.follow(planOf({ health_check: check, passive_health: passive }, four.slice(0, 2)));
  await clock.advance(1500);
  monitor.failed([[1, 2]]);
  expect(up()).toEqual([2, 3, 4]);
  outcomes.set('b:1', bad);
  await clock.advance(3000);
  expect(up()).toEqual([1, 3, 4]);
  expect(lines).not.toContain('web upstream has no endpoint for new sessions');
});

test('an ejected one returns when the operator takes the others out', () => {
  const { monitor, up } = setUp();
  monitor.follow(planOf({ passive_health: passive }, four.slice(0, 2)));
  monitor.failed([[1, 2]]);
  expect(up()).toEqual([2, 3, 4]);
  monitor.follow(planOf({ passive_health: passive }, [endpoint('a:1'), endpoint('b:1', { state: 'drain' })]));
  expect(up()).toEqual([1, 2, 3, 4]);
});

test('a small share that starts slowly is not none', async () => {
  const { clock, table, outcomes, monitor } = setUp();
  outcomes.set('a:1', { well: true, share: 3 });
  outcomes.set('b:1', { well: true, share: 0 });
  monitor.follow(planOf({ health_check: check }, four));
  await clock.advance(1500);
  monitor.setSlowShare(1, 13);
  monitor.setSlowShare(2, 13);
  expect([table.share(1), table.share(2)]).toEqual([1, 0]);
});

test('a check and sessions must agree', async () => {
  const { clock, changes, outcomes, monitor, up } = setUp();
  monitor.follow(planOf({ health_check: check, passive_health: passive }, four));
  await clock.advance(1500);
  monitor.failed([[1, 2]]);
  await clock.advance(2000);
  expect(up()).toEqual([2, 3, 4]);
  outcomes.set('a:1', bad);
  await clock.advance(9000);
  expect(up()).toEqual([2, 3, 4]);
  expect(monitor.statusOf(1)).toMatchObject({ why: 'refused', ejectedUntil: null });
  // What fails while it is down says nothing new.
  monitor.failed([[1, 99]]);
  outcomes.delete('a:1');
  await clock.advance(3000);
  expect(up()).toEqual([1, 2, 3, 4]);
  expect(changes.at(0)).toBe('a:1 its sessions failed too often');
  expect(changes.at(-1)).toBe('a:1 up');
});

test('without `passive_health` failures say nothing, and an ejection ends with it', () => {
  const { monitor, up } = setUp();
  monitor.follow(planOf({}, four));
  monitor.failed([[1, 99]]);
  expect(up()).toEqual([1, 2, 3, 4]);
  monitor.follow(planOf({ passive_health: passive }, four));
  monitor.failed([[1, 2]]);
  expect(up()).toEqual([2, 3, 4]);
  monitor.follow(planOf({}, four));
  expect(up()).toEqual([1, 2, 3, 4]);
});
