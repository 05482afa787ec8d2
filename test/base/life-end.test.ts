import { expect, test } from 'vitest';
import { LifeEnd } from '../../src/base/life-end.js';

const never = new Promise(() => {});

test('a wait ends with its work, as it does', async () => {
  const end = new LifeEnd();
  await end.before(Promise.resolve());
  await expect(end.before(Promise.reject(new Error('no')))).rejects.toThrow('no');
});

test('the end ends all waits, and those that begin after it', async () => {
  const end = new LifeEnd();
  const waits = [end.before(never), end.before(never)];
  end.come();
  await Promise.all(waits);
  await end.before(never);
});
