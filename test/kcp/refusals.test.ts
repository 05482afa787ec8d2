/** Lines about hellos that are refused. */
import { expect, test } from 'vitest';
import { Refusals, refusalLimits } from '../../src/kcp/refusals.js';

const { silenceMs, sourcesMax } = refusalLimits;

test('one line a source until it is due again', () => {
  const refusals = new Refusals();
  expect(refusals.isNews('192.0.2.1', 0)).toBe(true);
  expect(refusals.isNews('192.0.2.1', silenceMs - 1)).toBe(false);
  expect(refusals.isNews('192.0.2.2', 1)).toBe(true);
  expect(refusals.isNews('192.0.2.1', silenceMs)).toBe(true);
  expect(refusals.isNews('192.0.2.1', silenceMs + 1)).toBe(false);
});

test('a flood of sources makes a bounded number of lines', () => {
  const refusals = new Refusals();
  const told = Array.from({ length: sourcesMax * 3 }, (_, index) =>
    refusals.isNews(`source ${index}`, index),
  );
  expect(told.filter(Boolean)).toHaveLength(sourcesMax);
  expect(refusals.isNews('one more', silenceMs + 1)).toBe(true);
});
