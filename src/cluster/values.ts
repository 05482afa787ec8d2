/** Values that others have written to etcd: bounded, JSON, and never trusted. Pure. */
import { isUtf8 } from 'node:buffer';
import { visible } from '../base/text.js';

export const valueLimits = {
  /** Of one value of a service or a node. */
  bytesMax: 16 * 1024,
  /** Of a key where it is named: etcd takes keys of more than a megabyte. */
  keyCharactersMax: 300,
} as const;

/** A key, for people. */
export function keyName(key: string): string {
  const { keyCharactersMax } = valueLimits;
  return visible(key.length > keyCharactersMax ? `${key.slice(0, keyCharactersMax)}…` : key);
}

/** What was read, or what is wrong with it. */
export type Parsed<Value> = Value | { readonly fault: string };

export function readObject(
  value: Uint8Array,
  bytesMax: number = valueLimits.bytesMax,
): Parsed<{ readonly object: Readonly<Record<string, unknown>> }> {
  if (value.length > bytesMax)
    return { fault: `a value of ${value.length} bytes, where ${bytesMax} are allowed` };
  if (!isUtf8(value)) return { fault: 'a value that is no UTF-8' };
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(value).toString('utf8'));
  } catch {
    return { fault: 'a value that is no JSON' };
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    return { fault: 'a value that is no JSON object' };
  return { object: parsed as Record<string, unknown> };
}

/** The text if it is one, of at most so many characters and without control characters; else null. */
export function textWithin(value: unknown, charactersMax: number): string | null {
  if (typeof value !== 'string' || value.length > charactersMax) return null;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return /[\0-\x1f\x7f]/.test(value) ? null : value;
}
