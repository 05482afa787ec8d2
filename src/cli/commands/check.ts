/** `anyport check`: every problem of a configuration, with its place. */
import type { Command } from 'commander';
import { DEFAULT_FILE } from '../../config/load.js';
import { loadOrFail, summary } from '../configuration.js';

export function addCheck(program: Command): void {
  program
    .command('check')
    .description('check a configuration; every problem is printed with file:line:column and key path')
    .option('-c, --config <file>', `configuration (default: ${DEFAULT_FILE}, if there is one)`)
    .action(({ config }: { config?: string }) => {
      process.stdout.write(summary(loadOrFail(config, {})));
    });
}
