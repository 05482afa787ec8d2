/** Patterns over host names, shared by the conditions on host names. */
import type { Extent, KeyName, Zod } from './condition.js';
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

/** `*.example.com` matches subdomains of example.com at any depth, but not example.com itself. */
export function createNameTest(pattern: string): (name: string) => boolean {
  const { name: wanted, below } = nameKey(pattern);
  if (!below) return (name) => plainName(name) === wanted;
  const suffix = `.${wanted}`;
  return (name) => {
    const plain = plainName(name);
    return plain.length > suffix.length && plain.endsWith(suffix);
  };
}

export function nameKey(pattern: string): KeyName {
  const wanted = pattern.toLowerCase();
  const below = wanted.startsWith('*.');
  return { name: below ? wanted.slice(2) : wanted, below };
}

/** `example.com.` is the same name written absolutely (RFC 1034 section 3.1). */
export function plainName(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
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
