/** Every row of the check list in docs/connect-proxy.md names a test that there is. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

interface Row {
  readonly risk: string;
  /** From docs/. */
  readonly file: string;
  readonly title: string;
}

const ROW = /^\| (?<risk>[^|]+) \| \[[\w-]+\]\((?<file>[^)]+)\): "(?<title>.+)" \|$/;

function checkList(): { readonly rows: readonly Row[]; readonly others: readonly string[] } {
  const text = readFileSync('docs/connect-proxy.md', 'utf8');
  const [, section = ''] = /^## Open proxy: the check list$(.*?)^## /ms.exec(text) ?? [];
  const [, , ...lines] = section.split('\n').filter((line) => line.startsWith('|'));
  const groups = lines.map((line) => ROW.exec(line)?.groups);
  return {
    rows: groups.filter((each) => each !== undefined).map((each) => ({ ...each }) as unknown as Row),
    others: lines.filter((_, n) => groups[n] === undefined),
  };
}

/** Titles of tests in a file, as they are written there. */
const titlesIn = (source: string): string[] =>
  [...source.matchAll(/(?:\btest|\))\(\s*(['"])((?:\\.|(?!\1).)+)\1,\s*async /g)].map(([, , title = '']) =>
    title.replaceAll("\\'", "'"),
  );

describe('the check list', () => {
  const { rows, others } = checkList();

  test('has nothing but rows with a test', () => {
    expect(others).toEqual([]);
    expect(rows.length).toBeGreaterThan(30);
  });

  test.each(rows)('$risk', ({ file, title }) => {
    const source = readFileSync(resolve('docs', file), 'utf8');
    expect(titlesIn(source)).toContain(title.replaceAll('\\"', '"'));
  });
});
