/** Patterns over host names, shared by the conditions that look at one. */
import { z } from 'zod';
import type { KeyName } from './condition.js';
import { oneText } from './expected.js';

const NAME_PATTERN = /^(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

/** A host name, or `*.` and a suffix. */
export function namePattern(meaning: string) {
  const error = oneText('a host name, or `*.` and a host name');
  return z.string({ error }).regex(NAME_PATTERN, { error }).describe(meaning);
}

/** `*.example.com` stands for every name below example.com, however deep, but not for example.com itself. */
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

/** Whether every name that `narrow` stands for is one of `wide`. */
export function patternHolds(wide: string, narrow: string): boolean {
  const [outer, inner] = [wide.toLowerCase(), narrow.toLowerCase()];
  return (
    outer === inner ||
    (outer.startsWith('*.') &&
      inner.replace(/^\*/, '').endsWith(outer.slice(1)) &&
      inner.length > outer.length - 1)
  );
}
