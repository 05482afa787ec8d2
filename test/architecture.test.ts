/** Enforces the architecture: arrows between rooms, owners of packages, indexes of plural folders. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  arrowsOf,
  brokenArrows,
  brokenIncludes,
  drawnArrows,
  largeClasses,
  missingFromIndex,
  nativeArrows,
  packagesLoadedBy,
  roomsOf,
  type SourceFile,
  strayConsole,
  strayPackages,
  typescriptArrows,
} from './support/architecture.js';

function sources(folder: string, ending: RegExp): SourceFile[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && ending.test(entry.name))
    .map((entry) => posix.join(entry.parentPath, entry.name))
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

const typescript = sources('src', /\.ts$/);
const native = sources('native', /\.(cc|h)$/);

/** Plural folders (one file per item), and how to recognise an item where the folder has other files too. */
const pluralFolders = [
  { folder: 'src/routing/conditions' },
  { folder: 'src/upstream/balance' },
  { folder: 'src/health/checks' },
  { folder: 'src/doctor/checks' },
  { folder: 'src/cli/commands' },
  { folder: 'src/admin/handlers', entry: /^export const \w+Routes\b/m },
  { folder: 'src/providers', entry: /^export const \w+: ProviderKind = /m },
  { folder: 'src/protocols', entry: /^export const \w+: Protocol = /m },
  { folder: 'src/handlers', entry: /^export const \w+: Handler = /m },
];

describe('the repository', () => {
  test('imports follow the arrows', () => expect(brokenArrows(typescript)).toEqual([]));
  test('includes follow the arrows', () => expect(brokenIncludes(native)).toEqual([]));
  test('docs/architecture.md draws the arrows that are enforced', () => {
    const [, drawn = ''] = readFileSync('docs/architecture.md', 'utf8').split('may import whom');
    const [ofTypescript = '', ofNative = ''] = drawn.split('native:');
    expect(drawnArrows(ofTypescript)).toEqual(arrowsOf(typescriptArrows, roomsOf(typescript, 'src')));
    expect(drawnArrows(ofNative)).toEqual(arrowsOf(nativeArrows, roomsOf(native, 'native')));
  });
  test('piscina, pino and prom-client have one importing file each', () =>
    expect(strayPackages(typescript)).toEqual([]));
  test('only the command line writes to the console', () => expect(strayConsole(typescript)).toEqual([]));
  test.each(pluralFolders)('every file of $folder is in its index', ({ folder, entry }) =>
    expect(missingFromIndex(folder, typescript, entry)).toEqual([]),
  );
  test('workers load nothing that only reading a configuration needs', () => {
    const packages = packagesLoadedBy('src/worker/main.ts', typescript);
    expect(packages).toContain('pino');
    const unwanted = ['zod', 'yaml', 'commander', 'prom-client', 'pino-pretty'];
    expect(unwanted.filter((name) => packages.has(name))).toEqual([]);
  });
  test.each([
    { entry: 'src/cli/program.ts', needs: 'commander' },
    { entry: 'src/cli/run/process.ts', needs: 'piscina' },
  ])('nor does what stays of the primary: $entry', ({ entry, needs }) => {
    const packages = packagesLoadedBy(entry, typescript);
    expect(packages).toContain(needs);
    expect(['zod', 'yaml', 'pino-pretty'].filter((name) => packages.has(name))).toEqual([]);
  });
  test('docs/contributing.md names files that are there', () => {
    const text = readFileSync('docs/contributing.md', 'utf8');
    const named = [...text.matchAll(/\b(?:src|native|test|scripts)\/[\w./-]+/g)].map(([path]) => path);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((path) => !path.includes('NAME') && !existsSync(path))).toEqual([]);
  });
  test('a class of more than 20 methods says why', () =>
    expect(largeClasses([...typescript, ...native])).toEqual([]));
  test('sources.txt names every C++ file, of the addon and of the load', () => {
    const lists = ['native/sources.txt', 'native/load/sources.txt'];
    const listed = lists.flatMap((list) => readFileSync(list, 'utf8').trim().split(/\s+/));
    const present = native.map((file) => file.path).filter((path) => path.endsWith('.cc'));
    expect(new Set(listed)).toEqual(new Set(present));
  });
});

describe('the checks can fail', () => {
  const file = (path: string, text: string): SourceFile[] => [{ path, text }];

  describe('a class of 21 methods', () => {
    const typed = (comment: string) =>
      `${comment}\nexport class A {\n${'  get x(): number {\n    return f(1);\n  }\n'.repeat(21)}}\n`;
    const header = (comment: string) =>
      `${comment}\nclass A {\n  explicit A(int a);\n  struct B {\n    int f();\n  };\n${'  const T* x(int a) const;\n'.repeat(21)}};\n`;
    test.each([
      { path: 'src/plane/a.ts', text: typed('/** Does much. */') },
      { path: 'native/desk/a.h', text: header('// Does much.') },
    ])('without a reason: $path', ({ path, text }) =>
      expect(largeClasses(file(path, text))).toEqual([`${path}: A has 21 methods`]),
    );
    test.each([
      { path: 'src/plane/a.ts', text: typed('/** Over 20 methods: one for each x. */') },
      { path: 'native/desk/a.h', text: header('// Over 20 methods: one for each x.') },
    ])('with one: $path', ({ path, text }) => expect(largeClasses(file(path, text))).toEqual([]));
  });

  const wrongArrows = [
    {
      why: 'a leaf imports a leaf',
      path: 'src/routing/table.ts',
      text: `import { x } from '../upstream/upstream.js';`,
    },
    {
      why: 'a type is an import too',
      path: 'src/base/a.ts',
      text: `import type { X } from '../model/plan.js';`,
    },
    {
      why: 'the worker knows no configuration',
      path: 'src/worker/main.ts',
      text: `export * from '../config/load.js';`,
    },
    { why: 'a dynamic import', path: 'src/cli/main.ts', text: `await import('../worker/main.js');` },
    {
      why: 'several lines',
      path: 'src/config/a.ts',
      text: `import {\n  a,\n  b,\n} from '../plane/pool.js';`,
    },
    {
      why: 'only what runs the daemon opens the native door',
      path: 'src/cli/commands/check.ts',
      text: `import '../../addon.js';`,
    },
    {
      why: 'the daemon knows no process',
      path: 'src/primary/daemon.ts',
      text: `import { hearSignals } from '../cli/run/signals.js';`,
    },
    {
      why: 'the workers know no daemon',
      path: 'src/plane/data-plane.ts',
      text: `import type { ListeningSockets } from '../primary/sockets.js';`,
    },
    {
      why: 'the workers are given a Plan, and no configuration',
      path: 'src/plane/data-plane.ts',
      text: `import { compile } from '../config/compile.js';`,
    },
    {
      why: 'the process knows the daemon, not what it is made of',
      path: 'src/cli/run/process.ts',
      text: `import { DataPlane } from '../../plane/data-plane.js';`,
    },
    {
      why: 'an inner room does not lean on the one around it',
      path: 'src/cli/run/process.ts',
      text: `import { version } from '../version.js';`,
    },
    {
      why: 'commands reach the daemon through its process',
      path: 'src/cli/commands/run.ts',
      text: `import '../../primary/daemon.js';`,
    },
    { why: 'a room without arrows', path: 'src/misc/a.ts', text: `import '../base/errors.js';` },
    { why: 'out of src', path: 'src/cli/a.ts', text: `import '../../test/support/tcp.js';` },
  ];
  test.each(wrongArrows)('arrows: $why', ({ path, text }) =>
    expect(brokenArrows(file(path, text))).toHaveLength(1),
  );

  const goodArrows = [
    { why: 'its own room', path: 'src/worker/main.ts', text: `import './session.js';` },
    { why: 'an arrow', path: 'src/cli/commands/run.ts', text: `import '../run/process.js';` },
    { why: 'an arrow of an inner room', path: 'src/cli/run/process.ts', text: `import '../../addon.js';` },
    { why: 'a package', path: 'src/cli/main.ts', text: `import { Command } from 'commander';` },
    { why: 'a comment', path: 'src/base/a.ts', text: `/* import '../plane/pool.js' */` },
  ];
  test.each(goodArrows)('arrows: $why is fine', ({ path, text }) =>
    expect(brokenArrows(file(path, text))).toEqual([]),
  );

  test('includes: the classifier knows no sockets', () => {
    const text = '#include <vector>\n#include "net/socket.h"\n';
    expect(brokenIncludes(file('native/classifier/walk.cc', text))).toHaveLength(1);
    expect(brokenIncludes(file('native/relay/relay.cc', text))).toEqual([]);
  });

  test('packages: a second importer', () => {
    const text = `import { pino } from 'pino';`;
    expect(strayPackages(file('src/worker/main.ts', text))).toHaveLength(1);
    expect(strayPackages(file('src/base/log.ts', text))).toEqual([]);
  });

  test('packages that are loaded: through other files, but no types, and nothing that is loaded later', () => {
    const files = [
      { path: 'src/a.ts', text: `import type { Z } from 'zod';\nexport { b } from './b/b.js';` },
      { path: 'src/b/b.ts', text: `import pino from 'pino';\nconst yaml = () => import('yaml');` },
    ];
    expect([...packagesLoadedBy('src/a.ts', files)]).toEqual(['pino']);
  });

  test('console: outside the command line', () => {
    expect(strayConsole(file('src/worker/main.ts', 'console.log(1)'))).toHaveLength(1);
    expect(strayConsole(file('src/cli/main.ts', 'console.log(1)'))).toEqual([]);
  });

  test('index: a file that nothing lists, a folder without index', () => {
    const listed = { path: 'src/a/x.ts', text: '' };
    const forgotten = { path: 'src/a/y.ts', text: '' };
    const index = { path: 'src/a/index.ts', text: `import { x } from './x.js';` };
    expect(missingFromIndex('src/a', [index, listed, forgotten])).toEqual([
      'src/a/y.ts: not in src/a/index.ts',
    ]);
    expect(missingFromIndex('src/a', [index, listed, forgotten], /^export/)).toEqual([]);
    expect(missingFromIndex('src/b', [listed])).toEqual(['src/b: no index.ts']);
  });
});
