/** Test files run in parallel: no port may be given out twice. */
import { existsSync } from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';
import { alone } from '../../vitest.config.js';

const own = process.env.VITEST_POOL_ID;

afterEach(() => {
  process.env.VITEST_POOL_ID = own;
});

/** Ports given out in the nth parallel process. */
async function givenIn(pool: number, count: number): Promise<number[]> {
  vi.resetModules();
  process.env.VITEST_POOL_ID = `${pool}`;
  const { freePort } = await import('./ports.js');
  return Promise.all(Array.from({ length: count }, freePort));
}

test('no port is given twice, in whichever process', async () => {
  const given: number[] = [];
  for (let pool = 1; pool <= 16; pool += 1) given.push(...(await givenIn(pool, 40)));
  expect(new Set(given).size).toBe(given.length);
  expect(Math.min(...given)).toBeGreaterThanOrEqual(10_000);
  expect(Math.max(...given)).toBeLessThan(32_768);
});

test.each(alone)('%s, which runs alone, is there', (file) => expect(existsSync(file)).toBe(true));
