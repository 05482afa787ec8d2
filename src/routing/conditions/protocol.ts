/** The protocol that was recognised. */
import { z } from 'zod';
import type { Condition } from '../condition.js';

export const protocol: Condition<string, number> = {
  options: z.string().describe('name of a protocol, built in or configured'),
  reads: 'place',
  compile: (name, indices) => indices.protocol(name),
  create: (index) => (session) => (session.protocol === index ? 'yes' : 'no'),
};
