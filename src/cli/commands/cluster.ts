/** `anyport cluster`: who is registered in etcd, and with what. */
import type { Command } from 'commander';
import { DEFAULT_FILE } from '../../config/default.js';

export interface ClusterOptions {
  readonly config?: string;
  readonly json?: true;
}

export function addCluster(program: Command): void {
  program
    .command('cluster')
    .description('the nodes and services that are registered in etcd')
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
