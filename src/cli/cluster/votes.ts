/** What the checks of all nodes say of each endpoint, and what nodes that do not say `down` themselves follow. */
import { listText } from '../../base/text.js';
import { keyName } from '../../cluster/values.js';
import { healthPrefix, parseVerdicts } from '../../cluster/verdicts.js';
import { isOutvoted } from '../../health/votes.js';
import type { Verdict, Verdicts } from '../../model/verdicts.js';
import type { Heard } from './heard.js';
import type { Section } from './section.js';

export const votes: Section = {
  name: 'votes',
  prefixOf: ({ prefix, sharesHealth }) => (sharesHealth ? healthPrefix(prefix) : null),
  show(items, { prefix }, heard) {
    const read = items.map(({ key, value }) => {
      const parsed = parseVerdicts(prefix, key, value);
      if ('fault' in parsed) return { fault: `${keyName(key)}: ${parsed.fault}` };
      return heard.has(parsed.node) ? parsed : { fault: `${keyName(key)}: of no node that is registered` };
    });
    const rows = rowsOf(read.flatMap((each) => ('node' in each ? [each] : [])));
    const voters = (nodes: readonly string[]) =>
      nodes.map((node) => ({ node, heard_s: heard.get(node) ?? null }));
    return {
      json: rows.map(({ up, down, ...names }) => ({
        ...{ ...names, majority: majorityOf(up.length, down.length), down: voters(down), up: voters(up) },
      })),
      table: [
        ['UPSTREAM', 'ENDPOINT', 'MOST SAY', 'DOWN', 'UP', 'HEARD'],
        ...rows.map(({ upstream, endpoint, up, down }) => [
          ...[upstream, endpoint, majorityOf(up.length, down.length) ?? '-'],
          ...[listText(down, ', ') || '-', listText(up, ', ') || '-', heardText([...down, ...up], heard)],
        ]),
      ],
      none: 'no node has a verdict on an endpoint',
      leftOut: read.flatMap((each) => ('fault' in each ? [each.fault] : [])),
    };
  },
};

/** An endpoint, and the nodes that say so. */
interface Row {
  readonly upstream: string;
  readonly endpoint: string;
  readonly down: readonly string[];
  readonly up: readonly string[];
}

/** Those that are down for most nodes first, then by name. */
function rowsOf(ballots: readonly { readonly node: string; readonly verdicts: Verdicts }[]): Row[] {
  const voters = new Map<string, Record<Verdict, string[]>>();
  for (const { node, verdicts } of ballots)
    for (const [key, verdict] of verdicts) {
      const both = voters.get(key) ?? { down: [], up: [] };
      both[verdict].push(node);
      voters.set(key, both);
    }
  return [...voters]
    .sort(([one, { down }], [other, others]) => others.down.length - down.length || (one < other ? -1 : 1))
    .map(([key, both]) => {
      const [upstream = '', endpoint = ''] = key.split('\n');
      return { upstream, endpoint, ...both };
    });
}

/** `down`: so it is on every node that the rest of the upstream serves. Null: each is left with its own verdict. */
function majorityOf(up: number, down: number): Verdict | null {
  if (isOutvoted(null, { up, down })) return 'down';
  return up > down ? 'up' : null;
}

/** From the one that was heard of last to the one that was not for longest. */
function heardText(nodes: readonly string[], heard: Heard): string {
  const known = nodes.map((node) => heard.get(node) ?? null).filter((agoS) => agoS !== null);
  if (known.length === 0) return '-';
  const [newest, oldest] = [Math.min(...known), Math.max(...known)];
  return newest === oldest ? `${oldest} s ago` : `${newest} to ${oldest} s ago`;
}
