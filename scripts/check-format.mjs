/** Checks the C++ files against .clang-format and lists each line that differs. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { installCommand, provide } from './lib/machine.mjs';
import { run } from './lib/run.mjs';

function sources(folder) {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && /\.(cc|h)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

function main() {
  const missing = provide({ 'clang-format': 'clang-format' });
  if (missing.length > 0) {
    console.error(`clang-format is missing: ${installCommand(missing)}`);
    return 1;
  }
  return run('clang-format', [
    '--dry-run',
    '--Werror',
    ...['native', 'test/native', 'bench'].flatMap(sources),
  ]);
}

process.exitCode = main();
