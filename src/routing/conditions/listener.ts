/** The listener that accepted the session. */
import { z } from 'zod';
import type { Condition } from '../condition.js';

export const listener: Condition<string, number> = {
  options: z.string().describe('name of a listener'),
  reads: 'place',
  compile: (name, indices) => indices.listener(name),
  create: (index) => (session) => (session.listener === index ? 'yes' : 'no'),
};
