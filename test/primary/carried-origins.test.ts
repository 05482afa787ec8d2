/** What a document has from the one before is said where it was; the rest is said by whoever has sent it. */
import { expect, test } from 'vitest';
import { documentSource } from '../../src/config/document.js';
import { originsIn } from '../../src/config/origins.js';
import type { Document } from '../../src/model/config.js';
import { carriedOrigins, type Said } from '../../src/primary/carried-origins.js';

const BY = 'the control interface';

/** As read: without a place of anything. */
const sent = (document: Document): Said => ({ document, origins: originsIn(documentSource(document)) });

/** As if it were in a file, each thing in a line of its own. */
function filed(document: Document): Said {
  const { origins } = sent(document);
  return { document, origins: origins.map((origin, index) => ({ ...origin, from: `f:${index + 1}` })) };
}

const shown = (before: Said, after: Said) =>
  carriedOrigins(before, after, BY).map(({ kind, name, from }) => `${kind} ${name}: ${from}`);

const document = {
  upstreams: { web: { endpoints: ['a:1'] }, api: { endpoints: ['b:1'] } },
  protocols: [{ name: 'SSH', target: 'a:22' }, { name: 'HTTP' }],
  routes: [
    { when: { host: 'a' }, to: 'web' },
    { when: { host: 'b' }, to: 'api' },
  ],
};

test('the same document is where it was, and what is contributed keeps its own origin', () => {
  const before = filed(document);
  const contributed = {
    kind: 'route',
    name: 'routes[2]',
    from: 'docker: container a',
    upstreams: [],
  } as const;
  const after = { document, origins: [...sent(document).origins, contributed] };
  expect(shown(before, after)).toEqual([
    'upstream web: f:1',
    'upstream api: f:2',
    'protocol SSH: f:3',
    'protocol HTTP: f:4',
    'route routes[0]: f:5',
    'route routes[1]: f:6',
    'route routes[2]: docker: container a',
  ]);
});

test('in another one what is as before is where it was, wherever it stands now', () => {
  const [first, second] = document.routes;
  const after = sent({
    upstreams: { api: { endpoints: ['c:1'] }, web: { endpoints: ['a:1'] }, same: { endpoints: ['a:1'] } },
    protocols: [{ name: 'Redis', target: 'r:1' }, ...structuredClone(document.protocols)],
    routes: [second, { when: { host: 'c' }, to: 'same' }, first],
  });
  expect(shown(filed(document), after)).toEqual([
    `upstream api: ${BY}`,
    'upstream web: f:1',
    `upstream same: ${BY}`,
    `protocol Redis: ${BY}`,
    'protocol SSH: f:3',
    'protocol HTTP: f:4',
    'route routes[0]: f:6',
    `route routes[1]: ${BY}`,
    'route routes[2]: f:5',
  ]);
});

test('what nobody has said is said by nobody still', () => {
  const before = sent(document);
  expect(carriedOrigins(before, sent(structuredClone(document)), BY).map(({ from }) => from)).toEqual(
    before.origins.map(() => null),
  );
});
