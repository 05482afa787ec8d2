/** The benchmark's verdict on two builds claims no more than the rounds show. */
import { describe, expect, test } from 'vitest';
import { ratioOf, ratioText, roundsFor, verdictOf } from '../../bench/system/ratio.js';
import { createRandom } from '../support/random.js';

/** Simulated rounds on a machine whose speed drifts by up to half; the cost of a run has relative noise `noise`. */
function compared(factor: number, noise: number, rounds: number, seed = 1) {
  const random = createRandom(seed);
  const off = () => 1 + noise * (random(2001) / 1000 - 1);
  const machine = Array.from({ length: rounds }, () => 1 + random(500) / 1000);
  const costs = (cost: number) => machine.map((slow) => cost * slow * off());
  return ratioOf(costs(70 * factor), costs(70));
}

test('the median of the rounds, whatever the machine does meanwhile', () => {
  expect(ratioOf([10, 20, 40], [10, 20, 20])).toMatchObject({ median: 1, low: 1, high: 2, rounds: 3 });
});

describe('what is certain', () => {
  test.each([
    { factor: 1, noise: 0.02, rounds: 40, says: 'not slower' },
    { factor: 1.1, noise: 0.02, rounds: 40, says: 'slower' },
    { factor: 1, noise: 0.2, rounds: 10, says: 'uncertain' },
    { factor: 1.1, noise: 0, rounds: 5, says: 'uncertain' },
  ])('$factor times the cost, off by $noise, in $rounds rounds: $says', ({ factor, noise, rounds, says }) =>
    expect(verdictOf(compared(factor, noise, rounds))).toBe(says),
  );

  test('the true ratio lies in the interval, 95 times of 100 and more', () => {
    const found = Array.from({ length: 400 }, (_, i) => compared(1, 0.1, 12, i + 1));
    const held = found.filter(({ low, high }) => low <= 1 && 1 <= high).length;
    expect(held).toBeGreaterThan(0.93 * found.length);
  });

  test('as many rounds as it asks for suffice, most of the time', () => {
    const seeds = Array.from({ length: 100 }, (_, i) => 7919 * (i + 1));
    const enough = seeds.filter((seed) => {
      const few = compared(1, 0.1, 30, seed);
      return verdictOf(compared(1, 0.1, roundsFor(few), seed + 1)) === 'not slower';
    });
    expect(enough.length).toBeGreaterThan(75);
  });
});

test('is said with its spread', () =>
  expect(ratioText({ median: 1.004, low: 0.99, high: 1.03, rounds: 20 })).toBe(
    'anyport to beside: 1.004 (0.990–1.030, 20 rounds): to say whether it is slower by 2 % about 80 rounds are needed',
  ));
