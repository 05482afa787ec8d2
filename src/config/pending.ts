/**
 * Keys accepted although this release does not implement them. Whoever implements a key removes its row, and with it
 * the warning. Keys that restrict access or change the wire format are refused until they work: accepting them
 * without effect would be dangerous.
 */
import { findAll, type Path, pathText } from './path.js';

interface PendingKey {
  /** Pattern as in `findAll`. */
  readonly pattern: string;
  /** A value that asks for nothing: no warning. */
  readonly idle?: unknown;
  /** Pending for this value alone. */
  readonly only?: unknown;
  /** Refused, with this advice; absent: a warning only. */
  readonly refused?: string;
}

export const pendingKeys: readonly PendingKey[] = [
  { pattern: 'upstreams.*.via', refused: 'leave it out' },
  { pattern: 'distributed' },
  { pattern: 'docker' },
];

const OWN_UPSTREAMS = ['protocols.[].target', 'forwards.[].target'];

function isIdle(value: unknown, idle: unknown): boolean {
  return (
    JSON.stringify(value) === JSON.stringify(idle) ||
    (idle === 0 && /^0(?:KiB|MiB|GiB)?$/.test(String(value)))
  );
}

/** The target of a protocol or of a forward may be an upstream of its own. */
const placesOf = (pattern: string): string[] =>
  pattern.startsWith('upstreams.*.')
    ? [pattern, ...OWN_UPSTREAMS.map((place) => pattern.replace('upstreams.*', place))]
    : [pattern];

function findWritten({ pattern, idle, only }: PendingKey, value: unknown): Path[] {
  return placesOf(pattern)
    .flatMap((place) => findAll(value, place))
    .filter((found) => (only === undefined ? !isIdle(found.value, idle) : found.value === only))
    .map(({ path }) => path);
}

/** Key paths without effect. */
export function findPending(value: unknown): string[] {
  const accepted = pendingKeys.filter(({ refused }) => refused === undefined);
  return accepted.flatMap((key) => findWritten(key, value).map(pathText));
}

/** Keys that are refused until implemented. */
export function findRefused(value: unknown): { readonly path: Path; readonly message: string }[] {
  return pendingKeys.flatMap((key) => {
    const { refused } = key;
    if (refused === undefined) return [];
    const message = `is not available yet, and must not be ignored: ${refused}`;
    return findWritten(key, value).map((path) => ({ path, message }));
  });
}
