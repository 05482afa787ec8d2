/** The nodes, and for how long each has been up by its own clock. */
import { countText, timeText } from '../../base/figures.js';
import { nodesPrefix } from '../../cluster/live-nodes.js';
import { parseNode } from '../../cluster/nodes.js';
import type { Section } from './section.js';

export const nodes: Section = {
  name: 'nodes',
  prefixOf: ({ prefix }) => nodesPrefix(prefix),
  show(items, { prefix, nodeId }) {
    const parsed = items.map(({ key, value }) => parseNode(prefix, key, value));
    const found = parsed.flatMap((each) => ('node' in each ? [each.node] : []));
    const upText = (startedMs: number) => timeText(Math.max(0, Date.now() - startedMs));
    return {
      json: found,
      table: [
        ['NODE', 'ADDRESS', 'VERSION', 'SESSIONS', 'UP'],
        ...found.map(({ id, address, version, load, startedMs }) => [
          id === nodeId ? `${id} (this)` : id,
          address || '-',
          version || '-',
          countText(load),
          startedMs === 0 ? '-' : upText(startedMs),
        ]),
      ],
      none: 'no node is registered',
      leftOut: parsed.flatMap((each) => ('fault' in each ? [each.fault] : [])),
    };
  },
};
