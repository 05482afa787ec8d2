import { getHeapSpaceStatistics } from 'node:v8';
import { expect, test } from 'vitest';
import { HealthTable } from '../../src/health/table.js';
import type { EndpointState } from '../../src/model/overrides.js';
import type { PlanUpstream } from '../../src/model/plan.js';
import { type StrategyName, strategyNames } from '../../src/upstream/balance/index.js';
import { createUpstream, Loads } from '../../src/upstream/upstream.js';
import { optionsWith } from '../support/plan.js';

const client = () => '192.0.2.7';

const idle = () => new Loads(() => 0);
const around = (loads: Loads, random: () => number, health = new HealthTable()) => ({
  loads,
  random,
  health,
});

function planOf(balance: StrategyName, resolved: readonly boolean[]): PlanUpstream {
  return {
    name: 'web',
    handler: null,
    options: optionsWith({ balance }),
    endpoints: resolved.map((known, index) => ({
      name: `web-${index}:80`,
      weight: 1,
      backup: false,
      state: 'up',
      addresses: known ? [{ host: `10.0.0.${index}`, port: 80 }] : [],
    })),
  };
}

test('an endpoint that is not resolved is not picked', () => {
  const upstream = createUpstream(
    planOf('round_robin', [false, true, false]),
    [1, 2, 3],
    around(idle(), () => 0),
  );
  expect([1, 2, 3].map(() => upstream.pick(client))).toEqual([1, 1, 1]);
});

test('an endpoint that is down is not picked, from the next pick on', () => {
  const health = new HealthTable();
  const plan = planOf('round_robin', [true, true, true]);
  const upstream = createUpstream(
    plan,
    [4, 5, 6],
    around(idle(), () => 0, health),
  );
  health.set(5, { up: false, share: 256 });
  expect([1, 2, 3].map(() => upstream.pick(client))).toEqual([0, 2, 0]);
  health.set(5, { up: true, share: 256 });
  expect([1, 2].map(() => upstream.pick(client))).toEqual([1, 2]);
});

test('an endpoint that was tried is not picked again, until none is left', () => {
  const upstream = createUpstream(
    planOf('round_robin', [true, true, true]),
    [1, 2, 3],
    around(idle(), () => 0),
  );
  const tried = new Set<number>();
  for (let attempt = 0; attempt < 3; attempt++) tried.add(upstream.pick(client, tried));
  expect(tried).toEqual(new Set([0, 1, 2]));
  expect(upstream.pick(client, tried)).toBe(-1);
  expect(upstream.pick(client)).toBe(0);
});

test('what is counted of an endpoint, by its id, is what least_connections looks at', () => {
  const counted = new Map([
    [7, 2],
    [8, 1],
  ]);
  const loads = new Loads((id) => counted.get(id) ?? 0);
  const plan = planOf('least_connections', [true, true]);
  expect(
    createUpstream(
      plan,
      [7, 8],
      around(loads, () => 0),
    ).pick(client),
  ).toBe(1);
  loads.settle();
  // Another Plan has them in another order.
  expect(
    createUpstream(
      plan,
      [8, 7],
      around(loads, () => 0),
    ).pick(client),
  ).toBe(0);
  loads.settle();
  counted.clear();
  expect(
    createUpstream(
      plan,
      [7, 8],
      around(loads, () => 0),
    ).pick(client),
  ).toBe(0);
});

test('what was picked and is not counted yet weighs too, until it is', () => {
  const loads = idle();
  const upstream = createUpstream(
    planOf('least_connections', [true, true, true]),
    [4, 5, 6],
    around(loads, () => 0),
  );
  const picks = () => Array.from({ length: 9 }, () => upstream.pick(client));
  const each = [3, 3, 3];
  const countsOf = (picked: readonly number[]) =>
    [0, 1, 2].map((at) => picked.filter((p) => p === at).length);
  expect(countsOf(picks())).toEqual(each);
  expect(loads.sessions(4)).toBe(3);
  loads.settle();
  expect(loads.sessions(4)).toBe(0);
});

test.each(strategyNames)(
  '%s: only an endpoint that is up gets a new session, a backup when no other is',
  (balance) => {
    const pickOf = (states: readonly EndpointState[]) => {
      const plan = planOf(balance, [true, true, true]);
      const endpoints = plan.endpoints.map((endpoint, index) => ({
        ...endpoint,
        state: states[index] ?? 'up',
        backup: index === 2,
      }));
      const upstream = createUpstream({ ...plan, endpoints }, [1, 2, 3], around(idle(), Math.random));
      const picks = Array.from({ length: 60 }, (_, at) => upstream.pick(() => `192.0.2.${at}`));
      return [...new Set(picks)].toSorted();
    };
    expect(pickOf(['up', 'up', 'up'])).toEqual([0, 1]);
    expect(pickOf(['drain', 'up', 'up'])).toEqual([1]);
    expect(pickOf(['down', 'drain', 'up'])).toEqual([2]);
    expect(pickOf(['up', 'down', 'down'])).toEqual([0]);
    expect(pickOf(['drain', 'down', 'drain'])).toEqual([-1]);
  },
);

test('round_robin goes on where the Plan before stood, unless its endpoints have changed', () => {
  const random = () => 0;
  const first = createUpstream(planOf('round_robin', [true, true, true]), [1, 2, 3], around(idle(), random));
  expect(first.pick(client)).toBe(0);
  // The addresses are not its matter: a name that resolves again does not begin anew.
  const next = (balance: StrategyName, resolved: readonly boolean[]) =>
    createUpstream(planOf(balance, resolved), [1, 2, 3], around(idle(), random), first.balanced);
  expect(next('round_robin', [true, false, true]).pick(client)).toBe(2);
  expect(next('round_robin', [true, true]).pick(client)).toBe(0);
  expect(next('weighted_round_robin', [true, true, true]).balanced).not.toBe(first.balanced);
  expect(first.pick(client)).toBe(0); // sessions of the Plan before take their turn in the same row
});

test('picks leave no garbage in the old generation, which only a full collection frees', () => {
  const oldBytes = () =>
    getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ?? 0;
  const loads = idle();
  loads.picked(7);
  // Young objects are collected several times: what stays moves to the old generation.
  const garbage: unknown[] = [];
  for (let each = 0; each < 50_000; each += 1) garbage[each % 10] = new Array(1000);
  const before = oldBytes();
  for (let turn = 0; turn < 50_000; turn += 1) {
    loads.settle();
    loads.picked(7);
  }
  expect(garbage).toHaveLength(10);
  expect(oldBytes() - before).toBeLessThan(1 << 20);
});
