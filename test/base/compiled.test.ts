/** Bundles run with compiled code if it is theirs, and without it otherwise. */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { asBundle, compile, evaluate, keepCode, load } from '../../src/base/compiled.js';
import { type TempFolder, tempFolder } from '../support/temp.js';

let folder: TempFolder;
let place: string;

beforeEach(() => {
  folder = tempFolder();
  place = pathToFileURL(`${folder.path}/part.js`).href;
  write('exports.answer = () => 42;');
});
afterEach(() => folder.remove());

const write = (text: string): void => writeFileSync(`${folder.path}/part.bundle.cjs`, asBundle(text));

/** What the module at the place would give it. */
const imports = (name: string): Promise<unknown> => import(new URL(name, place).href);

const codeFile = (): string => `${folder.path}/part.bundle.code`;

function keep(): void {
  const script = compile(place);
  evaluate(script, place, imports);
  keepCode(script, place);
}

const answer = (): unknown => (load(place, imports) as { answer: () => unknown }).answer();

test('a bundle without code runs', () => {
  expect(compile(place).cachedDataRejected).toBeUndefined();
  expect(answer()).toBe(42);
});

test('a bundle runs with its code', () => {
  keep();
  expect(compile(place).cachedDataRejected).toBe(false);
  expect(answer()).toBe(42);
});

test('code of a text that was as long is not used', () => {
  keep();
  write('exports.answer = () => 43;');
  expect(compile(place).cachedDataRejected).toBeUndefined();
  expect(answer()).toBe(43);
});

test.each([
  ['cut', (code: Buffer) => code.subarray(0, -1)],
  ['changed', (code: Buffer) => Buffer.concat([code.subarray(0, -1), Buffer.of((code.at(-1) ?? 0) ^ 1)])],
  ['empty', () => Buffer.alloc(0)],
])('code that is %s is not used', (_, change) => {
  keep();
  writeFileSync(codeFile(), change(readFileSync(codeFile())));
  expect(compile(place).cachedDataRejected).toBeUndefined();
  expect(answer()).toBe(42);
});

test('a bundle finds files and modules from its place, and imports later', async () => {
  writeFileSync(`${folder.path}/later.mjs`, 'export const said = "later";');
  write(`
    exports.name = require('node:path').basename(bundlePlace);
    exports.later = () => import('./later.mjs');
    exports.strict = (function () { return this === undefined; })();`);
  keep();
  const bundle = load(place, imports) as { name: string; strict: boolean; later: () => Promise<object> };
  expect([bundle.name, bundle.strict]).toEqual(['part.js', true]);
  expect(await bundle.later()).toMatchObject({ said: 'later' });
});
