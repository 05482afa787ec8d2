import { expect, test } from 'vitest';

const many = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`key${n}`, n]));

test('differs', () => expect({ ...many, reason: 'idle_timeout' }).toMatchObject({ reason: 'done' }));
test('differs in much', () => {
  const other = Object.fromEntries(Object.keys(many).map((key) => [key, 0]));
  expect(many).toEqual(other);
});
test('comes late', () => expect.poll(() => 1, { timeout: 50 }).toBe(2));
