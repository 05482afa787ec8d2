/** Runs `anyport cluster`: etcd is asked once, by the configuration. To add a section, write its file and list it here. */
import { jsonLine, visible } from '../../base/text.js';
import { EtcdClient } from '../../cluster/etcd/client.js';
import type { DistributedConfig } from '../../model/distributed.js';
import { columns } from '../columns.js';
import type { ClusterOptions } from '../commands/cluster.js';
import { loadOrFail } from '../configuration.js';
import { BAD_USAGE, FAILED, Failure } from '../failure.js';
import { bans } from './bans.js';
import { configuration } from './configuration.js';
import { askHeard } from './heard.js';
import { nodes } from './nodes.js';
import { ask, type Section, type Shown } from './section.js';
import { services } from './services.js';
import { votes } from './votes.js';

const sections: readonly Section[] = [nodes, services, votes, bans, configuration];

/** For each question, all endpoints together. */
const CALL_MS = 5000;

export async function showCluster({ config: file, json }: ClusterOptions): Promise<void> {
  const { distributed } = (await loadOrFail(file, {})).config;
  if (distributed === null)
    throw new Failure(
      'the configuration is that of a node alone: `distributed` with `enable: true` says where etcd is',
      BAD_USAGE,
    );
  const shown = await askAll(distributed);
  process.stdout.write(json ? jsonLine(jsonOf(shown)) : shown.map(([, each]) => textOf(each)).join('\n'));
}

type Named = readonly [name: string, shown: Shown];

async function askAll(config: DistributedConfig): Promise<Named[]> {
  const { endpoints, tls, user } = config;
  const client = new EtcdClient({ endpoints, callMs: CALL_MS, ...(tls && { tls }), ...(user && { user }) });
  try {
    const heard = await askHeard(client, config);
    const all = await Promise.all(
      sections.map(async (section) => [section.name, await ask(section, client, config, heard)] as const),
    );
    return all.filter((each): each is Named => each[1] !== null);
  } catch (error) {
    throw new Failure(`etcd can not be asked: ${(error as Error).message}`, FAILED);
  } finally {
    client.close();
  }
}

/** What is left out of all sections is one list. */
const jsonOf = (shown: readonly Named[]): object => ({
  ...Object.fromEntries(shown.map(([name, { json }]) => [name, json])),
  left_out: shown.flatMap(([, { leftOut }]) => leftOut),
});

function textOf({ table, none, leftOut }: Shown): string {
  const body = table.length > 1 ? columns(table) : `${none}\n`;
  return body + leftOut.map((line) => `left out: ${visible(line)}\n`).join('');
}
