/** Patterns over host names, shared by the conditions on host names. */
import type { Extent, Zod } from './condition.js';
import { oneText } from './expected.js';

const NAME_PATTERN = /^(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;
/** RFC 1035 section 2.3.4: no name is longer, so no session has one. */
const NAME_CHARS_MAX = 253;
const LABEL_CHARS_MAX = 63;

/** A host name, or `*.` and a suffix. */
export function namePattern(z: Zod, meaning: string) {
  const error = oneText('a host name, or `*.` and a host name');
  return z
    .string({ error })
    .regex(NAME_PATTERN, { error })
    .refine((pattern) => pattern.length <= NAME_CHARS_MAX, {
      error: ({ input }) =>
        `is a name that can not be: it has ${String(input).length} characters, and names have at most ${NAME_CHARS_MAX}`,
    })
    .refine((pattern) => pattern.split('.').every((label) => label.length <= LABEL_CHARS_MAX), {
      error: `is a name that can not be: between two dots are at most ${LABEL_CHARS_MAX} characters`,
    })
    .meta({ description: meaning, 'x-values': 'host name, or `*.` and one' });
}

interface NameExtent extends Extent {
  readonly text: string;
}

/** Prepared once a pattern, because thousands of routes are compared. */
export function nameExtent(pattern: string): NameExtent {
  const text = pattern.toLowerCase();
  if (!text.startsWith('*.')) return { text, includes: (narrow) => narrow.text === text };
  const suffix = text.slice(1);
  return { text, includes: (narrow) => narrow.text.length > suffix.length && narrow.text.endsWith(suffix) };
}
