/**
 * Runs bundles (scripts/bundle.mjs) with the code that V8 made of them at build time: parsing and compiling them is a fifth
 * of what a start costs. Code of another Node, or made under other options of V8, is not used: the bundle is compiled
 * then, as it is without.
 *
 * A bundle stands for the module at its place, which loads it: for `main.js` it is `main.bundle.cjs`, with its code in
 * `main.bundle.code`. Places are URLs.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

type Exports = Readonly<Record<string, unknown>>;
/** `import()` of the module that loads it: scripts have none of their own unless Node warns of an experiment. */
type Import = (name: string) => Promise<unknown>;
type Bundle = (exports: Exports, require: NodeJS.Require, bundlePlace: string, bundleImport: Import) => void;

/** Bytes of the digest before the code. */
const DIGEST_BYTES = 32;

/** The text of CommonJS as a bundle. It finds files by `bundlePlace`, as modules do by `import.meta.url`. */
export const asBundle = (text: string): string =>
  `(function (exports, require, bundlePlace, bundleImport) { 'use strict'; ${text.replace(/\bimport\(/g, 'bundleImport(')}\n})`;

/** Exports of the bundle that stands for the module at `place`. */
export const load = (place: string, imports: Import): Exports => evaluate(compile(place), place, imports);

/** `cachedDataRejected` of the result: whether V8 refused the code; undefined: there is none for this Node. */
export function compile(place: string): Script {
  const text = readFileSync(fileOf(place, 'cjs'), 'utf8');
  const cachedData = codeOf(place, text);
  return new Script(text, { filename: fileOf(place, 'cjs'), ...(cachedData && { cachedData }) });
}

export function evaluate(script: Script, place: string, imports: Import): Exports {
  const exports = {};
  (script.runInThisContext() as Bundle)(exports, createRequire(place), place, imports);
  return exports;
}

/** For the build: keeps the code of what has run so far, which is what a start runs, too. */
export function keepCode(script: Script, place: string): void {
  const text = readFileSync(fileOf(place, 'cjs'), 'utf8');
  const code = script.createCachedData();
  writeFileSync(fileOf(place, 'code'), Buffer.concat([digestOf(text, code), code]));
}

function codeOf(place: string, text: string): Buffer | null {
  try {
    const file = readFileSync(fileOf(place, 'code'));
    const code = file.subarray(DIGEST_BYTES);
    return digestOf(text, code).equals(file.subarray(0, DIGEST_BYTES)) ? code : null;
  } catch {
    return null;
  }
}

/** V8 itself compares its version, its options and the length of the text alone. */
const digestOf = (text: string, code: Buffer): Buffer =>
  createHash('sha256').update(`${process.version} ${process.arch} `).update(text).update(code).digest();

const fileOf = (place: string, ending: 'cjs' | 'code'): string =>
  fileURLToPath(place).replace(/\.js$/, `.bundle.${ending}`);
