/** What a node says of itself at `PREFIX/nodes/ID`. Pure. */
import { keyName, type Parsed, readObject, textWithin } from './values.js';

export interface NodeRecord {
  readonly id: string;
  /** Where others reach it, `host:port`; empty: not said. */
  readonly address: string;
  readonly version: string;
  /** Sessions that it has. */
  readonly load: number;
  /** Tells processes with one id apart. */
  readonly instance: string;
  /** Unix time in milliseconds, by its own clock: to be shown, not to be compared. */
  readonly startedMs: number;
}

/** Names of nodes, services and their instances: one segment of a key. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

const TEXT_MAX = 256;

export const nodeKey = (prefix: string, id: string): string => `${prefix}/nodes/${id}`;

export function parseNode(prefix: string, key: string, value: Uint8Array): Parsed<{ node: NodeRecord }> {
  const id = key.slice(nodeKey(prefix, '').length);
  if (!key.startsWith(nodeKey(prefix, '')) || !NAME_PATTERN.test(id))
    return { fault: `${keyName(key)}: no key of a node, which is such as ${nodeKey(prefix, 'node-1')}` };
  const read = readObject(value);
  if ('fault' in read) return { fault: `node ${id}: ${read.fault}` };
  const { address, version, load, instance, startedMs } = read.object;
  return {
    node: {
      id,
      address: textWithin(address, TEXT_MAX) ?? '',
      version: textWithin(version, TEXT_MAX) ?? '',
      load: countIn(load),
      instance: textWithin(instance, TEXT_MAX) ?? '',
      startedMs: countIn(startedMs),
    },
  };
}

const countIn = (value: unknown): number =>
  Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : 0;
