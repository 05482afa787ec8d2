/**
 * One provider, whose fragments are put beside the configuration in force by a change like any other. A change that is
 * refused as a whole (a port that another program has) is tried fragment by fragment.
 */
import { isDeepStrictEqual } from 'node:util';
import { formatProblem } from '../config/report.js';
import type { Document } from '../model/config.js';
import type { Cause, ChangeResult, Settings } from '../model/settings.js';
import type { Fragment, ProviderName, WrittenFragment } from '../providers/contribution.js';
import type { Contributions } from './contributions.js';

export const contributorLimits = {
  /** Fragments that are tried by themselves after a refusal. */
  triedMax: 100,
} as const;

type Said = Fragment | WrittenFragment;

/** A fragment that can not be served for now. */
export interface Unserved {
  readonly from: string;
  /** Null: it has not been tried yet. */
  readonly why: string | null;
}

export interface ContributorParts {
  readonly provider: ProviderName & Cause;
  readonly contributions: Contributions;
  /** Of the daemon, which is there when something is put. */
  readonly settings: () => Pick<Settings, 'edit'>;
}

const asItIs = (document: Document): Document => document;

export class Contributor {
  readonly #parts: ContributorParts;
  /** In force, or left out for what they say. */
  #kept: readonly Said[];

  constructor(parts: ContributorParts) {
    this.#parts = parts;
    this.#kept = parts.contributions.of(parts.provider);
  }

  /** All that it has to say from now on. Null: the daemon is being shut down. */
  put(fragments: readonly Said[]): Promise<readonly Unserved[] | null> {
    return this.#parts.contributions.turns.run(() => this.#put(fragments));
  }

  /** It has nothing to say any more. */
  withdraw(): Promise<unknown> {
    return this.#parts.contributions.turns.run(async () => {
      if (this.#kept.length > 0) await this.#put([]);
    });
  }

  async #put(fragments: readonly Said[]): Promise<readonly Unserved[] | null> {
    const { result } = await this.#try(fragments);
    if (result === 'called_off') return null;
    if (result === 'refused') return this.#putEach(fragments);
    this.#kept = fragments;
    return [];
  }

  async #try(fragments: readonly Said[]): Promise<ChangeResult> {
    const { provider, contributions, settings } = this.#parts;
    contributions.say(provider, fragments);
    const result = await settings().edit(asItIs, provider);
    // Where the configuration is the same, others may be left out than before.
    if (result.result === 'unchanged') contributions.adopt();
    return result;
  }

  /** What stays, or has been there before, and then each that is new beside it. Their order decides who has a name. */
  async #putEach(fragments: readonly Said[]): Promise<readonly Unserved[] | null> {
    const { provider, contributions } = this.#parts;
    const isKept = (fragment: Said) => this.#kept.some((each) => isSame(each, fragment));
    const added = fragments.filter((each) => !isKept(each));
    const unserved: Unserved[] = added
      .slice(contributorLimits.triedMax)
      .map(({ from }) => ({ from, why: null }));
    const places = new Map(fragments.map((each) => [each.from, isKept(each) ? each : beforeOf(each)]));
    const kept = () => [...places.values()].filter((each) => each !== null);
    await this.#try(kept());
    for (const fragment of added.slice(0, contributorLimits.triedMax)) {
      const before = places.get(fragment.from) ?? null;
      places.set(fragment.from, fragment);
      const result = await this.#try(kept());
      if (result.result === 'called_off') return null;
      if (result.result !== 'refused') continue;
      places.set(fragment.from, before);
      unserved.push({ from: fragment.from, why: result.problems.map(formatProblem).join('; ') });
    }
    this.#kept = kept();
    contributions.say(provider, this.#kept);
    return unserved;
  }
}

const beforeOf = (fragment: Said): WrittenFragment | null =>
  'before' in fragment ? (fragment.before ?? null) : null;

/** Of two that were written the text decides: a document is read from it. */
const isSame = (a: Said, b: Said): boolean =>
  a.text === undefined || b.text === undefined
    ? isDeepStrictEqual(a, b)
    : a.from === b.from && a.text === b.text;
