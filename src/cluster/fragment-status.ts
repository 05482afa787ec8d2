/**
 * What became of a fragment on a node, for whoever wrote it: `PREFIX/status/NODE/NAME` → `{"state", "revision", "in_force",
 * "problems", "at"}`. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import { type FragmentState, fragmentStates } from '../model/cluster-status.js';
import { listIn } from './etcd/wire.js';
import { type Parsed, readObject } from './values.js';

export const statusLimits = {
  /** Of one problem; what is longer is cut. */
  charactersMax: 400,
  problemsMax: 21,
  /** Of the name of a fragment; one that is longer has no status. */
  nameCharactersMax: 256,
} as const;

export interface FragmentStatus {
  readonly state: FragmentState;
  /** Of the fragment that was judged. */
  readonly revision: number;
  /** Of what is in force of it, which may be what it said before; null: nothing. */
  readonly inForce: number | null;
  /** With their places in the fragment. */
  readonly problems: readonly string[];
}

export const statusPrefix = (prefix: string): string => `${prefix}/status/`;

/** Null: a name that nobody would find. */
export function statusKey(prefix: string, node: string, name: string): string | null {
  const isPlain = name !== '' && name.length <= statusLimits.nameCharactersMax && /^[\x20-\x7e]*$/.test(name);
  return isPlain ? `${statusPrefix(prefix)}${node}/${name}` : null;
}

export const cut = (text: string): string =>
  text.length > statusLimits.charactersMax ? `${text.slice(0, statusLimits.charactersMax)}…` : text;

export const isSameStatus = (one: FragmentStatus | undefined, other: FragmentStatus): boolean =>
  isDeepStrictEqual(one, other);

export function formatStatus({ state, revision, inForce, problems }: FragmentStatus, at: Date): string {
  return JSON.stringify({ state, revision, in_force: inForce, problems, at: at.toISOString() });
}

export function parseStatus(
  value: Uint8Array,
): Parsed<{ readonly status: FragmentStatus; readonly at: string }> {
  const read = readObject(value);
  if ('fault' in read) return read;
  const { state, revision, in_force: inForce, problems, at } = read.object;
  if (!(fragmentStates as readonly unknown[]).includes(state)) return { fault: 'an unknown state' };
  const numberOf = (written: unknown) => (Number.isSafeInteger(written) ? Number(written) : null);
  return {
    status: {
      state: state as FragmentState,
      revision: numberOf(revision) ?? 0,
      inForce: numberOf(inForce),
      problems: listIn(problems).slice(0, statusLimits.problemsMax).map(String).map(cut),
    },
    at: typeof at === 'string' ? at : '',
  };
}
