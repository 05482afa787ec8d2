/** docs/library.md is generated, and every example in it runs and prints what it says. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runProgram } from '../support/process.js';

const generator = new URL('../../scripts/lib/library-docs.mjs', import.meta.url).href;
const { libraryDocs } = (await import(generator)) as { libraryDocs: () => string };

const docs = readFileSync('docs/library.md', 'utf8');

test('it is what the types say: `node scripts/docs.mjs`', () => expect(docs).toBe(libraryDocs()));

test('the reference has everything that is exported, with a comment or members', () => {
  const index = readFileSync('src/index.ts', 'utf8');
  const names = [...index.matchAll(/\{([^}]*)\}/g)].flatMap(([, list = '']) => list.match(/\w+/g) ?? []);
  const exported = names.filter((name) => name !== 'type' && name !== 'anyport');
  expect(exported.length).toBeGreaterThan(30);
  for (const name of exported) {
    const [, entry] = docs.split(`\n## \`${name}\`\n`);
    expect(entry?.split('\n## ')[0]?.trim(), name).not.toBe('');
  }
});

const examples = [...docs.matchAll(/^## (.+)\n(?:(?!^## )[\s\S])*?^```js\n([\s\S]*?)^```/gm)].map(
  ([, title = '', code = '']) => ({ title, code }),
);

test('there are examples', () => expect(examples.length).toBeGreaterThan(6));

/** A free port, in place of the one that a reader would choose. */
const anyPort = (code: string): string => code.replaceAll('127.0.0.1:9090', '127.0.0.1:0');

test.each(examples)('$title', async ({ code }) => {
  const expected = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, line]) => line);
  const { status, stdout, stderr } = await runProgram(process.execPath, [
    '--input-type=module',
    '-e',
    anyPort(code),
  ]);
  expect(stderr).toBe('');
  expect(stdout.trimEnd().split('\n')).toEqual(expected);
  expect(status).toBe(0);
});
