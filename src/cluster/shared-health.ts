/**
 * Verdicts about endpoints, shared by the nodes of a cluster: those of this node are published, those of the others counted.
 * Only live nodes count, and only while what etcd says of them is fresh; then each node is left with its own.
 */
import type { Tally, Verdicts, Votes } from '../model/verdicts.js';
import type { Held } from './etcd/held.js';
import type { Mirror } from './etcd/mirror.js';
import type { KeyValue } from './etcd/wire.js';
import type { Follower, Link } from './link.js';
import { keyName } from './values.js';
import {
  counted,
  formatVerdicts,
  healthKey,
  healthPrefix,
  parseVerdicts,
  verdictLimits,
} from './verdicts.js';

export const sharedHealthLimits = {
  /** That are listened to, the first by id; the verdicts of further ones do not count. */
  nodesMax: 256,
  /** Between two looks at what is to be said, and so between two writes. */
  lookMs: 1000,
  /** Changes of others are gathered so long. */
  gatherMs: 100,
} as const;

export interface SharedHealthParts {
  /** By the checks of this node. */
  readonly own: (allowLoopback: boolean) => Verdicts;
  /** What other nodes say now; null: nobody is listened to. */
  readonly changed: (votes: Votes | null) => void;
  readonly warn: (fields: object, message: string) => void;
}

export class SharedHealth implements Follower {
  readonly #parts: SharedHealthParts;
  #vote: Vote | null = null;

  constructor(parts: SharedHealthParts) {
    this.#parts = parts;
  }

  follow(link: Link | null): void {
    this.#vote?.end();
    this.#vote = link?.config.sharesHealth ? new Vote(link, this.#parts) : null;
    if (this.#vote === null) this.#parts.changed(null);
  }
}

/** What one key says. */
type Ballot =
  | { readonly item: KeyValue; readonly node: string; readonly verdicts: Verdicts }
  | { readonly item: KeyValue; readonly fault: string };

/** On one link. */
class Vote {
  readonly #link: Link;
  readonly #parts: SharedHealthParts;
  readonly #key: string;
  readonly #mirror: Pick<Mirror, 'items' | 'isListed' | 'isFailing'>;
  readonly #forgetNodes: () => void;
  /** By key. */
  #ballots: ReadonlyMap<string, Ballot> = new Map();
  /** What the key of this node has to say. */
  #said = '';
  #leftOut = 0;
  /** When etcd was last known to say what is. */
  #freshMs: number;
  #isStale = false as boolean;
  #cancelLook: () => void = () => {};
  #cancelCount: (() => void) | null = null;

  constructor(link: Link, parts: SharedHealthParts) {
    const { nodeId, prefix } = link.config;
    this.#link = link;
    this.#parts = parts;
    this.#key = healthKey(prefix, nodeId);
    this.#freshMs = link.clock.nowMs();
    this.#mirror = link.mirror({
      ...{ what: 'health', prefix: healthPrefix(prefix), isVolatile: true },
      onChange: (held) => this.#take(held),
    });
    this.#forgetNodes = link.nodes.onChange(() => this.#countSoon());
    this.#countSoon();
    this.#look();
  }

  /** Its mirror ends with the link. */
  end(): void {
    this.#cancelLook();
    this.#cancelCount?.();
    this.#forgetNodes();
  }

  #look(): void {
    this.#speak();
    this.#lookWhetherStale();
    this.#cancelLook = this.#link.clock.after(sharedHealthLimits.lookMs, () => this.#look());
  }

  /** Writes what is new, and what somebody else has deleted or written over. */
  #speak(): void {
    const { text, leftOut } = formatVerdicts(this.#parts.own(this.#link.config.allowLoopback));
    if (leftOut > 0 && this.#leftOut === 0)
      this.#parts.warn(
        { more: leftOut, most: verdictLimits.verdictsMax },
        'too many endpoints for the verdicts of one node: of further ones the others are told nothing',
      );
    this.#leftOut = leftOut;
    if (text === this.#said && (!this.#isCurrent || !this.#link.isRegistered || this.#stands(text))) return;
    this.#said = text;
    this.#link.keep(this.#key, text);
  }

  #stands(text: string): boolean {
    return this.#mirror.items.get(this.#key)?.value.toString() === text;
  }

  get #isCurrent(): boolean {
    return this.#mirror.isListed && !this.#mirror.isFailing;
  }

  /** A node that has died since would not have been taken off the list. */
  #lookWhetherStale(): void {
    const { clock, config } = this.#link;
    if (this.#isCurrent) this.#freshMs = clock.nowMs();
    const isStale = clock.nowMs() - this.#freshMs > config.ttlS * 1000;
    if (isStale === this.#isStale) return;
    this.#isStale = isStale;
    this.#countSoon();
  }

  #take({ items }: Held): void {
    const before = this.#ballots;
    const ballots = [...items].map(([key, item]) => [key, this.#read(key, item, before.get(key))] as const);
    this.#ballots = new Map(ballots);
    this.#countSoon();
  }

  #read(key: string, item: KeyValue, before: Ballot | undefined): Ballot {
    if (before?.item === item) return before;
    const parsed = parseVerdicts(this.#link.config.prefix, key, item.value);
    if (!('fault' in parsed)) return { item, ...parsed };
    const isKnown = before !== undefined && 'fault' in before && before.fault === parsed.fault;
    if (!isKnown) this.#parts.warn({}, `left out: etcd: ${keyName(key)}: ${parsed.fault}`);
    return { item, fault: parsed.fault };
  }

  #countSoon(): void {
    this.#cancelCount ??= this.#link.clock.after(sharedHealthLimits.gatherMs, () => {
      this.#cancelCount = null;
      this.#count();
    });
  }

  #count(): void {
    const { nodes, config } = this.#link;
    const others = nodes.all.filter(({ id }) => id !== config.nodeId);
    const live = new Set(others.slice(0, sharedHealthLimits.nodesMax).map(({ id }) => id));
    const heard = [...this.#ballots.values()].flatMap((ballot) =>
      'node' in ballot && live.has(ballot.node) ? [ballot.verdicts] : [],
    );
    const tallies: ReadonlyMap<string, Tally> = this.#isStale ? new Map() : counted(heard);
    this.#parts.changed({ tallies, allowLoopback: config.allowLoopback });
  }
}
