/**
 * What a node says of endpoints at `PREFIX/health/NODE` → `{"down": {"UPSTREAM": ["ENDPOINT", …]}, "up": {…}}`: what its own
 * checks have found, never what it has heard from others. Pure.
 */
import { type Tally, type Verdict, type Verdicts, verdictKey } from '../model/verdicts.js';
import { NAME_PATTERN } from './nodes.js';
import { type Parsed, readObject, textWithin } from './values.js';

export const verdictLimits = {
  /** Of one node; those that are down come first. */
  verdictsMax: 1024,
  /** Of one value. */
  bytesMax: 64 * 1024,
  nameCharactersMax: 300,
} as const;

export const healthPrefix = (prefix: string): string => `${prefix}/health/`;

export const healthKey = (prefix: string, node: string): string => `${healthPrefix(prefix)}${node}`;

/** The worse first: it is what matters. */
const verdicts: readonly Verdict[] = ['down', 'up'];

/** Of a value without names. */
const OVERHEAD_BYTES = 32;

/** As much as a value may have, and how many were left out. */
export function formatVerdicts(all: Verdicts): { readonly text: string; readonly leftOut: number } {
  let [taken, bytes] = [0, OVERHEAD_BYTES];
  const said = verdicts.map((verdict) => {
    const names = new Map<string, string[]>();
    for (const [key, its] of all) {
      const [upstream = '', endpoint = ''] = key.split('\n');
      const more = Buffer.byteLength(JSON.stringify({ [upstream]: [endpoint] }));
      if (its !== verdict || taken >= verdictLimits.verdictsMax || bytes + more > verdictLimits.bytesMax)
        continue;
      taken += 1;
      bytes += more;
      names.set(upstream, [...(names.get(upstream) ?? []), endpoint]);
    }
    return [verdict, Object.fromEntries(names)] as const;
  });
  return { text: JSON.stringify(Object.fromEntries(said)), leftOut: all.size - taken };
}

export function parseVerdicts(
  prefix: string,
  key: string,
  value: Uint8Array,
): Parsed<{ readonly node: string; readonly verdicts: Verdicts }> {
  const node = key.slice(healthPrefix(prefix).length);
  if (!NAME_PATTERN.test(node)) return { fault: `expected a key such as ${healthKey(prefix, 'node-1')}` };
  const read = readObject(value, verdictLimits.bytesMax);
  if ('fault' in read) return read;
  const found = new Map<string, Verdict>();
  // Who says both means the worse: it is read last.
  for (const verdict of verdicts.toReversed()) {
    const entries = entriesIn(read.object[verdict] ?? {});
    if (entries === null) return { fault: `${verdict}: expected lists of endpoints by upstream` };
    for (const [upstream, endpoint] of entries) found.set(verdictKey(upstream, endpoint), verdict);
    if (found.size > verdictLimits.verdictsMax)
      return { fault: `more than ${verdictLimits.verdictsMax} endpoints` };
  }
  return { node, verdicts: found };
}

/** Upstream and endpoint each; null: it is something else. */
function entriesIn(value: unknown): [string, string][] | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const entries: [string, string][] = [];
  for (const [upstream, endpoints] of Object.entries(value)) {
    if (!Array.isArray(endpoints)) return null;
    for (const endpoint of endpoints) entries.push([upstream, endpoint]);
  }
  const isName = (name: unknown) => textWithin(name, verdictLimits.nameCharactersMax) !== null;
  return entries.every((names) => names.every(isName)) ? entries : null;
}

/** What they say together. */
export function counted(nodes: Iterable<Verdicts>): ReadonlyMap<string, Tally> {
  const tallies = new Map<string, { up: number; down: number }>();
  for (const verdictsOfOne of nodes)
    for (const [key, verdict] of verdictsOfOne) {
      const tally = tallies.get(key) ?? { up: 0, down: 0 };
      tally[verdict] += 1;
      tallies.set(key, tally);
    }
  return tallies;
}
