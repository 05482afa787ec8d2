/** What is known of a prefix, and how a list or the events of a watch change it. Pure. */
import { EtcdFailure } from './failure.js';
import type { KeyValue, Listing, WatchEvent } from './wire.js';

/** Keys of one prefix; more are not taken, and what was known before stays. */
export const HELD_KEYS_MAX = 10_000;

/** Of their keys and values: about what a list may have in base64, which bounds what a watch adds between two lists. */
export const HELD_BYTES_MAX = 24 * 1024 * 1024;

export interface Held {
  readonly items: ReadonlyMap<string, KeyValue>;
  /** Of the store when this was so; 0: nothing is known. */
  readonly revision: number;
}

export const NOTHING_HELD: Held = { items: new Map(), revision: 0 };

export interface Change {
  readonly key: string;
  /** Null: it is gone. */
  readonly now: KeyValue | null;
}

export interface Step {
  readonly held: Held;
  /** Empty: all is as before. */
  readonly changes: readonly Change[];
}

/** After a whole list. @throws EtcdFailure when it may not replace what is known. */
export function relisted(held: Held, { items: listed, revision, more }: Listing): Step {
  if (more) throw tooMany();
  // A store that was made anew knows nobody yet: that is no news of what was there.
  if (listed.length === 0 && held.items.size > 0 && revision < held.revision)
    throw new EtcdFailure(
      'refused',
      `etcd has lost its data: revision ${revision} after ${held.revision}, and no keys; what was known is kept until there are some`,
    );
  const items = new Map(listed.map((item) => [item.key, item]));
  const gone = [...held.items.keys()].filter((key) => !items.has(key)).map((key) => ({ key, now: null }));
  const put = listed.filter((item) => !isSame(held.items.get(item.key), item));
  return {
    held: { items, revision },
    changes: [...gone, ...put.map((item) => ({ key: item.key, now: item }))],
  };
}

/** After events, in their order. @throws EtcdFailure when there are too many keys. */
export function advanced(held: Held, events: readonly WatchEvent[], revision: number): Step {
  if (events.length === 0)
    return { held: { ...held, revision: Math.max(held.revision, revision) }, changes: [] };
  const items = new Map(held.items);
  const changes = new Map<string, Change>();
  for (const event of events) {
    const key = event.type === 'put' ? event.item.key : event.key;
    const now = event.type === 'put' ? event.item : null;
    if (now === null) items.delete(key);
    else items.set(key, now);
    changes.set(key, { key, now });
  }
  if (items.size > HELD_KEYS_MAX) throw tooMany();
  if (bytesOf(items.values()) > HELD_BYTES_MAX) throw tooLarge();
  const changed = [...changes.values()].filter(({ key, now }) => !isSame(held.items.get(key), now));
  return { held: { items, revision: Math.max(held.revision, revision) }, changes: changed };
}

const tooMany = (): EtcdFailure =>
  new EtcdFailure('too_large', `more than ${HELD_KEYS_MAX} keys; what was known before is kept`);

const tooLarge = (): EtcdFailure =>
  new EtcdFailure('too_large', `keys of more than ${HELD_BYTES_MAX} bytes; what was known before is kept`);

function bytesOf(items: Iterable<KeyValue>): number {
  let bytes = 0;
  for (const { key, value } of items) bytes += key.length + value.length;
  return bytes;
}

/** Revisions alone do not do: those of a store that was made anew begin again. */
function isSame(before: KeyValue | undefined, now: KeyValue | null): boolean {
  if (before === undefined || now === null) return before === undefined && now === null;
  return before.modRevision === now.modRevision && before.value.equals(now.value);
}
