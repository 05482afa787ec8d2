import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { columns } from '../../src/cli/columns.js';

test('columns are as wide as their longest cell, lines end with their text', () =>
  expect(
    columns([
      ['a', 'long cell', 'x'],
      ['bcd', 'e'],
    ]),
  ).toBe('a    long cell  x\nbcd  e\n'));

test('no rows, no text', () => expect(columns([])).toBe(''));

describe('in a terminal that is narrower', () => {
  const heading = ['NAME', 'WHY'];
  const words = 'a reason that has more words than there is room';

  test('the last column is broken at spaces, below itself', () =>
    expect(columns([heading, ['web', words]], 32)).toBe(
      'NAME  WHY\nweb   a reason that has more\n      words than there is room\n',
    ));

  test('columns without room follow in lines of their own, in line with each other', () =>
    expect(
      columns(
        [
          [...heading, 'PLACE', 'AT'],
          ['web', 'one reason that is there', '/etc/a.yaml:1', '5'],
          ['db', '-', '-', '12'],
        ],
        40,
      ),
    ).toBe(
      `NAME  WHY
    PLACE          AT
web   one reason that is there
    /etc/a.yaml:1  5
db    -
    -              12
`,
    ));

  test('a word is never cut, and a line that would be empty is left out', () => {
    const path = `/etc/${'x'.repeat(60)}`;
    expect(columns([['file', `in ${path} it is`, '']], 32)).toBe(`file  in\n      ${path}\n      it is\n`);
  });
});

test('however narrow it is, every word is there once', () => {
  const table = fc.array(fc.array(fc.stringMatching(/^[a-z ]{0,40}$/), { maxLength: 6 }), { maxLength: 5 });
  const wordsIn = (text: string) =>
    text
      .split(/\s+/)
      .filter((word) => word !== '')
      .sort();
  fc.assert(
    fc.property(table, fc.integer({ min: 1, max: 90 }), (rows, width) => {
      expect(wordsIn(columns(rows, width))).toEqual(wordsIn(rows.flat().join(' ')));
    }),
  );
});
