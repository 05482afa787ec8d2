import { test } from 'vitest';

test('leaves a promise', async () => {
  void Promise.reject(new Error('nobody waited for it'));
  await new Promise((done) => setTimeout(done, 20));
});
