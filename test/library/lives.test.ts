/** A hundred instances, one after the other: what each held is given back, and the process ends by itself. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { cleanEnvironment, runProgram } from '../support/process.js';
import { tempFolder } from '../support/temp.js';

interface Held {
  readonly files: number;
  readonly threads: number;
  readonly rssMiB: number;
  readonly virtualMiB: number;
  readonly resources: number;
}

const program = fileURLToPath(new URL('./lives.mjs', import.meta.url));

/** With heaps that do not swing: by default V8 and the allocator take tens of MiB at once, and give them back later. */
async function run(options: object): Promise<readonly Held[]> {
  const { status, stdout, stderr } = await runProgram(
    process.execPath,
    ['--expose-gc', '--max-semi-space-size=1', program, JSON.stringify(options)],
    { env: { ...cleanEnvironment(), MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072' } },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout);
}

const folder = tempFolder();
const handler = join(folder.path, 'handler.mjs');
writeFileSync(handler, "export default (socket) => void socket.end('SSH-2.0-x');");

/** Of the heap in half of the lives, by fragmentation: far less than what one instance holds (arena, counters). */
const GROWTH_MIB_MAX = 8;

/** What is kept stays for good; what is only late is given back at some look. */
function growth(looks: readonly Held[], key: 'rssMiB' | 'virtualMiB'): number {
  const half = looks.length / 2;
  const least = (some: readonly Held[]) => Math.min(...some.map((look) => look[key]));
  return least(looks.slice(half)) - least(looks.slice(0, half));
}

test.each([
  { why: 'on the calling thread', options: { lives: 100, workers: 0 } },
  { why: 'with threads', options: { lives: 15, workers: 2, handler } },
])('$why', async ({ options }) => {
  const looks = await run(options);
  const [before, after] = [looks[0], looks.at(-1)] as [Held, Held];
  expect(after.files).toBe(before.files);
  expect(after.threads).toBeLessThanOrEqual(before.threads);
  expect(after.resources).toBeLessThanOrEqual(before.resources);
  expect(growth(looks, 'virtualMiB')).toBeLessThan(GROWTH_MIB_MAX * 2);
  expect(growth(looks, 'rssMiB')).toBeLessThan(GROWTH_MIB_MAX);
});
