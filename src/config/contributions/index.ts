/**
 * Merges what providers contribute with the tree of the file, before validation. The file wins: a fragment that says a
 * name of the file, takes its sessions or is not valid is refused by name, and the rest goes on.
 */
import type { Problem } from '../../model/config.js';
import {
  type Contribution,
  contributionLimits,
  contributionRanks,
  type Fragment,
  type ProviderName,
  takenOf,
} from '../../providers/contribution.js';
import { isMapping, valueAt } from '../path.js';
import { unplaced } from '../report.js';
import type { Source } from '../source.js';
import type { Validated } from '../validate/index.js';
import { Claims } from './claims.js';
import { withItsListener } from './default-listener.js';
import { checkFragment } from './edge.js';
import { fitting, together } from './fitting.js';
import type { Permission } from './here.js';
import { type Part, partOf } from './part.js';

export interface Merged {
  readonly source: Source;
  readonly validated: Validated;
  /** Why fragments were left out; `file` is their provenance, `path` the key path within the fragment. */
  readonly refused: readonly Problem[];
  /** Those that are not left out. */
  readonly taken: readonly Contribution<Fragment>[];
}

/**
 * `validate` is asked once when every fragment is valid, and once more each time that some are not. What is refused is
 * replaced by what it said before, if that is known.
 */
export function mergeContributions(
  file: Source,
  contributions: readonly Contribution[],
  validate: (source: Source) => Validated,
): Merged {
  const merged = merge(file, contributions, validate);
  const earlier = withEarlier(contributions, merged);
  if (earlier === null) return merged;
  const again = mergeContributions(file, earlier, validate);
  return { ...again, refused: [...merged.refused, ...again.refused] };
}

/** Those that are taken, and what others said before. Null: nothing is known of that. */
function withEarlier(
  contributions: readonly Contribution[],
  { validated, taken }: Merged,
): Contribution[] | null {
  if (!validated.ok) return null;
  let isOther = false;
  const earlier = contributions.map(({ provider, fragments }) => {
    const names = new Set(takenOf(taken, provider).map(({ from }) => from));
    return {
      provider,
      fragments: fragments.flatMap((fragment) => {
        if (names.has(fragment.from)) return [fragment];
        const before = 'before' in fragment ? fragment.before : undefined;
        isOther ||= before !== undefined;
        return before ?? [];
      }),
    };
  });
  return isOther ? earlier : null;
}

function merge(
  file: Source,
  contributions: readonly Contribution[],
  validate: (source: Source) => Validated,
): Merged {
  if (!isMapping(file.value) || contributions.length === 0)
    return { source: file, validated: validate(file), refused: [], taken: [] };
  const base = withItsListener(file, file.value);
  const { parts, refused } = screen(base, contributions);
  let kept = parts;
  for (;;) {
    const source = together(base, kept);
    const validated = validate(source);
    if (validated.ok || kept.length === 0) return { source, validated, refused, taken: fragmentsIn(kept) };
    const problems = kept.map((part) => ({ part, own: validated.problems.filter(part.isOf) }));
    const guilty = problems.filter(({ own }) => own.length > 0);
    // The file is wrong by itself, or what is wrong appears at another place than its cause.
    if (guilty.length === 0) return searched(base, kept, refused, validate);
    refused.push(...guilty.flatMap(({ own }) => bounded(own)));
    kept = problems.filter(({ own }) => own.length === 0).map(({ part }) => part);
  }
}

function searched(
  base: Source,
  parts: readonly Part[],
  before: readonly Problem[],
  validate: (source: Source) => Validated,
): Merged {
  const { kept, refused, ...whole } = fitting(base, parts, validate);
  return { ...whole, refused: [...before, ...refused], taken: fragmentsIn(kept) };
}

/** Those that are right by themselves, and whose names nobody before them has. */
function screen(base: Source, contributions: readonly Contribution[]): { parts: Part[]; refused: Problem[] } {
  const claims = new Claims(base.value);
  const parts: Part[] = [];
  const refused: Problem[] = [];
  const ranked = contributions.toSorted(
    (a, b) => contributionRanks[a.provider] - contributionRanks[b.provider],
  );
  for (const { provider, fragments } of ranked) {
    const loopback = loopbackOf(base, provider);
    for (const [index, fragment] of fragments.entries()) {
      const { part, problems } =
        index < contributionLimits.fragmentsMax
          ? partOf(provider, fragment)
          : tooMany(provider, fragment.from);
      const wrong = part === null ? problems : faultsOf(part, loopback, claims);
      if (part !== null && wrong.length === 0) parts.push(part);
      refused.push(...bounded(wrong));
    }
  }
  return { parts, refused };
}

/** Whether the section by which a provider is let in says that it may lead to this machine. */
function loopbackOf({ value }: Source, provider: ProviderName): Permission {
  const path = [permitting[provider], 'allow_loopback'];
  return { key: path.join('.'), isGiven: valueAt(value, path) === true };
}

const permitting = { etcd: 'distributed', docker: 'docker' } as const satisfies Record<ProviderName, string>;

function tooMany(provider: ProviderName, from: string) {
  const message = `more than ${contributionLimits.fragmentsMax} fragments: left out`;
  return { part: null, problems: [{ ...unplaced(message), file: `${provider}: ${from}` }] };
}

function faultsOf({ provider, fragment, source }: Part, loopback: Permission, claims: Claims): Problem[] {
  const faults = checkFragment(source, loopback);
  const claimed = faults.length > 0 ? faults : claims.take(source.value, `${provider}: ${fragment.from}`);
  return claimed.map(({ path, message, place = source.place(path) }) => ({ ...place, message }));
}

/** The first of a fragment's problems, and how many more there are. */
function bounded(problems: readonly Problem[]): readonly Problem[] {
  const { problemsMax } = contributionLimits;
  const [first] = problems;
  const more = problems.length - problemsMax;
  if (more <= 0 || first === undefined) return problems;
  return [...problems.slice(0, problemsMax), { ...unplaced(`and ${more} more problems`), file: first.file }];
}

function fragmentsIn(parts: readonly Part[]): Contribution<Fragment>[] {
  const providers = [...new Set(parts.map(({ provider }) => provider))];
  return providers.map((provider) => ({
    provider,
    fragments: parts.filter((part) => part.provider === provider).map(({ fragment }) => fragment),
  }));
}
