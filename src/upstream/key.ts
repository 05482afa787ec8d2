/** What a session is known by, for hashes and affinity: the table is the vocabulary of `hash_key` and `affinity`. */
import type { Doubtful, Facts } from '../model/facts.js';

/** Of a session. */
export interface Client {
  /** Address literal without a port; empty on a Unix socket. Made on demand. */
  readonly source: string;
  readonly facts: Facts;
  /** Facts that an endpoint may read otherwise. */
  readonly doubtful: Doubtful;
}

interface Key {
  readonly words: string;
  /** The fact that it is; null: the source. */
  readonly fact: string | null;
}

export const keys = {
  source: { words: "the client's address", fact: null },
  sni: { words: 'the server name of a TLS hello', fact: 'sni' },
  host: { words: 'the host of a request', fact: 'host' },
  client_id: { words: 'the client id of MQTT or Kafka', fact: 'client_id' },
} as const satisfies Record<string, Key>;

export type KeyName = keyof typeof keys;

export const hashKeyNames = ['source', 'sni', 'host', 'client_id'] as const satisfies readonly KeyName[];
export const affinityNames = ['off', 'source', 'sni', 'client_id'] as const satisfies readonly (
  | KeyName
  | 'off'
)[];

export const factOf = (key: KeyName): string | null => keys[key].fact;

/** A session without the fact is known by its source. */
export function keyOf(client: Client, fact: string | null): string {
  if (fact === null) return client.source;
  const value = client.facts[fact];
  return typeof value === 'string' && !client.doubtful.includes(fact) ? value : client.source;
}
