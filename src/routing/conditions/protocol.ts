/** The recognised protocol. */
import type { PlaceCondition } from '../condition.js';
import { oneText } from '../expected.js';

export const protocol: PlaceCondition<string, number> = {
  options: (z) =>
    z
      .string({ error: oneText('the name of a protocol') })
      .describe('name of a protocol, built in or configured'),
  reads: 'place',
  compile: (name, indices) => indices.protocol(name),
  place: (index) => ({ protocols: [index] }),
};
