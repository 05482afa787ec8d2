/** Connections over KCP come and go by the hundred: what each held, at either end, is given back. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { cleanEnvironment, runProgram } from '../support/process.js';

const CONNECTIONS = 200;
const ROUNDS = 12;
/** What an idle link holds, at one of its ends alone. */
const LINK_BYTES = 5700;

const program = fileURLToPath(new URL('./kcp-lives.mjs', import.meta.url));

test(`${CONNECTIONS} at once, ${ROUNDS} times`, async () => {
  const options = JSON.stringify({ rounds: ROUNDS, connections: CONNECTIONS });
  // With heaps that do not swing, as in lives.test.ts.
  const { status, stdout, stderr } = await runProgram(
    process.execPath,
    ['--expose-gc', '--max-semi-space-size=1', program, options],
    { env: { ...cleanEnvironment(), MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072' } },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const held: number[] = JSON.parse(stdout);
  const third = ROUNDS / 3;
  const growth = Math.min(...held.slice(2 * third)) - Math.min(...held.slice(third, 2 * third));
  expect(growth).toBeLessThan((CONNECTIONS * third * LINK_BYTES) / 2);
});
