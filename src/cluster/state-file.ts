/** The last good state on disk, for a start without etcd: what was known, by prefix. */
import type { Clock } from '../base/clock.js';
import { readStateFile, type StateKind, StateWriter } from '../base/state-file.js';
import { HELD_KEYS_MAX, type Held } from './etcd/held.js';
import { decoded, encoded, type KeyValue, listIn, objectIn } from './etcd/wire.js';
import type { Parsed } from './values.js';

const kind: StateKind = { name: 'cluster of an anyport', version: 1 };

/** By prefix. */
export type State = ReadonlyMap<string, Held>;

/**
 * A file that is not there is a state that is empty. `users`: beside root and this process's, whose file is believed.
 * Rejects never.
 */
export async function readState(
  path: string,
  users: readonly number[],
): Promise<Parsed<{ readonly state: State }>> {
  const read = await readStateFile(path, kind, users);
  if ('fault' in read) return read;
  return read.state === undefined ? { state: new Map() } : stateIn(read.state);
}

/** `state`: as it was read, from anywhere. */
export function stateIn(state: unknown): Parsed<{ readonly state: State }> {
  const entries = Object.entries(objectIn(state)).map(([prefix, held]) => [prefix, heldIn(held)] as const);
  const broken = entries.find(([, held]) => held === null);
  if (broken !== undefined) return { fault: `what it says of ${broken[0]} is broken` };
  return { state: new Map(entries as (readonly [string, Held])[]) };
}

function heldIn(value: unknown): Held | null {
  const { revision, items } = objectIn(value);
  if (!Number.isSafeInteger(revision) || !Array.isArray(items) || items.length > HELD_KEYS_MAX) return null;
  const read = listIn(items).map(itemIn);
  if (read.some((item) => item === null)) return null;
  return { revision: Number(revision), items: new Map((read as KeyValue[]).map((item) => [item.key, item])) };
}

function itemIn(value: unknown): KeyValue | null {
  const [key, bytes, modRevision] = listIn(value);
  if (typeof key !== 'string' || typeof bytes !== 'string' || !Number.isSafeInteger(modRevision)) return null;
  return { key, value: decoded(bytes), modRevision: Number(modRevision) };
}

export const writtenState = (state: State): object =>
  Object.fromEntries(
    [...state].map(([prefix, { revision, items }]) => [
      prefix,
      {
        revision,
        items: [...items.values()].map((item) => [item.key, encoded(item.value), item.modRevision]),
      },
    ]),
  );

export interface StateFileOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Once, until a write succeeds: then with null. */
  readonly onError: (error: string | null) => void;
}

/** Writes the newest of each prefix. */
export class StateFile {
  readonly #state: Map<string, Held>;
  readonly #writer: StateWriter;

  /** `state`: what has been read, which is written along until it is replaced. */
  constructor(options: StateFileOptions, state: State = new Map()) {
    this.#state = new Map(state);
    this.#writer = new StateWriter({ ...options, kind });
  }

  save(prefix: string, held: Held): void {
    this.#state.set(prefix, held);
    this.#writer.save(() => writtenState(this.#state));
  }

  /** Writes what waits. Rejects never. */
  close(): Promise<void> {
    return this.#writer.close();
  }
}
