/**
 * What a provider adds to a configuration: fragments in the configuration's own language, each with where it was said.
 * Plain data, so that it can be handed to another thread; src/config/contributions.ts merges it with the file.
 */
import type { Document } from '../model/config.js';

/** Sections that a fragment may have: who is reached and how, never who may connect or who may command. */
export const contributedSections = ['upstreams', 'protocols', 'routes', 'forwards'] as const;

export const contributionLimits = {
  /** Of one contribution; further ones are refused. */
  fragmentsMax: 1000,
} as const;

/** Ranks of the providers: of two that say the same name the lower number has it. The file is before all. */
export const contributionRanks = { etcd: 1, docker: 2 } as const;

export type ProviderName = keyof typeof contributionRanks;

/** Taken or refused as a whole. */
export interface Fragment {
  /** Who says it, as in messages: `container web`, `key /anyport/config/web`. No other fragment's. */
  readonly from: string;
  /** Those of `contributedSections`; not validated. */
  readonly document: Document;
  /** What is more exact than `from`, by key path: `upstreams.web` → `container web-1, label proxy.web.port`. */
  readonly said?: Readonly<Record<string, string>>;
}

/** All that a provider has to say now. */
export interface Contribution {
  readonly provider: ProviderName;
  readonly fragments: readonly Fragment[];
}

/** `docker: container web-1, label proxy.web.port`: of the entry at a key path, or of the nearest one around it. */
export function provenance(provider: ProviderName, { from, said = {} }: Fragment, keys: string): string {
  const around = Object.keys(said)
    .filter((key) => keys === key || (keys.startsWith(key) && /^[.[]/.test(keys.slice(key.length))))
    .sort((a, b) => b.length - a.length)[0];
  return `${provider}: ${around === undefined ? from : said[around]}`;
}
