/** A promise knows whether anybody waits for it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Watched } from '../../src/library/watched.js';

function rejected() {
  const heard: unknown[] = [];
  const watched = Watched.of(Promise.reject(new Error('no')), (error) => heard.push(error));
  return { watched, heard };
}

const waiting: { why: string; wait: (promise: Promise<unknown>) => unknown }[] = [
  { why: 'await', wait: async (promise) => await promise },
  {
    why: 'then',
    wait: (promise) =>
      promise.then(
        () => {},
        () => {},
      ),
  },
  { why: 'catch', wait: (promise) => promise.catch(() => {}) },
  { why: 'finally', wait: (promise) => promise.finally(() => {}) },
  { why: 'Promise.all', wait: (promise) => Promise.all([promise]) },
  { why: 'Promise.allSettled', wait: (promise) => Promise.allSettled([promise]) },
  { why: 'a later turn of the same loop', wait: (promise) => Promise.resolve().then(() => promise) },
];
test.each(waiting)('heard by $why', async ({ wait }) => {
  const { watched, heard } = rejected();
  await Promise.resolve(wait(watched)).catch(() => {});
  await sleep(20);
  expect(heard).toEqual([]);
});

test('unheard: told once', async () => {
  const { heard } = rejected();
  await sleep(20);
  expect(heard).toMatchObject([{ message: 'no' }]);
});

test('it is a promise of its value', async () => {
  const watched = Watched.of(Promise.resolve(5), () => {});
  expect(watched).toBeInstanceOf(Promise);
  expect(await watched).toBe(5);
  expect(watched.then((value) => value + 1)).not.toBeInstanceOf(Watched);
});
