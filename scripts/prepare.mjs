/** `npm ci` in a clone compiles the TypeScript; an install without development packages has nothing to compile with. */
import { existsSync } from 'node:fs';
import { run } from './lib/run.mjs';

if (existsSync('node_modules/typescript')) {
  process.exitCode = run('npm', ['run', '--silent', 'build:ts']);
} else if (!existsSync('dist/cli/main.js')) {
  console.error(
    'dist/ is missing and there is no TypeScript to build it with: run `npm ci`, then leave out what',
  );
  console.error(
    'only development needs (`npm prune --omit=dev`), or install what `npm pack` makes elsewhere',
  );
  process.exitCode = 1;
}
