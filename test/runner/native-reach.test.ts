/** Tests run under sanitizers unless they surely reach no native code. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { tempFolder } from '../support/temp.js';

// By its address: a script has no types.
const reach = new URL('../../scripts/lib/native-reach.mjs', import.meta.url).href;
const { reachesNative } = (await import(reach)) as { reachesNative: (path: string) => boolean };

const folder = tempFolder();
afterAll(() => folder.remove());

function reaches(files: Readonly<Record<string, string>>): boolean {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return reachesNative(join(folder.path, Object.keys(files)[0] ?? ''));
}

const addon = relative(folder.path, 'src/addon.js');
const node = (name: string) => `import { x } from 'node:${name}';`;

describe('reach it', () => {
  test.each([
    { why: 'the addon', files: { 'a.ts': `import { native } from '${addon}';` } },
    { why: 'over others', files: { 'b.ts': "import './c.js';", 'c.ts': `export * from '${addon}';` } },
    {
      why: 'over others that import each other',
      files: {
        'd.ts': "import './e.js';",
        'e.ts': "import './f.js';",
        'f.ts': `import './d.js';\n${node('vm')}`,
      },
    },
    { why: 'over several lines', files: { 'g.ts': `import {\n  native,\n} from '${addon}';` } },
    { why: 'when it runs', files: { 'h.ts': `const a = await import('${addon}');` } },
    { why: 'behind a type', files: { 'i.ts': `export type A = { b: 1 };\nimport { c } from '${addon}';` } },
    { why: 'behind a text with a star', files: { 'j.ts': `const a = '/a/*';\nimport '${addon}';\n/* */` } },
    { why: 'with a type among values', files: { 'k.ts': `import { type A } from '${addon}';` } },
    { why: 'what the text does not say', files: { 'l.ts': 'const a = await import(path);' } },
    { why: 'what is not there', files: { 'm.ts': "import './nowhere.js';" } },
    { why: 'what is built', files: { 'n.ts': `import '${relative(folder.path, 'dist/index.js')}';` } },
    { why: 'the package', files: { 'o.ts': "import { createAnyport } from 'anyport';" } },
    ...['child_process', 'worker_threads', 'cluster', 'module', 'vm'].map((name) => ({
      why: `node:${name}`,
      files: { 'p.ts': node(name) },
    })),
  ])('$why', ({ files }) => {
    expect(reaches(files as Record<string, string>)).toBe(true);
  });

  test.each([
    'test/e2e/relay.test.ts',
    'test/worker/session.test.ts',
    'test/plane/changing.test.ts',
    'test/protocols/classifier.test.ts',
    'test/library/kcp.test.ts',
  ])('%s', (path) => expect(reachesNative(path)).toBe(true));
});

describe('do not', () => {
  test.each([
    { why: 'no import', files: { 'q.ts': 'export {};' } },
    { why: 'packages and Node', files: { 'r.ts': `import { test } from 'vitest';\n${node('fs')}` } },
    {
      why: 'types alone',
      files: { 's.ts': `import type {\n  A,\n} from '${addon}';\nexport type * from '${addon}';` },
    },
    {
      why: 'data',
      files: { 't.ts': "import data from './data.json' with { type: 'json' };", 'data.json': '{}' },
    },
  ])('$why', ({ files }) => expect(reaches(files as Record<string, string>)).toBe(false));

  test.each(['test/protocols/hpack.test.ts', 'test/metrics/counters.test.ts'])('%s', (path) =>
    expect(reachesNative(path)).toBe(false),
  );
});
