/** `anyport version`: as `--version`. */
import type { Command } from 'commander';
import { version } from '../../base/version.js';

export function addVersion(program: Command): void {
  program
    .command('version')
    .description('print the version')
    .action(() => {
      process.stdout.write(`${version}\n`);
    });
}
