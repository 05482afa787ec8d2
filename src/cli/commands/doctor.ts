/** `anyport doctor`: what a configuration needs beside what this machine has. */
import type { Command } from 'commander';
import { DEFAULT_FILE } from '../../config/default.js';
import type { DoctorOptions } from '../doctor.js';
import { givenFile } from '../given-file.js';

const NOTES = `
ok: it suffices.  short: something will fail.  note: it works, but slower or with a risk.  unknown: the machine does not say.
Limits and capabilities are those of this shell; a service has those of its unit: ask with --pid once it runs.
Status: 0 nothing is short, 1 something is, 2 the configuration is not valid.

Examples:
  anyport doctor -c anyport.yaml
  anyport doctor -c anyport.yaml --pid "$(pidof -s node)" --all`;

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('compare what a configuration needs with what this machine has; print what to change')
    .argument('[file]', `configuration (default: ${DEFAULT_FILE})`)
    .option('-c, --config <file>', 'the same')
    .option('--pid <pid>', 'with the limits, capabilities and control group of that process')
    .option('--all', 'also what adds up to open files and memory')
    .option('--json', 'answer as JSON')
    .addHelpText('after', NOTES)
    .action(doctor);
}

async function doctor(file: string | undefined, options: { config?: string } & DoctorOptions): Promise<void> {
  const { examineFile } = await import('../doctor.js');
  examineFile(givenFile('doctor', file, options.config), options);
}
