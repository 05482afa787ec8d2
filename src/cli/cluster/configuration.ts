/** What became of the fragments of the configuration, on each node. */

import type { KeyValue } from '../../cluster/etcd/wire.js';
import { parseStatus, statusKey, statusPrefix } from '../../cluster/fragment-status.js';
import { NAME_PATTERN } from '../../cluster/nodes.js';
import { keyName, type Parsed } from '../../cluster/values.js';
import type { Section } from './section.js';

export const configuration: Section = {
  name: 'configuration',
  prefixOf: ({ prefix, watchPrefix }) => (watchPrefix === null ? null : statusPrefix(prefix)),
  show(items, { prefix }) {
    const read = items.map((item) => statusIn(item, prefix));
    const known = read.flatMap((each) => ('row' in each ? [each.row] : []));
    return {
      json: known,
      table: [
        ['FRAGMENT', 'NODE', 'STATE', 'REVISION', 'IN FORCE', 'WHY'],
        ...known.map(({ fragment, node, state, revision, in_force, problems }) => [
          ...[fragment, node, state, String(revision)],
          ...[in_force === null ? '-' : String(in_force), whyText(problems)],
        ]),
      ],
      none: 'no node has a fragment of the configuration',
      leftOut: read.flatMap((each) => ('fault' in each ? [each.fault] : [])),
    };
  },
};

interface Row {
  readonly fragment: string;
  readonly node: string;
  readonly state: string;
  readonly revision: number;
  readonly in_force: number | null;
  readonly problems: readonly string[];
  readonly at: string;
}

function statusIn({ key, value }: KeyValue, prefix: string): Parsed<{ readonly row: Row }> {
  const [node = '', ...rest] = key.slice(statusPrefix(prefix).length).split('/');
  const fragment = rest.join('/');
  if (!NAME_PATTERN.test(node) || statusKey(prefix, node, fragment) !== key)
    return { fault: `${keyName(key)}: expected a key such as ${statusPrefix(prefix)}node-1/NAME` };
  const parsed = parseStatus(value);
  if ('fault' in parsed) return { fault: `${keyName(key)}: ${parsed.fault}` };
  const { state, revision, inForce, problems } = parsed.status;
  return { row: { fragment, node, state, revision, in_force: inForce, problems, at: parsed.at } };
}

function whyText([first, ...others]: readonly string[]): string {
  if (first === undefined) return '-';
  return others.length === 0 ? first : `${first} (and ${others.length} more)`;
}
