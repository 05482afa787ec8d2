/**
 * By the client's address, so that only the clients of an endpoint that comes or goes move: weighted
 * rendezvous hashing. Every endpoint draws a score for the client, the highest wins; nothing is kept.
 */
import { hashText } from '../hash.js';
import type { Strategy } from '../strategy.js';

const HASHES = 2 ** 32;

/** -weight / ln(u) with u uniform in (0, 1) wins in proportion to weight. */
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
