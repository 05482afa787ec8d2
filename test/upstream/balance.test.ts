/** Properties of all strategies, then of each. Randomness is a fixed sequence. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createBalancer, type StrategyName, strategyNames } from '../../src/upstream/balance/index.js';
import type { PickContext } from '../../src/upstream/strategy.js';

/** mulberry32: good enough for an even spread, and the same every time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const endpointsOf = (weights: readonly number[], backups: readonly number[] = []) =>
  weights.map((weight, index) => ({ name: `10.0.0.${index}:80`, weight, backup: backups.includes(index) }));

const context = (change: Partial<PickContext> = {}): PickContext => ({
  source: () => '192.0.2.7',
  active: () => 0,
  usable: () => true,
  ...change,
});

/** Picks for many sources; number of picks per endpoint. */
function spread(name: StrategyName, weights: readonly number[], picks: number): number[] {
  const balancer = createBalancer(name, endpointsOf(weights), seeded(1));
  const counts = weights.map(() => 0);
  for (let pick = 0; pick < picks; pick++) {
    const endpoint = balancer.pick(context({ source: () => `192.0.${pick >> 8}.${pick & 255}` }));
    counts[endpoint] = (counts[endpoint] ?? 0) + 1;
  }
  return counts;
}

describe.each(strategyNames)('%s', (name) => {
  const anyUpstream = fc.array(
    fc.record({ weight: fc.integer({ min: 1, max: 256 }), backup: fc.boolean(), usable: fc.boolean() }),
    { maxLength: 8 },
  );

  test('picks a usable endpoint, a backup only when nothing else is, -1 only when nothing is', () => {
    fc.assert(
      fc.property(anyUpstream, fc.integer(), fc.string(), (upstream, seed, source) => {
        const endpoints = upstream.map(({ weight, backup }, index) => ({
          name: `e${index}`,
          weight,
          backup,
        }));
        const balancer = createBalancer(name, endpoints, seeded(seed));
        const usable = (index: number) => upstream[index]?.usable === true;
        for (let pick = 0; pick < 4; pick++) {
          const picked =
            upstream[
              balancer.pick(context({ source: () => source, usable, active: (index) => index * pick }))
            ];
          const main = upstream.some((endpoint) => endpoint.usable && !endpoint.backup);
          const any = upstream.some((endpoint) => endpoint.usable);
          expect(picked?.usable ?? false).toBe(any);
          if (main) expect(picked?.backup).toBe(false);
        }
      }),
    );
  });

  test('every endpoint gets its turn', () => {
    for (const count of spread(name, [1, 1, 1, 1], 4000)) {
      expect(count).toBeGreaterThan(850);
      expect(count).toBeLessThan(1150);
    }
  });
});

test('round_robin: one after the other, past those that are not usable', () => {
  const balancer = createBalancer('round_robin', endpointsOf([1, 9, 1]), () => 0);
  const picks = (usable: PickContext['usable']) => [0, 1, 2, 3].map(() => balancer.pick(context({ usable })));
  expect(picks(() => true)).toEqual([0, 1, 2, 0]);
  expect(picks((index) => index !== 1)).toEqual([2, 0, 2, 0]);
});

test('weighted_round_robin: smooth and exact', () => {
  const balancer = createBalancer('weighted_round_robin', endpointsOf([5, 1, 1]), () => 0);
  const picks = Array.from({ length: 14 }, () => balancer.pick(context()));
  expect(picks).toEqual([0, 0, 1, 0, 2, 0, 0, 0, 0, 1, 0, 2, 0, 0]);
});

describe('least_connections', () => {
  const balancer = () => createBalancer('least_connections', endpointsOf([1, 2, 1]), () => 0);
  const pick = (active: readonly number[]) =>
    balancer().pick(context({ active: (index) => active[index] ?? 0 }));
  test.each([
    { why: 'the fewest', active: [3, 6, 2], is: 2 },
    { why: 'the fewest for its weight', active: [3, 4, 3], is: 1 },
    { why: 'an idle one', active: [0, 1, 1], is: 0 },
  ])('$active: $why', ({ active, is }) => expect(pick(active)).toBe(is));

  test('equals take turns', () => {
    const one = balancer();
    expect([0, 1, 2, 3].map(() => one.pick(context()))).toEqual([0, 1, 2, 0]);
  });
});

test.each(['round_robin', 'weighted_round_robin', 'least_connections'] as const)(
  '%s begins anywhere: a worker, or a new Plan, does not favour the first',
  (name) => {
    const firsts = Array.from({ length: 200 }, (_, seed) =>
      createBalancer(name, endpointsOf([1, 1, 1, 1]), seeded(seed)).pick(context()),
    );
    for (const endpoint of [0, 1, 2, 3]) {
      expect(firsts.filter((first) => first === endpoint).length).toBeGreaterThan(25);
    }
  },
);

test('random_two: of the two that chance names, the less loaded', () => {
  const chance = [0, 0.99, 0.5, 0];
  const balancer = createBalancer('random_two', endpointsOf([1, 1, 1]), () => chance.shift() ?? 0);
  const active = (index: number) => [5, 1, 3][index] ?? 0;
  expect(balancer.pick(context({ active }))).toBe(2); // of 0 and 2
  expect(balancer.pick(context({ active }))).toBe(1); // of 1 and 0
});

describe.each(['source_hash', 'consistent_hash'] as const)('%s', (name) => {
  const sources = Array.from({ length: 2000 }, (_, index) => `198.51.${index >> 8}.${index & 255}`);
  const placed = (count: number, usable: PickContext['usable'] = () => true) => {
    const balancer = createBalancer(name, endpointsOf(Array(count).fill(1)), Math.random);
    return sources.map((source) => balancer.pick(context({ source: () => source, usable })));
  };

  test('a client keeps its endpoint, in every process', () => expect(placed(4)).toEqual(placed(4)));

  test('spreads by weight', () => {
    const [light = 0, heavy = 0] = spread(name, [1, 3], 4000);
    expect(heavy / light).toBeGreaterThan(2.6);
    expect(heavy / light).toBeLessThan(3.4);
  });
});

test('consistent_hash: only the clients of an endpoint that goes move', () => {
  const balancer = createBalancer('consistent_hash', endpointsOf([1, 1, 1, 1]), Math.random);
  for (let index = 0; index < 1000; index++) {
    const source = `203.0.113.${index}`;
    const before = balancer.pick(context({ source: () => source }));
    const after = balancer.pick(context({ source: () => source, usable: (endpoint) => endpoint !== 2 }));
    if (before !== 2) expect(after).toBe(before);
    else expect(after).not.toBe(2);
  }
});
