/** `anyport cluster`: what etcd has of the cluster. */
import type { Command } from 'commander';
import { DEFAULT_FILE } from '../../config/default.js';

export interface ClusterOptions {
  readonly config?: string;
  readonly json?: true;
}

export function addCluster(program: Command): void {
  program
    .command('cluster')
    .description('nodes, services, health votes, bans and fragments, as etcd has them')
    .option(
      '-c, --config <file>',
      `configuration whose \`distributed\` says where etcd is (default: ${DEFAULT_FILE}, if there is one)`,
    )
    .option('--json', 'answer as JSON')
    .action(async (options: ClusterOptions) => {
      const { showCluster } = await import('../cluster/index.js');
      await showCluster(options);
    });
}
