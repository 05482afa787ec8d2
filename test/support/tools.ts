/** Programs that tests need. Where one is missing the test is skipped, and `npm test` names it. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe } from 'vitest';

const packages: Record<string, string> = JSON.parse(
  readFileSync(new URL('./tools.json', import.meta.url), 'utf8'),
);

/** A program whose package nobody installs would leave its tests out everywhere. */
function listed(tool: string): string {
  if (packages[tool] === undefined) throw new Error(`test/support/tools.json names no package for ${tool}`);
  return tool;
}

/** A program on the path, or whatever an absolute path names. */
const has = (tool: string): boolean =>
  (tool.startsWith('/') && existsSync(tool)) ||
  spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${tool}`], { stdio: 'ignore' }).status === 0;

/** `describe`, left out unless every program is there (test/support/tools.json names their packages). */
export const describeWith = (...tools: string[]) => describe.skipIf(!tools.map(listed).every(has));

/** For tests that mount filesystems or create namespaces. */
export const describeAsRoot = describe.skipIf(process.getuid?.() !== 0);
