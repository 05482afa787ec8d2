/** What a thread of the daemon begins with is one file (scripts/bundle.mjs), beside which is what V8 has made of it. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const compiled = new URL('../../dist/base/compiled.js', import.meta.url);
const placeOf = (name: string): URL => new URL(`../../dist/${name}.js`, import.meta.url);
const textOf = (name: string): string =>
  readFileSync(placeOf(`${name}.bundle`).pathname.replace(/js$/, 'cjs'), 'utf8');

const reader = 'config/load';
const threads = ['worker/main', 'cli/run/process'];

/** Modules that it needs before it can run. */
const requiredBy = (text: string): string[] =>
  [...text.matchAll(/[^.\w]require\([`"]([^`"]+)[`"]\)/g)].map(([, name = '']) => name);

/** Where the modules of a bundle look for files. */
const placesOf = (name: string): URL[] =>
  [...textOf(name).matchAll(/new URL\([`"]([^`"]+)[`"], ?bundlePlace\)/g)].map(
    ([, path = '']) => new URL(path, placeOf(name)),
  );

describe('the built reader', () => {
  test('requires nothing but modules of Node', () => {
    // The package `yaml` says two of them without the prefix.
    const names = requiredBy(textOf(reader)).filter((name) => !['buffer', 'process'].includes(name));
    expect(names).toContain('node:fs');
    expect(names.filter((name) => !name.startsWith('node:'))).toEqual([]);
  });
  test('finds files where its modules were', () => {
    const places = placesOf(reader);
    expect(places.map(({ pathname }) => pathname.replace(/.*\/dist\//, ''))).toContain(
      'protocols/precompiled.js',
    );
    expect(places.filter((each) => !existsSync(each))).toEqual([]);
  });
  test('comes with the licences of what is in it', () => {
    const licences = readFileSync(`${placeOf(reader).pathname}.LICENSES.txt`, 'utf8');
    for (const name of ['zod', 'yaml', '@eslint-community/regexpp']) {
      expect(licences).toMatch(new RegExp(`^${name} \\d`, 'm'));
    }
  });
});

describe.each(threads)('%s', (name) => {
  const code = textOf(name);

  test('requires packages, and of its own what it needs later at most', () => {
    const atOnce = requiredBy(code);
    expect(atOnce).toContain('pino');
    expect(atOnce.filter((each) => each.startsWith('.'))).toEqual([]);
    const later = [...code.matchAll(/\bbundleImport\("(\.[^"]+)"\)/g)].map(
      ([, each = '']) => new URL(each, placeOf(name)),
    );
    expect(later.filter((each) => !existsSync(each))).toEqual([]);
  });
  test('finds files where its modules were', () => {
    const places = placesOf(name);
    expect(places.map(({ pathname }) => pathname.replace(/.*\/dist\//, ''))).toContain('addon.js');
    expect(places.filter((each) => !existsSync(each))).toEqual([]);
  });
});

describe('the code beside the bundles', () => {
  /** Whether V8 refuses it, under these options, and what each bundle exports. */
  const looked = (...options: string[]): [refused: unknown, exports: string[]][] => {
    const program = `
      const { compile, evaluate } = await import('${compiled}');
      const looked = process.argv.slice(1).map((place) => {
        const script = compile(place);
        return [script.cachedDataRejected ?? null, Object.keys(evaluate(script, place, (name) => import(name))).sort()];
      });
      console.log(JSON.stringify(looked));
      process.exit();`;
    const places = [reader, ...threads].map((name) => placeOf(name).href);
    const args = [...options, '--input-type=module', '--eval', program, ...places];
    return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  };
  const exported = [['loadConfig'], ['default'], ['exitNow', 'runDaemon', 'whyNotAs']];

  test('is used by a daemon that is started as users start it', () => {
    const launcher = readFileSync(new URL('../../bin/anyport', import.meta.url), 'utf8');
    const options = ['young', 'collecting'].map(
      (name) => new RegExp(`^${name}=(\\S+)$`, 'm').exec(launcher)?.[1],
    );
    expect(looked(...options.map(String))).toEqual(exported.map((names) => [false, names]));
  });
  test('is refused under other options, and the bundles run without it', () => {
    expect(looked('--max-semi-space-size=2')).toEqual(exported.map((names) => [true, names]));
  });
});
