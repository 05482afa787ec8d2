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

async function run(options: object): Promise<{ before: Held; halfway: Held; after: Held }> {
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

/** Growth of the heap by fragmentation: less than a twentieth of what one instance holds (arena, counters). */
const GROWTH_MIB_MAX = 8;

test.each([
  { why: 'on the calling thread', options: { lives: 100, workers: 0 } },
  { why: 'with threads', options: { lives: 15, workers: 2, handler } },
])('$why', async ({ options }) => {
  const { before, halfway, after } = await run(options);
  expect(after.files).toBe(before.files);
  expect(after.threads).toBeLessThanOrEqual(before.threads);
  expect(after.resources).toBeLessThanOrEqual(before.resources);
  expect(after.virtualMiB - before.virtualMiB).toBeLessThan(GROWTH_MIB_MAX * 8);
  expect(after.rssMiB - halfway.rssMiB).toBeLessThan(GROWTH_MIB_MAX);
});
