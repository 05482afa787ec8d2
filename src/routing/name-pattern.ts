/** Patterns over host names, shared by the conditions that look at one. */
import { z } from 'zod';

const NAME_PATTERN = /^(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

/** A host name, or `*.` and a suffix. */
export function namePattern(meaning: string) {
  const expected = 'expected a host name, or `*.` and a host name';
  return z.string({ error: expected }).regex(NAME_PATTERN, { error: expected }).describe(meaning);
}

/** `*.example.com` stands for every name below example.com, however deep, but not for example.com itself. */
export function createNameTest(pattern: string): (name: string) => boolean {
  const wanted = pattern.toLowerCase();
  if (!wanted.startsWith('*.')) return (name) => plain(name) === wanted;
  const suffix = wanted.slice(1);
  return (name) => name.length > suffix.length && plain(name).endsWith(suffix);
}

/** `example.com.` is the same name written absolutely (RFC 1034 section 3.1). */
function plain(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
