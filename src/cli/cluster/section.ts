/** What a part of `anyport cluster` is: one question to etcd, and how its answer is shown. Each is one file and one line in the index. */
import type { EtcdClient } from '../../cluster/etcd/client.js';
import type { KeyValue } from '../../cluster/etcd/wire.js';
import type { DistributedConfig } from '../../model/distributed.js';
import type { Heard } from './heard.js';

export interface Section {
  /** Key of the answer as JSON. */
  readonly name: string;
  /** What its keys begin with; null: it is not in use. */
  prefixOf(config: DistributedConfig): string | null;
  show(items: readonly KeyValue[], config: DistributedConfig, heard: Heard): Shown;
}

export interface Shown {
  readonly json: unknown;
  /** Rows of a table, its heading first. */
  readonly table: readonly (readonly string[])[];
  /** Instead of a table without rows. */
  readonly none: string;
  /** Keys that can not be used, and why. */
  readonly leftOut: readonly string[];
}

/** Keys of one section that are looked at. */
export const SECTION_KEYS_MAX = 10_000;

export async function ask(
  section: Section,
  client: EtcdClient,
  config: DistributedConfig,
  heard: Heard,
): Promise<Shown | null> {
  const prefix = section.prefixOf(config);
  if (prefix === null) return null;
  const { items, more } = await client.list(prefix, SECTION_KEYS_MAX);
  const shown = section.show(items, config, heard);
  const rest = `${prefix}: more than ${SECTION_KEYS_MAX} keys`;
  return more ? { ...shown, leftOut: [...shown.leftOut, rest] } : shown;
}
