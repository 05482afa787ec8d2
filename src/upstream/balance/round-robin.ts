/** Endpoints in turn, from a random start, because every worker and every Plan has its own balancer. */
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
