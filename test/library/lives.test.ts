/** A hundred instances, one after the other: what each held is given back, and the process ends by itself. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runProgram } from '../support/process.js';
import { tempFolder } from '../support/temp.js';

interface Held {
  readonly files: number;
  readonly threads: number;
  readonly rssMiB: number;
  readonly virtualMiB: number;
  readonly resources: number;
}

const program = fileURLToPath(new URL('./lives.mjs', import.meta.url));

async function run(options: object): Promise<readonly Held[]> {
  const { status, stdout, stderr } = await runProgram(process.execPath, [
    '--expose-gc',
    program,
    JSON.stringify(options),
  ]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout);
}

const folder = tempFolder();
const handler = join(folder.path, 'handler.mjs');
writeFileSync(handler, "export default (socket) => void socket.end('SSH-2.0-x');");

/** Of the heap in a fifth of the lives, by fragmentation: far less than what one instance holds (arena, counters). */
const GROWTH_MIB_MAX = 4;

/** What is kept grows in each part; the allocator gives back tens of MiB at once, or takes them, in one or two. */
function medianGrowth(looks: readonly Held[], key: 'rssMiB' | 'virtualMiB'): number {
  const growth = looks.slice(1).map((look, index) => look[key] - (looks[index] as Held)[key]);
  return growth.toSorted((one, two) => one - two)[Math.floor(growth.length / 2)] as number;
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
  expect(medianGrowth(looks, 'virtualMiB')).toBeLessThan(GROWTH_MIB_MAX * 2);
  expect(medianGrowth(looks, 'rssMiB')).toBeLessThan(GROWTH_MIB_MAX);
});
