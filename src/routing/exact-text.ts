/** Conditions on a fact that must be the same text, letter case included. */
import { plainName } from '../base/host-pattern.js';
import type { SessionCondition } from './condition.js';
import { oneText } from './expected.js';
import { testFact } from './fact.js';

export interface ExactText {
  readonly fact: string;
  readonly description: string;
  /** What may be written, for the reference. */
  readonly values: string;
  /** The same for messages. */
  readonly expected: string;
  /** Default: any text. */
  readonly pattern?: RegExp;
}

/** Facts are cut beyond 512 bytes, and then doubtful: a longer value would hold for nobody. */
const TEXT_BYTES_MAX = 512;

export function exactText({
  fact,
  description,
  values,
  expected,
  pattern = /^/,
}: ExactText): SessionCondition<string, string> {
  const error = oneText(expected);
  return {
    options: (z) =>
      z
        .string({ error })
        .regex(pattern, { error })
        .refine((text) => text !== '' && Buffer.byteLength(text) <= TEXT_BYTES_MAX, { error })
        .meta({ description, 'x-values': values }),
    reads: 'facts',
    compile: (text) => text,
    create: (text) => (session) => testFact(session, fact, (sent) => sent === text),
    key: (text) => ({ kind: 'fact', fact, names: [{ name: plainName(text), below: false }] }),
  };
}
