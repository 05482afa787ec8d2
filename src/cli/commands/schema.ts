/** `anyport schema`: JSON Schema of the configuration, for editors. */
import type { Command } from 'commander';

export function addSchema(program: Command): void {
  program
    .command('schema')
    .description('print the JSON Schema of the configuration (for editors)')
    .action(async () => {
      const { jsonSchema } = await import('../../config/schema/index.js');
      process.stdout.write(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
    });
}
