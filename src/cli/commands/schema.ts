/** `anyport schema`: JSON Schema of the configuration, for editors. */
import type { Command } from 'commander';
import { jsonSchema } from '../../config/schema/index.js';

export function addSchema(program: Command): void {
  program
    .command('schema')
    .description('print the JSON Schema of the configuration (for editors)')
    .action(() => {
      process.stdout.write(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
    });
}
