/**
 * Smooth weighted round robin: at each pick every endpoint earns its weight; the one with the highest credit is picked
 * and pays the sum of the weights. Weights 5, 1, 1 give a a b a c a a, not a a a a a b c.
 */
import type { Strategy } from '../strategy.js';

export const weightedRoundRobin: Strategy = {
  words: 'in turn, in proportion to `weight`',
  create(endpoints, random) {
    // Random credit: from zero, every worker and every Plan would start with the heaviest endpoint.
    const earned = endpoints.map(({ weight }) => random() * weight);
    return {
      pick({ usable }) {
        let total = 0;
        let richest = -1;
        for (const [index, { weight }] of endpoints.entries()) {
          if (!usable(index)) continue;
          total += weight;
          earned[index] = (earned[index] ?? 0) + weight;
          if (richest < 0 || (earned[index] ?? 0) > (earned[richest] ?? 0)) richest = index;
        }
        if (richest >= 0) earned[richest] = (earned[richest] ?? 0) - total;
        return richest;
      },
    };
  },
};
