/** The protocol that was recognised. */
import { z } from 'zod';
import type { Condition } from '../condition.js';
import { oneText } from '../expected.js';

export const protocol: Condition<string, number> = {
  options: z
    .string({ error: oneText('the name of a protocol') })
    .describe('name of a protocol, built in or configured'),
  reads: 'place',
  compile: (name, indices) => indices.protocol(name),
  create: (index) => (session) => (session.protocol === index ? 'yes' : 'no'),
};
