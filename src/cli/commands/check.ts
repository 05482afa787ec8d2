/** `anyport check`: every problem of a configuration, with its position. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { DEFAULT_FILE } from '../../config/default.js';
import { loadOrFail, summary } from '../configuration.js';
import { BAD_USAGE, Failure } from '../failure.js';

export function addCheck(program: Command): void {
  program
    .command('check')
    .description('check a configuration; every problem is printed with file:line:column and key path')
    .argument('[file]', `configuration (default: ${DEFAULT_FILE})`)
    .option('-c, --config <file>', 'the same')
    .action(check);
}

async function check(file: string | undefined, { config }: { config?: string }): Promise<void> {
  if (file !== undefined && config !== undefined) {
    throw new Failure(`two files are given, ${file} and ${config}: check one at a time`, BAD_USAGE);
  }
  const given = file ?? config;
  // Without a file the demonstration runs, which is not worth checking.
  if (given === undefined && !existsSync(DEFAULT_FILE)) {
    throw new Failure(
      `there is no ${DEFAULT_FILE} here: name a file, as in \`anyport check FILE\``,
      BAD_USAGE,
    );
  }
  process.stdout.write(summary(await loadOrFail(given, {})));
}
