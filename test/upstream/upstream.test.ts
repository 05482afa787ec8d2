import { expect, test } from 'vitest';
import type { PlanUpstream } from '../../src/model/plan.js';
import type { StrategyName } from '../../src/upstream/balance/index.js';
import { createLoads, createUpstream } from '../../src/upstream/upstream.js';
import { optionsWith } from '../support/plan.js';

const client = () => '192.0.2.7';

function planOf(balance: StrategyName, resolved: readonly boolean[]): PlanUpstream {
  return {
    name: 'web',
    handler: null,
    options: optionsWith({ balance }),
    endpoints: resolved.map((known, index) => ({
      name: `web-${index}:80`,
      weight: 1,
      backup: false,
      addresses: known ? [{ host: `10.0.0.${index}`, port: 80 }] : [],
    })),
  };
}

test('an endpoint that is not resolved is not picked', () => {
  const upstream = createUpstream(
    planOf('round_robin', [false, true, false]),
    [1, 2, 3],
    () => 0,
    createLoads(),
  );
  expect([1, 2, 3].map(() => upstream.pick(client))).toEqual([1, 1, 1]);
});

test('an endpoint that was tried is not picked again, until none is left', () => {
  const upstream = createUpstream(
    planOf('round_robin', [true, true, true]),
    [1, 2, 3],
    () => 0,
    createLoads(),
  );
  const tried = new Set<number>();
  for (let attempt = 0; attempt < 3; attempt++) tried.add(upstream.pick(client, tried));
  expect(tried).toEqual(new Set([0, 1, 2]));
  expect(upstream.pick(client, tried)).toBe(-1);
  expect(upstream.pick(client)).toBe(0);
});

test('sessions are counted, and counts are what least_connections looks at', () => {
  const upstream = createUpstream(planOf('least_connections', [true, true]), [1, 2], () => 0, createLoads());
  upstream.connected(0);
  upstream.connected(0);
  upstream.connected(1);
  expect([upstream.active(0), upstream.active(1)]).toEqual([2, 1]);
  expect(upstream.pick(client)).toBe(1);
  upstream.released(0);
  upstream.released(0);
  expect(upstream.active(0)).toBe(0);
  expect(upstream.pick(client)).toBe(0);
});

test('a new Plan goes on counting where the old one was, whatever the order of its endpoints', () => {
  const loads = createLoads();
  const before = createUpstream(planOf('least_connections', [true, true]), [1, 2], () => 0, loads);
  before.connected(0);
  const after = createUpstream(planOf('least_connections', [true, true]), [2, 1], () => 0, loads);
  expect([after.active(0), after.active(1)]).toEqual([0, 1]);
  before.released(0);
  expect(after.active(1)).toBe(0);
});
