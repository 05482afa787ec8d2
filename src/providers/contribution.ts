/**
 * What a provider adds to a configuration: fragments in the configuration's own language, each with where it was said.
 * Plain data, so that it can be handed to another thread; src/config/contributions merges it with the file.
 */
import type { Document } from '../model/config.js';

/** Sections that a fragment may have: who is reached and how, never who may connect or who may command. */
export const contributedSections = ['upstreams', 'protocols', 'routes', 'forwards'] as const;

export const contributionLimits = {
  /** Of one contribution; further ones are refused. */
  fragmentsMax: 1000,
  /** Of one fragment that comes as text, with those that aliases stand for. */
  valuesMax: 20_000,
  /** Validations by which it is found out which fragments do not fit, where that is not said; what is left then is refused. */
  searchesMax: 48,
  /** Told of one fragment; the others are counted. */
  problemsMax: 20,
} as const;

/** Ranks of the providers: of two that say the same name the lower number has it. The file is before all. */
export const contributionRanks = { etcd: 1, docker: 2 } as const;

export type ProviderName = keyof typeof contributionRanks;

export const providerNames = Object.keys(contributionRanks) as readonly ProviderName[];

/** Taken or refused as a whole. */
export interface Fragment {
  /** Who says it, as in messages: `container web`, `key /anyport/config/web`. No other fragment's. */
  readonly from: string;
  /** Those of `contributedSections`; not validated. */
  readonly document: Document;
  /** What is more exact than `from`, by key path: `upstreams.web` → `container web-1, label proxy.web.port`. */
  readonly said?: Readonly<Record<string, string>>;
  /** The YAML that `document` was read from. */
  readonly text?: string;
}

/** One that is not read yet: that is done where the file is read, so that problems have their lines. */
export type WrittenFragment = Pick<Fragment, 'from'> & {
  readonly text: string;
  /** Taken in its place when it is refused: what it said before. */
  readonly before?: WrittenFragment;
};

/** All that a provider has to say now. */
export interface Contribution<Each extends Fragment | WrittenFragment = Fragment | WrittenFragment> {
  readonly provider: ProviderName;
  readonly fragments: readonly Each[];
}

/** Of what several say, or what of it is taken. */
export const takenOf = (
  taken: readonly Contribution<Fragment>[],
  provider: ProviderName,
): readonly Fragment[] => taken.find((each) => each.provider === provider)?.fragments ?? [];

/** `docker: container web-1, label proxy.web.port`: of the entry at a key path, or of the nearest one around it. */
export function provenance(
  provider: ProviderName,
  { from, said = {} }: Pick<Fragment, 'from' | 'said'>,
  keys: string,
): string {
  const around = Object.keys(said)
    .filter((key) => keys === key || (keys.startsWith(key) && /^[.[]/.test(keys.slice(key.length))))
    .sort((a, b) => b.length - a.length)[0];
  return `${provider}: ${around === undefined ? from : said[around]}`;
}
