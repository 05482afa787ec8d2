/** `anyport explain`: the route that bytes would take, and why each other one does not apply. */
import type { Command } from 'commander';
import { DEFAULT_FILE } from '../../config/default.js';
import type { ExplainOptions } from '../explain/file.js';

export function addExplain(program: Command): void {
  program
    .command('explain')
    .description('say which route bytes would take, and why every other one lost')
    .argument('[file]', 'the first bytes of a session; - is standard input', '-')
    .option('-c, --config <file>', `configuration (default: ${DEFAULT_FILE}, if there is one)`)
    .option('--listener <name>', 'where the bytes arrive (may be left out when there is one listener)')
    .option('--from <ip>', "the client's address")
    .option('--at <time>', 'when they arrive, such as 2027-01-31T08:30Z (default: now)')
    .option('--hex', 'the input is hexadecimal text')
    .option('--udp', 'the input is one datagram (implied where the listener takes nothing else)')
    .option('--json', 'answer as JSON, with every protocol')
    .action(explain);
}

async function explain(file: string, options: ExplainOptions): Promise<void> {
  const { explainFile } = await import('../explain/file.js');
  await explainFile(file, options);
}
