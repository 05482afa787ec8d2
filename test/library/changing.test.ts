/** Hundreds of changes while it runs: what was replaced is given back, but for what a session still needs. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runProgram } from '../support/process.js';

const program = fileURLToPath(new URL('./changing.mjs', import.meta.url));

/** Longer than a replaced Plan is kept without a session. */
const REST_MS = 11_000;

async function bytesPerChange(options: object): Promise<number> {
  // Optimized code would count too.
  const args = [
    '--expose-gc',
    '--no-opt',
    '--no-sparkplug',
    program,
    JSON.stringify({ ...options, restMs: REST_MS }),
  ];
  const { status, stdout, stderr } = await runProgram(process.execPath, args);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout).bytesPerChange;
}

// Both spend most of their time waiting.
test.concurrent('a change leaves nothing behind', async () => {
  // Measured: 55; 711 where each change left reactions to a promise that stayed pending.
  expect(await bytesPerChange({ first: 100, changes: 300, stays: false })).toBeLessThan(350);
});

test.concurrent('a session keeps of a replaced Plan what it may still need', async () => {
  // Both ends of the session are in this process. Measured: 28,500; 39,000 with conditions, protocols and the engine's tables.
  expect(await bytesPerChange({ first: 60, changes: 150, stays: true })).toBeLessThan(34_000);
});
