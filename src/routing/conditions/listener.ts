/** The listener that accepted the session. */
import { z } from 'zod';
import type { Condition } from '../condition.js';
import { oneText } from '../expected.js';

export const listener: Condition<string, number> = {
  options: z.string({ error: oneText('the name of a listener') }).describe('name of a listener'),
  reads: 'place',
  compile: (name, indices) => indices.listener(name),
  create: (index) => (session) => (session.listener === index ? 'yes' : 'no'),
};
