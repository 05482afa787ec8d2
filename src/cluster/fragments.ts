/**
 * Fragments of a configuration at `WATCH_PREFIX/NAME`: texts in YAML, in the order of their names. Here they are bounded;
 * what they say is read and checked with the file. Pure.
 */
import { isUtf8 } from 'node:buffer';
import type { KeyValue } from './etcd/wire.js';
import { NAME_PATTERN } from './nodes.js';
import { keyName } from './values.js';

export const fragmentLimits = {
  /** Of one. */
  bytesMax: 256 * 1024,
  /** Of all together, those with the first names: as much as one file may have. */
  totalBytesMax: 1024 * 1024,
} as const;

export interface KeyFragment {
  /** What its key has behind the prefix. */
  readonly name: string;
  /** As in messages. */
  readonly from: string;
  /** Of the last change of its key. */
  readonly revision: number;
  readonly text: string;
}

/** One that is not even read. */
export interface RefusedFragment extends Omit<KeyFragment, 'text'> {
  readonly fault: string;
}

export interface FragmentsRead {
  readonly fragments: readonly KeyFragment[];
  readonly refused: readonly RefusedFragment[];
}

export const fragmentsPrefix = (watchPrefix: string): string => `${watchPrefix}/`;

export function readFragments(watchPrefix: string, items: Iterable<KeyValue>): FragmentsRead {
  const fragments: KeyFragment[] = [];
  const refused: RefusedFragment[] = [];
  let bytes = 0;
  for (const item of [...items].sort((one, other) => (one.key < other.key ? -1 : 1))) {
    const name = item.key.slice(fragmentsPrefix(watchPrefix).length);
    const head = { name, from: `key ${keyName(item.key)}`, revision: item.modRevision };
    const fault = faultOf(name, item.value, fragmentLimits.totalBytesMax - bytes);
    if (fault !== null) refused.push({ ...head, fault });
    else {
      bytes += item.value.length;
      fragments.push({ ...head, text: item.value.toString('utf8') });
    }
  }
  return { fragments, refused };
}

/** Null: it can be read. */
function faultOf(name: string, value: Uint8Array, bytesLeft: number): string | null {
  const { bytesMax, totalBytesMax } = fragmentLimits;
  if (!NAME_PATTERN.test(name))
    return 'its name is none of a fragment: up to 128 letters, digits, `.`, `_` and `-`, a letter or digit first';
  if (value.length > bytesMax) return `has ${value.length} bytes, where ${bytesMax} are allowed`;
  if (value.length > bytesLeft)
    return `is more than ${totalBytesMax} bytes, with those of the names before it: make them smaller`;
  return isUtf8(value) ? null : 'is not UTF-8: write text in YAML';
}
