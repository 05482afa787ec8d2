/** Hash of the client's address: exact by weight, but most clients move when an endpoint is added or removed. */
import { hashText } from '../hash.js';
import type { Strategy } from '../strategy.js';

export const sourceHash: Strategy = {
  words: "by the client's address and `weight`; most clients move when the set of endpoints changes",
  create(endpoints) {
    return {
      pick({ source, usable }) {
        const total = endpoints.reduce((sum, { weight }, index) => sum + (usable(index) ? weight : 0), 0);
        let left = total === 0 ? 0 : hashText(source()) % total;
        for (const [index, { weight }] of endpoints.entries()) {
          if (!usable(index)) continue;
          if (left < weight) return index;
          left -= weight;
        }
        return -1;
      },
    };
  },
};
