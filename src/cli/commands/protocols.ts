/** `anyport protocols`: lists the built-in protocols. */
import type { Command } from 'commander';
import type { Protocol } from '../../model/protocol.js';
import { protocols } from '../../protocols/index.js';
import { columns } from '../columns.js';

export function addProtocols(program: Command): void {
  program
    .command('protocols')
    .description('list the built-in protocols; of those that could match, the lower priority number wins')
    .action(() => {
      process.stdout.write(columns([HEADING, ...protocols.map(row)]));
    });
}

const HEADING = ['NAME', 'TRANSPORT', 'PRIORITY', 'REFINES', 'SIGNATURE', 'SOURCE'];

function row({ id, transports, rank, refines = '-', words, source }: Protocol): string[] {
  return [id, transports.join('+'), String(rank), refines, words, source];
}
