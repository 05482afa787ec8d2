/**
 * `npm test`: builds, sets up the machine, runs every test and ends with `N passed, N failed`. `--no-skips`
 * (continuous integration): a skipped test counts as failed. Other arguments name test files.
 */
import { readFileSync } from 'node:fs';
import { installCommand, provide } from './lib/machine.mjs';
import { run } from './lib/run.mjs';
import { runVitest, summarize } from './lib/vitest.mjs';

const filters = process.argv.slice(2).filter((argument) => argument !== '--no-skips');
const noSkips = process.argv.includes('--no-skips');

function main() {
  if (run('npm', ['run', '--silent', 'build']) !== 0) return summarize({ passed: 0, failed: 1 });
  const missing = provide(JSON.parse(readFileSync('test/support/tools.json', 'utf8')));
  const counts = runVitest(filters);
  tellLeftOut(counts.skipped, missing);
  return summarize(noSkips ? { ...counts, failed: counts.failed + counts.skipped.length } : counts);
}

function tellLeftOut(names, missing) {
  for (const name of names) console.log(`left out: ${name}`);
  if (missing.length > 0) console.log(`to bring them back, as root: ${installCommand(missing)}`);
}

process.exitCode = main();
