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
  provenance,
} from '../../providers/contribution.js';
import { documentSource } from '../document.js';
import { mergeSources } from '../include/merge.js';
import { isMapping, pathText } from '../path.js';
import { formatProblem } from '../report.js';
import type { Source } from '../source.js';
import type { Validated } from '../validate/index.js';
import { Claims } from './claims.js';
import { checkFragment } from './edge.js';

export interface Merged {
  readonly source: Source;
  readonly validated: Validated;
  /** Why fragments were left out; `file` is their provenance, `path` the key path within the fragment. */
  readonly refused: readonly Problem[];
  /** Those that are not left out. */
  readonly taken: readonly Fragment[];
}

/** A fragment as a source: its places are where it was said. */
interface Part {
  readonly fragment: Fragment;
  readonly source: Source;
  /** As in the `file` of its problems. */
  readonly origins: Set<string>;
}

/** `validate` is asked once when every fragment is valid, and once more each time that some are not. */
export function mergeContributions(
  base: Source,
  contributions: readonly Contribution[],
  validate: (source: Source) => Validated,
): Merged {
  if (!isMapping(base.value)) return { source: base, validated: validate(base), refused: [], taken: [] };
  const { parts, refused } = screen(base, contributions);
  let kept = parts;
  for (;;) {
    const source = together(base, kept);
    const validated = validate(source);
    if (validated.ok || kept.length === 0) return { source, validated, refused, taken: fragmentsIn(kept) };
    const guilty = kept.filter((part) => validated.problems.some((problem) => isOf(problem, part)));
    // The file is wrong by itself, or what is wrong appears at another place than its cause.
    if (guilty.length === 0) return oneByOne(base, kept, validate, refused);
    refused.push(...validated.problems.filter((problem) => guilty.some((part) => isOf(problem, part))));
    kept = kept.filter((part) => !guilty.includes(part));
  }
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
    for (const [index, fragment] of fragments.entries()) {
      const part = partOf(provider, fragment);
      const problems = index < contributionLimits.fragmentsMax ? checkFragment(part.source) : [TOO_MANY];
      const faults = problems.length > 0 ? problems : claims.take(part.source.value, provider);
      if (faults.length === 0) parts.push(part);
      refused.push(...faults.map(({ path, message }) => ({ ...part.source.place(path), message })));
    }
  }
  return { parts, refused };
}

const TOO_MANY = { path: [], message: `more than ${contributionLimits.fragmentsMax} fragments: left out` };

function partOf(provider: ProviderName, fragment: Fragment): Part {
  const origins = new Set<string>();
  const place: Source['place'] = (path) => {
    const file = provenance(provider, fragment, pathText(path));
    origins.add(file);
    return { file, line: null, column: null, path: pathText(path) };
  };
  return { fragment, source: { ...documentSource(fragment.document), place }, origins };
}

const fragmentsIn = (parts: readonly Part[]): Fragment[] => parts.map(({ fragment }) => fragment);

const isOf = ({ file }: Problem, { origins }: Part): boolean => file !== null && origins.has(file);

const together = (base: Source, parts: readonly Part[]): Source =>
  parts.length === 0 ? base : mergeSources([base, ...parts.map(({ source }) => source)]);

/** Each that is valid beside those before it. */
function oneByOne(
  base: Source,
  parts: readonly Part[],
  validate: (source: Source) => Validated,
  before: readonly Problem[],
): Merged {
  let best = { source: base, validated: validate(base) };
  if (!best.validated.ok) return { ...best, refused: before, taken: [] };
  const kept: Part[] = [];
  const refused = [...before];
  for (const part of parts) {
    const source = together(base, [...kept, part]);
    const validated = validate(source);
    if (validated.ok) {
      kept.push(part);
      best = { source, validated };
      continue;
    }
    const [first] = validated.problems;
    const why = first === undefined ? 'is not valid' : formatProblem(first);
    refused.push({ ...part.source.place([]), message: `does not fit to the configuration: ${why}` });
  }
  return { ...best, refused, taken: fragmentsIn(kept) };
}
