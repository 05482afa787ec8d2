/** What holds of every strategy, on one suite; then what each adds. Chance is a fixed sequence. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type StrategyName, strategies, strategyNames } from '../../src/upstream/balance/index.js';
import { LOADS_READ } from '../../src/upstream/balance/least-connections.js';
import { Balanced, clientOf, deviation, nameOf, seeded } from './field.js';

const PICKS = 100_000;

const sizes = [1, 2, 3, 10, 100, 1000];

const equal = (count: number): number[] => Array(count).fill(1);

describe.each(strategyNames)('%s', (name) => {
  const { weighs } = strategies[name];
  /** What counts of these weights. */
  const counting = (weights: readonly number[]) =>
    weighs ? [...weights] : weights.map((weight) => Math.min(weight, 1));

  const shapes = [
    { why: 'equal', weights: [1, 1, 1, 1] },
    { why: 'uneven', weights: [1, 2, 3, 4] },
    { why: 'far apart', weights: [256, 1, 100] },
    { why: 'parts of slow start and of an agent', weights: [256, 13, 77] },
    { why: 'one of them 0', weights: [3, 0, 2] },
    { why: 'a hundred', weights: Array.from({ length: 100 }, (_, index) => 1 + (index % 7)) },
  ];
  test.each(shapes)('within 1 % of the weights over 100,000 picks: $why', ({ why, weights }) => {
    const counted = counting(weights);
    const off = deviation(new Balanced(name, counted).run(PICKS), counted);
    console.log(`${name}, weights ${why}: ${(100 * off).toFixed(3)} % off at most`);
    expect(off).toBeLessThan(0.01);
  });

  test('weights that change while it runs count from the next pick on', () => {
    const balanced = new Balanced(name, equal(4));
    balanced.run(1234);
    const changed = counting([1, 5, 0, 2]);
    balanced.weigh(changed);
    const counts = balanced.run(PICKS, 1000, 5000);
    expect(deviation(counts, changed)).toBeLessThan(0.015);
    expect(counts[2]).toBe(0);
  });

  test('weights that are set to what they are change nothing', () => {
    const [one, other] = [new Balanced(name, [3, 1, 2]), new Balanced(name, [3, 1, 2])];
    for (let pick = 0; pick < 500; pick++) {
      if (pick % 7 === 0) one.weigh([3, 1, 2]);
      expect(one.pick(clientOf(pick))).toBe(other.pick(clientOf(pick)));
    }
  });

  test.each(sizes)('every one of %i endpoints has its turns, and none that has no weight', (count) => {
    const weights = Array.from({ length: count }, (_, index) => (count > 1 && index % 5 === 4 ? 0 : 1));
    const counts = new Balanced(name, weights).run(60 * count);
    for (const [endpoint, picks] of counts.entries()) expect(picks > 0).toBe(weights[endpoint] === 1);
  });

  test.each(sizes)(
    'of %i endpoints the only one that is left is found, and none when all are out',
    (count) => {
      const balanced = new Balanced(name, equal(count));
      for (let endpoint = 0; endpoint < count; endpoint++) balanced.passedOver.add(endpoint);
      expect(balanced.pick()).toBe(-1);
      for (const last of new Set([0, count >> 1, count - 1])) {
        balanced.passedOver.delete(last);
        expect(balanced.pick('a')).toBe(last);
        balanced.passedOver.add(last);
        balanced.weigh(equal(count).map((_, endpoint) => (endpoint === last ? 1 : 0)));
        expect(balanced.pick('b')).toBe(-1);
        balanced.passedOver.delete(last);
        expect(balanced.pick('c')).toBe(last);
        balanced.passedOver.add(last);
        balanced.weigh(equal(count));
      }
      balanced.weigh(equal(count).map(() => 0));
      expect(balanced.pick()).toBe(-1);
    },
  );

  const step = fc.oneof(
    fc.record({
      kind: fc.constant('weigh' as const),
      weights: fc.array(fc.constantFrom(0, 0, 1, 2, 13, 256, 65_536), { minLength: 12, maxLength: 12 }),
    }),
    fc.record({ kind: fc.constant('load' as const), endpoint: fc.nat(11), sessions: fc.nat(5) }),
    fc.record({
      kind: fc.constant('pick' as const),
      client: fc.string(),
      passedOver: fc.uniqueArray(fc.nat(11)),
    }),
  );
  test('never picks what has no weight or is passed over, and finds what is left, whatever happens', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 12 }), fc.array(step), (seed, count, steps) => {
        const balanced = new Balanced(name, equal(count), { random: seeded(seed) });
        for (const each of steps) {
          if (each.kind === 'weigh') balanced.weigh(each.weights.slice(0, count));
          else if (each.kind === 'load') balanced.sessions[each.endpoint] = each.sessions;
          else {
            balanced.passedOver.clear();
            for (const endpoint of each.passedOver) balanced.passedOver.add(endpoint);
            const left = balanced.weights.flatMap((weight, endpoint) =>
              weight > 0 && !balanced.passedOver.has(endpoint) ? [endpoint] : [],
            );
            const picked = balanced.pick(each.client);
            if (left.length === 0) expect(picked).toBe(-1);
            else expect(left).toContain(picked);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('one that was passed over has no more than its share afterwards', () => {
    const balanced = new Balanced(name, equal(4));
    balanced.run(2000);
    balanced.passedOver.add(1);
    expect(balanced.run(4000, 1000, 2000)[1]).toBe(0);
    balanced.passedOver.clear();
    const counts = balanced.run(8000, 1000, 6000);
    // least_connections and random_two fill it up first.
    const most = name === 'least_connections' || name === 'random_two' ? 0.32 : 0.27;
    expect((counts[1] ?? 0) / 8000).toBeLessThan(most);
  });

  test.each([4, 100])('among %i, what one that leaves had goes to all others by weight', (count) => {
    const weights = Array.from({ length: count }, (_, index) => 1 + (index % 3));
    const balanced = new Balanced(name, counting(weights));
    balanced.run(5000);
    const left = counting(weights.map((weight, endpoint) => (endpoint === 2 ? 0 : weight)));
    balanced.weigh(left);
    expect(deviation(balanced.run(PICKS, 1000, 5000), left)).toBeLessThan(0.01);
  });
});

describe('movement of clients when one of n endpoints leaves', () => {
  const CLIENTS = 50_000;
  const placed = (balanced: Balanced) =>
    Array.from({ length: CLIENTS }, (_, client) => balanced.pick(clientOf(client)));

  /** Parts of all clients: those of the endpoint that leaves, and others that move although theirs stays. */
  function movement(name: StrategyName, count: number, leaves: (balanced: Balanced) => Balanced) {
    const balanced = new Balanced(name, equal(count));
    const before = placed(balanced);
    const after = placed(leaves(balanced));
    const own = before.filter((endpoint) => endpoint === count - 1).length;
    const moved = before.filter((endpoint, client) => endpoint !== after[client]).length;
    return { own: own / CLIENTS, others: (moved - own) / CLIENTS };
  }

  const ways = {
    'goes down': (balanced: Balanced) => {
      balanced.weigh(
        balanced.weights.map((weight, endpoint, { length }) => (endpoint === length - 1 ? 0 : weight)),
      );
      return balanced;
    },
    'is removed': ({ strategy, weights }: Balanced) =>
      new Balanced(strategy, weights.slice(0, -1), { random: seeded(9) }),
    'is tried': (balanced: Balanced) => {
      balanced.passedOver.add(balanced.weights.length - 1);
      return balanced;
    },
  };

  const cases = Object.keys(ways).flatMap((way) =>
    [2, 4, 10, 100, 1000].map((count) => ({ way: way as keyof typeof ways, count })),
  );
  test.each(cases)('consistent_hash: one of $count $way', ({ way, count }) => {
    const { own, others } = movement('consistent_hash', count, ways[way]);
    const percent = (part: number) => `${(100 * part).toFixed(2)} %`;
    console.log(`one of ${count} ${way}: its clients ${percent(own)}, others that move ${percent(others)}`);
    expect(own * count).toBeGreaterThan(0.7);
    expect(own * count).toBeLessThan(1.3);
    if (way === 'is tried') expect(others).toBe(0);
    else expect(others).toBeLessThan(0.01);
  });

  test('source_hash moves most, as its description says', () => {
    const { others } = movement('source_hash', 10, ways['is removed']);
    expect(others).toBeGreaterThan(0.3);
  });

  test('consistent_hash: the same clients come back with the endpoint, in every process and order', () => {
    const balanced = new Balanced('consistent_hash', [1, 2, 3, 1]);
    const before = placed(balanced);
    balanced.weigh([1, 0, 3, 1]);
    balanced.weigh([1, 2, 3, 1]);
    expect(placed(balanced)).toEqual(before);
    const names = [3, 0, 1, 2].map(nameOf);
    const reordered = placed(new Balanced('consistent_hash', [1, 1, 2, 3], { names, random: Math.random }));
    expect(reordered.map((endpoint) => names[endpoint])).toEqual(before.map(nameOf));
  });

  test('consistent_hash: a weight that changes a little moves few', () => {
    const balanced = new Balanced('consistent_hash', [100, 100, 100, 100]);
    const before = placed(balanced);
    balanced.weigh([100, 100, 100, 110]);
    const moved = placed(balanced).filter((endpoint, client) => endpoint !== before[client]).length;
    console.log(
      `a weight of 100 that is 110: ${((100 * moved) / CLIENTS).toFixed(2)} % move; 1.83 % have to`,
    );
    expect(moved / CLIENTS).toBeLessThan(0.03);
  });
});

describe('turns', () => {
  test('round_robin: one after the other, past those that are out', () => {
    const balanced = new Balanced('round_robin', [1, 1, 1], { random: () => 0 });
    const picks = () => [0, 1, 2, 3].map(() => balanced.pick());
    expect(picks()).toEqual([0, 1, 2, 0]);
    balanced.weigh([1, 0, 1]);
    expect(picks()).toEqual([2, 0, 2, 0]);
  });

  test('weighted_round_robin: in no bunches', () => {
    const balanced = new Balanced('weighted_round_robin', [5, 1, 1], { random: () => 0 });
    const picks = Array.from({ length: 14 }, () => balanced.pick()).join('');
    expect(picks).toMatch(/^[012]{14}$/);
    expect(picks).not.toMatch(/0000|11|22/);
    expect([...picks].filter((pick) => pick === '0')).toHaveLength(10);
  });

  test.each(['round_robin', 'weighted_round_robin', 'least_connections'] as const)(
    '%s begins anywhere: a worker does not favour the first',
    (name) => {
      const firsts = Array.from({ length: 200 }, (_, seed) =>
        new Balanced(name, equal(4), { random: seeded(seed) }).pick(),
      );
      for (const endpoint of [0, 1, 2, 3])
        expect(firsts.filter((first) => first === endpoint).length).toBeGreaterThan(25);
    },
  );

  test.each(['round_robin', 'weighted_round_robin', 'least_connections'] as const)(
    '%s goes on where the one before stands, with others beside it and in another order',
    (name) => {
      const before = new Balanced(name, equal(4), { random: () => 0 });
      expect([before.pick(), before.pick()]).toEqual([0, 1]);
      const names = [nameOf(3), nameOf(1), nameOf(0), nameOf(2)];
      const next = new Balanced(name, equal(4), { names, before, random: () => 0.9 });
      expect([0, 1, 2, 3].map(() => names[next.pick()])).toEqual([2, 3, 0, 1].map(nameOf));
    },
  );

  test('round_robin keeps its order when weights change at every pick', () => {
    const balanced = new Balanced('weighted_round_robin', equal(3), { random: () => 0 });
    const picks = Array.from({ length: 30 }, (_, pick) => {
      balanced.weigh([1 + (pick % 2), 1 + (pick % 2), 1 + (pick % 2)]);
      return balanced.pick();
    });
    expect(picks).toEqual(picks.map((_, pick) => pick % 3));
  });
});

describe('least_connections', () => {
  const pick = (sessions: readonly number[], weights: number[]) => {
    const balanced = new Balanced('least_connections', weights);
    balanced.sessions.splice(0, 3, ...sessions);
    return balanced.pick();
  };
  test.each([
    { why: 'the fewest', sessions: [3, 6, 2], is: 2 },
    { why: 'the fewest for its weight', sessions: [3, 4, 3], is: 1 },
    { why: 'an idle one', sessions: [0, 1, 1], is: 0 },
  ])('$sessions: $why', ({ sessions, is }) => expect(pick(sessions, [1, 2, 1])).toBe(is));

  test('equals take turns', () => {
    const balanced = new Balanced('least_connections', equal(3), { random: () => 0 });
    expect(
      [0, 1, 2, 3].map(() => {
        balanced.sessions.fill(0);
        return balanced.pick();
      }),
    ).toEqual([0, 1, 2, 0]);
  });

  /**
   * Other workers change loads behind its back. Whom it picks has no more sessions than the fewest that any endpoint
   * had all the time since its load was read.
   */
  test.each([1, 2, LOADS_READ, 100, 1000])('among %i: no pick is worse than its bound', (count) => {
    const random = seeded(count);
    const balanced = new Balanced('least_connections', equal(count));
    const bound = Math.ceil(count / LOADS_READ);
    const any = () => Math.floor(random() * count);
    const history: number[][] = [];
    for (let turn = 0; turn < 600; turn++) {
      for (let change = 0; change < count / 50 + 1; change++)
        balanced.sessions[any()] = Math.floor(random() * 20);
      history.push([...balanced.sessions]);
      if (history.length > bound) history.shift();
      const picked = balanced.pick();
      const known = balanced.sessions.map((_, endpoint) =>
        Math.max(...history.map((sessions) => sessions[endpoint] ?? 0)),
      );
      // The session of the pick before may be counted on top.
      if (turn >= bound) expect(balanced.sessions[picked]).toBeLessThanOrEqual(Math.min(...known) + 1);
    }
  });

  test('uneven loads become even', () => {
    const balanced = new Balanced('least_connections', equal(100));
    balanced.sessions.splice(0, 100, ...Array.from({ length: 100 }, (_, endpoint) => endpoint % 40));
    balanced.run(4000, 1_000_000);
    expect(Math.max(...balanced.sessions) - Math.min(...balanced.sessions)).toBeLessThanOrEqual(1);
  });
});

describe('random_two', () => {
  test('of the two that chance names, the less loaded', () => {
    const chance = [0, 0, 0.9, 0.5, 0.1];
    const balanced = new Balanced('random_two', equal(3), { random: () => chance.shift() ?? 0 });
    balanced.sessions.splice(0, 3, 5, 1, 3);
    expect(balanced.pick()).toBe(2); // of 0 and, after 0 again, 2
    expect(balanced.pick()).toBe(1); // of 1 and 0
  });

  test('one with many more sessions than all others gets none', () => {
    const balanced = new Balanced('random_two', equal(10));
    balanced.sessions[4] = 1000;
    expect(balanced.run(5000, 500)[4]).toBe(0);
  });
});
