/** What a thread of the daemon begins with is one file (scripts/bundle.mjs). */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { importsOf } from '../support/architecture.js';

const place = new URL('../../dist/config/load.js', import.meta.url);
const text = readFileSync(place, 'utf8');

/** Where the modules in `text`, at `from`, look for files. */
const placesIn = (text: string, from: URL): URL[] =>
  [...text.matchAll(/new URL\([`"']([^`"']+)[`"'], ?import\.meta\.url\)/g)].map(
    ([, path = '']) => new URL(path, from),
  );

describe('the built reader', () => {
  test('imports nothing but modules of Node', () => {
    const imported = importsOf(text.slice(0, text.indexOf(';var ')));
    expect(imported).toContain('node:fs');
    expect(imported.filter((name) => !name.startsWith('node:'))).toEqual([]);
  });
  test('finds files where its modules were', () => {
    const places = placesIn(text, place);
    expect(places.map(({ pathname }) => pathname.replace(/.*\/dist\//, ''))).toContain(
      'protocols/precompiled.js',
    );
    expect(places.filter((each) => !existsSync(each))).toEqual([]);
  });
  test('comes with the licences of what is in it', () => {
    const licences = readFileSync(`${place.pathname}.LICENSES.txt`, 'utf8');
    for (const name of ['zod', 'yaml', '@eslint-community/regexpp']) {
      expect(licences).toMatch(new RegExp(`^${name} \\d`, 'm'));
    }
  });
});

describe.each(['worker/main.js', 'cli/run/process.js'])('%s', (name) => {
  const file = new URL(`../../dist/${name}`, import.meta.url);
  const code = readFileSync(file, 'utf8');

  test('imports packages, and of its own what it needs later at most', () => {
    const atOnce = [...code.matchAll(/^import .* from "([^"]+)";$/gm)].map(([, each = '']) => each);
    expect(atOnce).toContain('pino');
    expect(atOnce.filter((each) => each.startsWith('.'))).toEqual([]);
    const later = [...code.matchAll(/\bimport\("(\.[^"]+)"\)/g)].map(([, each = '']) => new URL(each, file));
    expect(later.filter((each) => !existsSync(each))).toEqual([]);
  });
  test('finds files where its modules were', () => {
    const places = placesIn(code, file);
    expect(places.map(({ pathname }) => pathname.replace(/.*\/dist\//, ''))).toContain('addon.js');
    expect(places.filter((each) => !existsSync(each))).toEqual([]);
  });
});
