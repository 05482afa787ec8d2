/** The built reader of configurations is one file (scripts/bundle.mjs). */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { importsOf } from '../support/architecture.js';

const place = new URL('../../dist/config/load.js', import.meta.url);
const text = readFileSync(place, 'utf8');

describe('the built reader', () => {
  test('imports nothing but modules of Node', () => {
    const imported = importsOf(text.slice(0, text.indexOf(';var ')));
    expect(imported).toContain('node:fs');
    expect(imported.filter((name) => !name.startsWith('node:'))).toEqual([]);
  });
  test('finds files where its modules were', () => {
    const places = [...text.matchAll(/new URL\([`"']([^`"']+)[`"'], ?import\.meta\.url\)/g)].map(
      ([, path = '']) => new URL(path, place),
    );
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
