/** Compiles TypeScript upon `npm ci` in a clone; an install without development packages has no compiler. */
import { existsSync } from 'node:fs';
import { run } from './lib/run.mjs';

if (existsSync('node_modules/typescript')) {
  process.exitCode = run('npm', ['run', '--silent', 'build:ts']);
} else if (!existsSync('dist/cli/main.js')) {
  // Not a failure: dist/ may be put there afterwards.
  console.error(
    'there is no dist/, and no TypeScript to build it with: `npm ci` without --omit=dev builds it',
  );
}
