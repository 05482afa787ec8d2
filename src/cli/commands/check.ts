/** `anyport check`: every problem of a configuration, with its position; what it would change. */
import type { Command } from 'commander';
import { DEFAULT_FILE } from '../../config/default.js';
import type { CheckOptions } from '../check.js';
import { givenFile } from '../given-file.js';

const NOTES = `
Handlers and validators are looked for, and not loaded: a reload loads them before anything changes.

Examples:
  anyport check -c new.yaml                  every problem, with its place
  anyport check -c new.yaml --origins        file and line, container or key of each upstream, route, forward, endpoint
  anyport check -c new.yaml --diff           what it would change in the running daemon, and the live sessions of that
  anyport check -c new.yaml --diff old.yaml  what is different from a file`;

export function addCheck(program: Command): void {
  program
    .command('check')
    .description('check a configuration; every problem is printed with file:line:column and key path')
    .argument('[file]', `configuration (default: ${DEFAULT_FILE})`)
    .option('-c, --config <file>', 'the same')
    .option(
      '--origins',
      'say where each thing comes from: files, flags, and what containers, etcd and files of endpoints say now',
    )
    .option('--diff [file]', 'what is different from that file, or from the running daemon')
    .option(
      '--admin <address>',
      "with --diff: the daemon's control interface now (default: ANYPORT_ADMIN, that of the file)",
    )
    .option(
      '--token-file <file>',
      'with --diff: file with its token (default: ANYPORT_ADMIN_TOKEN, that of the file)',
    )
    .option('--token <token>', 'with --diff: the token itself: others may see it in `ps` for a moment')
    .option('--json', 'answer as JSON')
    .addHelpText('after', NOTES)
    .action(check);
}

async function check(
  file: string | undefined,
  { config, ...options }: { config?: string } & CheckOptions,
): Promise<void> {
  const { checkFile } = await import('../check.js');
  await checkFile(givenFile('check', file, config), options);
}
