import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Top } from '../../src/base/top.js';

test('the items with the highest keys are kept, the highest first', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 10 }), (keys, size) => {
      const top = new Top<number>(size);
      for (const key of keys) top.offer(key, () => key);
      expect(top.items()).toEqual([...keys].sort((a, b) => b - a).slice(0, size));
    }),
  );
});

test('of many items few are made', () => {
  const top = new Top<number>(10);
  let made = 0;
  for (let key = 10_000; key > 0; key -= 1) top.offer(key, () => (made += 1));
  expect(top.items()).toHaveLength(10);
  expect(made).toBeLessThanOrEqual(20);
});
