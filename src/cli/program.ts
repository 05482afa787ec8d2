/** The command line: dispatches to the command; failures become one line and an exit status. */
import { Command, CommanderError, Option } from 'commander';
import { visible } from '../base/text.js';
import { version } from '../base/version.js';
import { commands } from './commands/index.js';
import { BAD_USAGE, FAILED, Failure } from './failure.js';
import { whyNotLoaded } from './load-failure.js';

function createProgram(): Command {
  const program = new Command('anyport')
    .description('One port, any protocol: says from the first bytes what a client speaks and relays it.')
    .version(version, '-v, --version')
    .addOption(new Option('-V').hideHelp())
    .on('option:V', () => {
      process.stdout.write(`${version}\n`);
      throw new CommanderError(0, 'commander.version', version);
    })
    .exitOverride();
  for (const add of commands) add(program);
  pointAtHelp(program, 'anyport');
  return program;
}

/** After an error of usage, names the help of the very command. */
function pointAtHelp(command: Command, path: string): void {
  command.showHelpAfterError(`(${path} --help lists what there is)`);
  for (const child of command.commands) pointAtHelp(child, `${path} ${child.name()}`);
}

/** Names of files and what a daemon answers are not ours. */
const visibleLines = (text: string): string => text.split('\n').map(visible).join('\n');

/** Commander's refusals are bad usage; printing help or the version is not an error. */
function statusOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : BAD_USAGE;
  if (error instanceof Failure) {
    process.stderr.write(`anyport: ${visibleLines(error.message)}\n`);
    return error.status;
  }
  process.stderr.write(`anyport: ${visibleLines(whyNotLoaded(error))}\n`);
  return FAILED;
}

// `anyport protocols | head -1` closes the pipe early: exit without an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : FAILED);
});

try {
  await createProgram().parseAsync();
} catch (error) {
  process.exitCode = statusOf(error);
}
