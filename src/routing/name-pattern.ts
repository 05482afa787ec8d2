/** Patterns over host names, shared by the conditions on host names. */
import type { KeyName, Zod } from './condition.js';
import { oneText } from './expected.js';

const NAME_PATTERN = /^(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

/** A host name, or `*.` and a suffix. */
export function namePattern(z: Zod, meaning: string) {
  const error = oneText('a host name, or `*.` and a host name');
  return z.string({ error }).regex(NAME_PATTERN, { error }).describe(meaning);
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

/** Returns a test of whether `wide` contains a pattern; prepared once, because thousands of routes are compared. */
export function coversName(wide: string): (narrow: string) => boolean {
  const outer = wide.toLowerCase();
  const isSame = (narrow: string) => narrow.length === outer.length && narrow.toLowerCase() === outer;
  if (!outer.startsWith('*.')) return isSame;
  const suffix = outer.slice(1);
  return (narrow) => narrow.length > suffix.length && narrow.toLowerCase().endsWith(suffix);
}
