import { expect, test } from 'vitest';
import { columns } from '../../src/cli/columns.js';

test('columns are as wide as their longest cell, lines end with their text', () =>
  expect(
    columns([
      ['a', 'long cell', 'x'],
      ['bcd', 'e'],
    ]),
  ).toBe('a    long cell  x\nbcd  e\n'));

test('no rows, no text', () => expect(columns([])).toBe(''));
