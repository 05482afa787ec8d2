/** The recognised protocol. */
import type { PlaceCondition } from '../condition.js';
import { oneText } from '../expected.js';

export const protocol: PlaceCondition<string, number> = {
  options: (z) =>
    z
      .string({ error: oneText('the name of a protocol') })
      .meta({ description: 'Protocol, built in or configured', 'x-values': 'name of a protocol' }),
  reads: 'place',
  compile: (name, indices) => indices.protocol(name),
  place: (index) => ({ protocols: [index] }),
};
