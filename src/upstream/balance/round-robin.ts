/** One after the other. */
import type { Strategy } from '../strategy.js';

export const roundRobin: Strategy = {
  words: 'one after the other',
  create({ length }) {
    let next = 0;
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
