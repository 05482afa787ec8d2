/** One after the other. It begins anywhere: every worker, and every Plan, makes its own. */
import type { Strategy } from '../strategy.js';

export const roundRobin: Strategy = {
  words: 'one after the other',
  create({ length }, random) {
    let next = Math.floor(random() * length);
    return {
      pick({ usable }) {
        for (let step = 0; step < length; step++) {
          const endpoint = (next + step) % length;
          if (!usable(endpoint)) continue;
          next = (endpoint + 1) % length;
          return endpoint;
        }
        return -1;
      },
    };
  },
};
