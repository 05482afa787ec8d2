/** The nodes that are registered now, by a mirror of their keys; in an outage those that were last. */
import type { Held } from './etcd/held.js';
import { type NodeRecord, nodeKey, parseNode } from './nodes.js';

export interface LiveNodes {
  /** In the order of their ids. */
  readonly all: readonly NodeRecord[];
  /** Returns a function that ends it. */
  onChange(listener: () => void): () => void;
}

export class ReadNodes implements LiveNodes {
  readonly #prefix: string;
  readonly #listeners = new Set<() => void>();
  all: readonly NodeRecord[] = [];

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  take({ items }: Held): void {
    this.all = readNodes(this.#prefix, items.values());
    for (const listener of this.#listeners) listener();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export const nodesPrefix = (prefix: string): string => nodeKey(prefix, '');

/** What is no node is left out. */
function readNodes(
  prefix: string,
  items: Iterable<{ readonly key: string; readonly value: Uint8Array }>,
): NodeRecord[] {
  const parsed = [...items].map(({ key, value }) => parseNode(prefix, key, value));
  const nodes = parsed.flatMap((each) => ('node' in each ? [each.node] : []));
  return nodes.toSorted((one, other) => (one.id < other.id ? -1 : 1));
}
