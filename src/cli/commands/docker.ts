/** `anyport docker`: what the labels of the containers that run would make, and which label is wrong. */
import type { Command } from 'commander';
import { DEFAULT_FILE } from '../../config/default.js';

export interface DockerOptions {
  readonly config?: string;
  readonly socket?: string;
  readonly json?: true;
}

export function addDocker(program: Command): void {
  program
    .command('docker')
    .description('what the labels of the containers that run would make, and which label is wrong')
    .option(
      '-c, --config <file>',
      `configuration beside which they are looked at (default: ${DEFAULT_FILE}, if there is one)`,
    )
    .option('--socket <place>', 'the Engine API, instead of `docker.socket`: a path, or tcp://host:port')
    .option('--json', 'answer as JSON')
    .action(async (options: DockerOptions) => {
      const { showContainers } = await import('../docker.js');
      await showContainers(options);
    });
}
