/**
 * Bans shared by the nodes of a cluster that have its `cluster_key`: each publishes those that it has made itself, and learns
 * those of the others. What is not signed with the key is refused and counted.
 */
import type { BanNote, OwnBans } from '../model/ban-note.js';
import {
  formatNote,
  isTimely,
  noteKey,
  noteLimits,
  notesPrefix,
  parseNote,
  type RefusedNote,
} from './ban-notes.js';
import type { Change, Held } from './etcd/held.js';
import type { Mirror } from './etcd/mirror.js';
import type { KeyValue } from './etcd/wire.js';
import type { Follower, Link } from './link.js';
import { keyName } from './values.js';

/** Between two looks at what is to be said, and so between two writes. */
export const NOTES_LOOK_MS = 1000;

export interface SharedBansParts {
  readonly own: () => OwnBans;
  /** All that a node has banned now. Of a node that is gone nothing is told: what it has banned ends by its time. */
  readonly learned: (node: string, bans: readonly BanNote[]) => void;
  readonly warn: (fields: object, message: string) => void;
}

export class SharedBans implements Follower {
  readonly #parts: SharedBansParts;
  readonly #refused: Record<RefusedNote, number> = { signature: 0, old: 0, malformed: 0 };
  #exchange: Exchange | null = null;

  constructor(parts: SharedBansParts) {
    this.#parts = parts;
  }

  /** So far. */
  get refused(): Readonly<Record<RefusedNote, number>> {
    return this.#refused;
  }

  follow(link: Link | null): void {
    this.#exchange?.end();
    const secret = link?.config.clusterKey ?? null;
    this.#exchange =
      link && secret !== null
        ? new Exchange(link, secret, this.#parts, (reason) => {
            this.#refused[reason] += 1;
          })
        : null;
  }
}

/** What the key of this node has to say. */
interface Said {
  /** Of the bans of this node. */
  readonly version: number;
  /** Null: there is nothing to say, and no key. */
  readonly note: { readonly revision: number; readonly text: string } | null;
}

/** On one link. */
class Exchange {
  readonly #link: Link;
  readonly #secret: string;
  readonly #parts: SharedBansParts;
  readonly #count: (refused: RefusedNote) => void;
  readonly #key: string;
  readonly #mirror: Pick<Mirror, 'items' | 'isListed' | 'isFailing'>;
  #said: Said | null = null;
  #isSpeaking = false as boolean;
  #hasEnded = false as boolean;
  #cancelLook: () => void = () => {};

  constructor(link: Link, secret: string, parts: SharedBansParts, count: (refused: RefusedNote) => void) {
    const { nodeId, prefix } = link.config;
    this.#link = link;
    this.#secret = secret;
    this.#parts = parts;
    this.#count = count;
    this.#key = noteKey(prefix, nodeId);
    this.#mirror = link.mirror({
      ...{ what: 'bans', prefix: notesPrefix(prefix), isVolatile: true },
      onChange: (held, changes) => this.#take(held, changes),
    });
    this.#look();
  }

  /** Its mirror ends with the link. */
  end(): void {
    this.#hasEnded = true;
    this.#cancelLook();
  }

  #look(): void {
    if (!this.#isSpeaking && this.#mayWrite && !this.#stands()) void this.#speak();
    this.#cancelLook = this.#link.clock.after(NOTES_LOOK_MS, () => this.#look());
  }

  get #mayWrite(): boolean {
    return this.#link.isRegistered && this.#mirror.isListed && !this.#mirror.isFailing;
  }

  /** The key says what there is to be said, so that the others take it. */
  #stands(): boolean {
    const item = this.#mirror.items.get(this.#key);
    const said = this.#said;
    if (said === null || said.version !== this.#parts.own().version) return false;
    if (item === undefined || said.note === null) return item === undefined && said.note === null;
    return item.value.toString() === said.note.text && isTimely(said.note.revision, item.modRevision);
  }

  async #speak(): Promise<void> {
    this.#isSpeaking = true;
    try {
      const { revision, items } = await this.#link.client.get(this.#key);
      if (this.#hasEnded) return;
      const { version, list } = this.#parts.own();
      const bans = list(noteLimits.bansMax);
      if (bans.length === 0 && items.length === 0) this.#said = { version, note: null };
      else this.#say(version, revision, formatNote(this.#secret, this.#key, revision, bans));
    } catch {
      // The mirror fails, too, and tells.
    } finally {
      this.#isSpeaking = false;
    }
  }

  #say(version: number, revision: number, text: string): void {
    this.#said = { version, note: { revision, text } };
    this.#link.keep(this.#key, text);
  }

  /** Without changes: what was known before this link. */
  #take({ items }: Held, changes: readonly Change[]): void {
    for (const key of changes.length > 0 ? changes.map((change) => change.key) : items.keys()) {
      const item = items.get(key);
      if (item !== undefined && key !== this.#key) this.#read(item);
    }
  }

  #read(item: KeyValue): void {
    const read = parseNote(this.#secret, this.#link.config.prefix, item);
    if (!('refused' in read)) return this.#parts.learned(read.node, read.bans);
    this.#count(read.refused);
    this.#parts.warn({}, `left out: etcd: ${keyName(item.key)}: ${read.fault}`);
  }
}
