import { expect, test } from 'vitest';
import { compileClassifier } from '../../src/protocols/compile.js';

const entry = (pattern: string) => ({ id: 'x', signature: { patterns: [pattern] } });

test('a signature that is known is not compiled again', () => {
  const [first] = compileClassifier([entry('^abc')], 1).automata;
  const [other, again] = compileClassifier([entry('^abd'), entry('^abc')], 1).automata;
  expect(again).toBe(first);
  expect(other).not.toBe(first);
});

test('the order of the entries is the order of the automata', () => {
  const ab = compileClassifier([entry('^a'), entry('^b')], 1);
  const ba = compileClassifier([entry('^b'), entry('^a')], 2);
  expect(ab.automata).toEqual(ba.automata.toReversed());
  expect([ab.routable, ba.routable]).toEqual([1, 2]);
});

test('a signature that was not checked is a broken invariant', () => {
  expect(() => compileClassifier([entry('abc')], 1)).toThrow(
    /x: pattern "abc": every alternative must begin/,
  );
});
