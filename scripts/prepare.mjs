/** `npm ci` in a clone compiles the TypeScript; an install without development packages has nothing to compile with. */
import { existsSync } from 'node:fs';
import { run } from './lib/run.mjs';

if (existsSync('node_modules/typescript')) {
  process.exitCode = run('npm', ['run', '--silent', 'build:ts']);
}
