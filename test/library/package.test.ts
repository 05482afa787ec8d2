/** The packed package by itself: its declarations are all a strict compiler needs, and its files all that it loads. */
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProgram } from '../support/process.js';
import { tempFolder } from '../support/temp.js';

const folder = tempFolder();
const modules = join(folder.path, 'node_modules');
afterAll(() => folder.remove());

/** What `npm pack` would put into the package; nothing else of this repository can be seen from the folder. */
beforeAll(async () => {
  const { stdout } = await runProgram('npm', ['pack', '--dry-run', '--json', '--ignore-scripts']);
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  for (const { path } of files) {
    const target = join(modules, 'anyport', path);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(path, target);
  }
  mkdirSync(join(modules, '@types'));
  symlinkSync(resolve('node_modules/@types/node'), join(modules, '@types/node'));
  cpSync('test/library/consumer/program.ts', join(folder.path, 'program.ts'));
  writeFileSync(join(folder.path, 'package.json'), '{ "type": "module" }');
});

test.each([
  { module: 'nodenext', exactOptionalPropertyTypes: true },
  { module: 'preserve', exactOptionalPropertyTypes: false },
])('a strict compiler checks it, declarations included: $module', async ({ module, ...further }) => {
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2022', 'esnext.disposable'],
    module,
    strict: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    types: ['node'],
    noEmit: true,
    ...further,
  };
  writeFileSync(
    join(folder.path, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['program.ts'] }),
  );
  const { status, stdout } = await runProgram(resolve('node_modules/.bin/tsc'), ['-p', folder.path]);
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
});

test('nothing but the index can be imported', async () => {
  const of = (specifier: string) =>
    runProgram(process.execPath, ['--input-type=module', '-e', `await import('${specifier}')`], {
      cwd: folder.path,
    });
  expect((await of('anyport/dist/primary/daemon.js')).stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
});
