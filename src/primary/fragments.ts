/**
 * Fragments of the configuration in etcd as a part of the daemon: they are put beside the configuration in force, and what
 * became of each is written back for whoever has written it. One that is refused changes nothing: what it said before stays.
 */
import { systemClock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import {
  cut,
  type FragmentStatus,
  formatStatus,
  isSameStatus,
  statusKey,
  statusLimits,
} from '../cluster/fragment-status.js';
import { type FragmentsRead, fragmentsPrefix, readFragments } from '../cluster/fragments.js';
import type { Link } from '../cluster/link.js';
import { formatProblem } from '../config/report.js';
import { type ClusterStatus, type FragmentState, fragmentStates } from '../model/cluster-status.js';
import type { Config } from '../model/config.js';
import { contributionLimits, type WrittenFragment } from '../providers/contribution.js';
import type { Contributions } from './contributions.js';
import { Contributor, type ContributorParts, type Unserved } from './contributor.js';
import { LeftOut } from './left-out.js';
import type { Part, Prepared } from './part.js';

export const fragmentsLimits = {
  /** Debounce of changes: each change of the configuration is one of every worker. */
  gatherMs: 100,
  /** Between two changes, while they keep coming. */
  betweenMs: 500,
  /** Until what can not be served for now is tried again. */
  retryMs: 15_000,
  /** Reasons that the status tells. */
  leftOutShown: 16,
} as const;

export interface FragmentsParts extends Pick<ContributorParts, 'settings'> {
  readonly contributions: Contributions;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/** What a fragment said when it was in force last. */
interface Good {
  readonly revision: number;
  readonly text: string;
}

interface Entry {
  readonly name: string;
  readonly from: string;
  readonly revision: number;
  /** Null: nothing of it can be put. */
  readonly put: WrittenFragment | null;
  /** Why it is not even read. */
  readonly fault: string | null;
  readonly text: string;
}

export class Fragments implements Part {
  readonly #parts: FragmentsParts;
  readonly #contributor: Contributor;
  readonly #leftOut: LeftOut;
  #link: Link | null = null;
  #isWanted = false as boolean;
  /** Newest; null: nothing is known. */
  #read: FragmentsRead | null = null;
  /** By name. */
  #good = new Map<string, Good>();
  /** As of the last change. */
  #entries: readonly Entry[] = [];
  #unserved: readonly Unserved[] = [];
  #statuses = new Map<string, FragmentStatus>();
  #isPutting = false as boolean;
  #putMs = Number.NEGATIVE_INFINITY;
  #next: { readonly atMs: number; readonly cancel: () => void } | null = null;

  constructor(parts: FragmentsParts) {
    this.#parts = parts;
    this.#contributor = new Contributor({ provider: 'etcd', ...parts });
    this.#leftOut = new LeftOut(parts.log);
    // The file may have taken a name, or given it back.
    parts.contributions.onAdopted(() => {
      if (!this.#isPutting && this.#read !== null) this.#judge();
    });
  }

  /** What of the status of the cluster is this part's. */
  get status(): Pick<ClusterStatus, 'fragments' | 'leftOut'> {
    if (this.#link?.config.watchPrefix == null) return { fragments: null, leftOut: [] };
    const states = [...this.#statuses.values()].map(({ state }) => state);
    const counts = fragmentStates.map((each) => [each, states.filter((state) => state === each).length]);
    return {
      fragments: Object.fromEntries(counts) as Record<FragmentState, number>,
      leftOut: this.#leftOut.reasons.slice(0, fragmentsLimits.leftOutShown),
    };
  }

  async prepare({ distributed }: Config): Promise<Prepared> {
    const isWanted = (distributed?.watchPrefix ?? null) !== null;
    const commit = () => {
      if (this.#isWanted && !isWanted) this.#forget();
      this.#isWanted = isWanted;
    };
    return { commit, discard: () => {} };
  }

  follow(link: Link | null): void {
    this.#link = link;
    // Keys of this node have ended with the link before.
    this.#statuses = new Map();
    const watchPrefix = link?.config.watchPrefix ?? null;
    if (link === null) this.#cancelPut();
    if (link === null || watchPrefix === null) return;
    link.mirror({
      what: 'configuration',
      prefix: fragmentsPrefix(watchPrefix),
      onChange: ({ items }) => {
        if (link !== this.#link) return;
        this.#read = readFragments(watchPrefix, items.values());
        this.#putSoon();
      },
    });
  }

  close(): void {
    this.#cancelPut();
    this.#link = null;
  }

  #forget(): void {
    this.#cancelPut();
    this.#read = null;
    this.#good.clear();
    this.#entries = [];
    this.#leftOut.say([]);
    void this.#contributor.withdraw();
  }

  #putSoon(): void {
    this.#parts.contributions.warm();
    const { gatherMs, betweenMs } = fragmentsLimits;
    const sinceMs = systemClock.nowMs() - this.#putMs;
    this.#putAfter(Math.max(gatherMs, betweenMs - sinceMs));
  }

  /** Not later than is planned: changes that never pause would put it off for ever. */
  #putAfter(ms: number): void {
    const atMs = systemClock.nowMs() + ms;
    if (this.#next !== null && this.#next.atMs <= atMs) return;
    this.#cancelPut();
    const cancel = systemClock.after(ms, () => {
      this.#next = null;
      if (!this.#isPutting) void this.#put();
    });
    this.#next = { atMs, cancel };
  }

  #cancelPut(): void {
    this.#next?.cancel();
    this.#next = null;
  }

  async #put(): Promise<void> {
    const read = this.#read;
    if (read === null) return;
    this.#isPutting = true;
    const entries = this.#entriesOf(read);
    const unserved = await this.#contributor.put(entries.flatMap(({ put }) => put ?? []));
    this.#isPutting = false;
    this.#putMs = systemClock.nowMs();
    // Closing, given on to another process, or switched off.
    if (unserved === null || this.#link === null || this.#read === null) return;
    this.#entries = entries;
    this.#unserved = unserved;
    this.#judge();
    if (this.#read !== read) this.#putSoon();
    else if (unserved.length > 0) this.#putAfter(fragmentsLimits.retryMs);
  }

  #entriesOf({ fragments, refused }: FragmentsRead): Entry[] {
    const entries = [
      ...fragments.map(
        ({ text, ...head }): Entry => ({ ...head, text, fault: null, put: this.#written(head, text) }),
      ),
      ...refused.map((head): Entry => ({ ...head, text: '', put: this.#before(head) })),
    ];
    const names = new Set(entries.map(({ name }) => name));
    for (const name of this.#good.keys()) if (!names.has(name)) this.#good.delete(name);
    return entries.sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  #written(head: Pick<Entry, 'name' | 'from'>, text: string): WrittenFragment {
    const before = this.#before(head);
    return before === null || before.text === text
      ? { from: head.from, text }
      : { from: head.from, text, before };
  }

  #before({ name, from }: Pick<Entry, 'name' | 'from'>): WrittenFragment | null {
    const good = this.#good.get(name);
    return good === undefined ? null : { from: beforeName(from, good), text: good.text };
  }

  /** What became of each is told, where it is news. */
  #judge(): void {
    const entries = this.#entries;
    const taken = new Set(this.#parts.contributions.of('etcd').map(({ from }) => from));
    const judged = entries.map((entry) => ({ entry, status: this.#statusOf(entry, taken) }));
    for (const { entry, status } of judged)
      if (status.state === 'accepted')
        this.#good.set(entry.name, { revision: entry.revision, text: entry.text });
    this.#leftOut.say(
      judged.flatMap(({ entry, status }) =>
        status.problems.map((problem) => `etcd: ${entry.from}: ${problem}`),
      ),
    );
    this.#tell(judged.slice(0, contributionLimits.fragmentsMax));
  }

  #statusOf({ name, from, revision, fault }: Entry, taken: ReadonlySet<string>): FragmentStatus {
    const good = this.#good.get(name);
    if (taken.has(from)) return { state: 'accepted', revision, inForce: revision, problems: [] };
    const inForce = good !== undefined && taken.has(beforeName(from, good)) ? good.revision : null;
    const told = (state: FragmentState, problems: readonly string[]): FragmentStatus => ({
      ...{ state, revision, inForce },
      problems: problems.slice(0, statusLimits.problemsMax).map(cut),
    });
    if (fault !== null) return told('refused', [fault]);
    const unserved = this.#unserved.find((each) => each.from === from);
    if (unserved !== undefined)
      return told('waiting', [unserved.why ?? 'others are tried first: it is tried again soon']);
    const own = this.#parts.contributions.refusedOf('etcd').filter(({ file }) => file === `etcd: ${from}`);
    return told(
      'refused',
      own.map((problem) => formatProblem({ ...problem, file: null })),
    );
  }

  #tell(judged: readonly { readonly entry: Entry; readonly status: FragmentStatus }[]): void {
    const before = this.#statuses;
    this.#statuses = new Map(judged.map(({ entry, status }) => [entry.name, status]));
    for (const name of before.keys()) if (!this.#statuses.has(name)) this.#keep(name, null);
    for (const [name, status] of this.#statuses)
      if (!isSameStatus(before.get(name), status)) this.#keep(name, formatStatus(status, new Date()));
  }

  #keep(name: string, value: string | null): void {
    const { prefix, nodeId } = this.#link?.config ?? { prefix: '', nodeId: '' };
    const key = statusKey(prefix, nodeId, name);
    if (key !== null) this.#link?.keep(key, value);
  }
}

/** The status of the cluster, with what this part has to say of it. */
export function withFragments(
  status: Omit<ClusterStatus, 'fragments'> | null,
  { status: own }: Pick<Fragments, 'status'>,
): ClusterStatus | null {
  return status && { ...status, ...own, leftOut: [...status.leftOut, ...own.leftOut] };
}

const beforeName = (from: string, { revision }: Good): string => `${from} as of revision ${revision}`;
