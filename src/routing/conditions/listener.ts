/** The listener that accepted the session. */
import type { PlaceCondition } from '../condition.js';
import { oneText } from '../expected.js';

export const listener: PlaceCondition<string, number> = {
  options: (z) =>
    z
      .string({ error: oneText('the name of a listener') })
      .meta({ description: 'Listener that has the session', 'x-values': 'name of a listener' }),
  reads: 'place',
  compile: (name, indices) => indices.listener(name),
  place: (index) => ({ listeners: [index] }),
};
