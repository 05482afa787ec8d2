/**
 * Weighted rendezvous hashing by the client's address: when an endpoint is added or removed, only its clients move.
 * Every endpoint gets a score for the client and the highest wins; stateless.
 */
import { hashText } from '../hash.js';
import type { Strategy } from '../strategy.js';

const HASHES = 2 ** 32;

/** With u uniform in (0, 1), -weight / ln(u) is highest with probability proportional to weight. */
function score(source: string, name: string, weight: number): number {
  return -weight / Math.log((hashText(`${source} ${name}`) + 0.5) / HASHES);
}

export const consistentHash: Strategy = {
  words: "by the client's address and `weight`; only the clients of an endpoint that comes or goes move",
  create(endpoints) {
    return {
      pick({ source, usable }) {
        const client = source();
        let best = -1;
        let bestScore = 0;
        for (const [index, { name, weight }] of endpoints.entries()) {
          if (!usable(index)) continue;
          const drawn = score(client, name, weight);
          if (drawn <= bestScore) continue;
          best = index;
          bestScore = drawn;
        }
        return best;
      },
    };
  },
};
