/** Programs that tests need. Where one is missing the test is skipped, and `npm test` names it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe } from 'vitest';

/** A program on the path, or whatever an absolute path names. */
const has = (tool: string): boolean =>
  (tool.startsWith('/') && existsSync(tool)) ||
  spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${tool}`], { stdio: 'ignore' }).status === 0;

/** `describe`, left out unless every program is there (test/support/tools.json names their packages). */
export const describeWith = (...tools: string[]) => describe.skipIf(!tools.every(has));

/** For tests that mount filesystems or create namespaces. */
export const describeAsRoot = describe.skipIf(process.getuid?.() !== 0);
