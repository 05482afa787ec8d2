/** The endpoint with the fewest sessions for its weight. */
import type { Strategy } from '../strategy.js';

export const leastConnections: Strategy = {
  words: 'the fewest sessions for its `weight`; equals take turns',
  create(endpoints, random) {
    let start = Math.floor(random() * endpoints.length);
    return {
      pick({ active, usable }) {
        let best = -1;
        let bestLoad = Number.POSITIVE_INFINITY;
        for (let step = 0; step < endpoints.length; step++) {
          const endpoint = (start + step) % endpoints.length;
          if (!usable(endpoint)) continue;
          const load = active(endpoint) / (endpoints[endpoint]?.weight ?? 1);
          if (load >= bestLoad) continue;
          best = endpoint;
          bestLoad = load;
        }
        // Rotate ties: otherwise the first of several idle endpoints would get every session under low load.
        if (best >= 0) start = (best + 1) % endpoints.length;
        return best;
      },
    };
  },
};
