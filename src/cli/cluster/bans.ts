/** Whom each node has banned, as far as this node believes it. */
import { countText } from '../../base/figures.js';
import { listText } from '../../base/text.js';
import { notesPrefix, parseNote } from '../../cluster/ban-notes.js';
import { keyName } from '../../cluster/values.js';
import type { Section } from './section.js';

export const bans: Section = {
  name: 'bans',
  prefixOf: ({ prefix, clusterKey }) => (clusterKey === null ? null : notesPrefix(prefix)),
  show(items, { prefix, clusterKey }) {
    const read = items.map((item) => {
      const note = parseNote(clusterKey ?? '', prefix, item);
      return 'node' in note ? note : { fault: `${keyName(item.key)}: ${note.fault}` };
    });
    const known = read
      .flatMap((each) => ('node' in each ? [each] : []))
      .map((note) => ({ node: note.node, sources: note.bans.map(({ address }) => address) }))
      .filter(({ sources }) => sources.length > 0);
    return {
      json: known.map(({ node, sources }) => ({ node, count: sources.length, sources })),
      table: [
        ['BANNED BY', 'COUNT', 'SOURCES'],
        ...known.map(({ node, sources }) => [node, countText(sources.length), listText(sources, ', ')]),
      ],
      none: 'no node has banned anybody',
      leftOut: read.flatMap((each) => ('fault' in each ? [each.fault] : [])),
    };
  },
};
