/** docs/security.md is written by hand: its metrics are there, its configurations are accepted, its links lead somewhere. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { catalog } from '../../src/metrics/catalog.js';
import { problemsOf } from './support.js';

/** Files that the configurations name. */
const files = ['/var/lib/anyport/drop.txt'];

const text = readFileSync('docs/security.md', 'utf8');
const all = (pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, found = '']) => found);

/** Headings and anchors of a page, as links name them. */
const anchorsOf = (page: string): string[] => [
  ...[...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  ),
  ...[...page.matchAll(/<a id="([^"]+)"/g)].map(([, id = '']) => id),
];

test.each([...new Set(all(/`(anyport_[a-z_]+)/g))])('%s is a metric', (name) => {
  expect(Object.keys(catalog)).toContain(name);
});

test.each(all(/```yaml\n([\s\S]*?)```/g))('accepted: %s', (example) => {
  expect(problemsOf(example, { files })).toEqual([]);
});

test.each([...new Set(all(/\]\(([^)]+)\)/g))])('%s is there', (link) => {
  const [file = '', anchor] = link.split('#');
  const path = file === '' ? 'docs/security.md' : `docs/${file}`;
  expect(existsSync(path)).toBe(true);
  if (anchor !== undefined) expect(anchorsOf(readFileSync(path, 'utf8'))).toContain(anchor);
});
