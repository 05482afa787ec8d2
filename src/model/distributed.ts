/** This node among others, and the etcd that they share. */
import type { ClientTls } from './client-tls.js';

export interface DistributedConfig {
  readonly nodeId: string;
  /** `http://host:port` or `https://host:port`. */
  readonly endpoints: readonly string[];
  /** Seconds that what a node says of itself outlives it. */
  readonly ttlS: number;
  /** Time between two lists of what a watch keeps current. */
  readonly refreshMs: number;
  /** Begins with `/` and does not end with it. */
  readonly prefix: string;
  /** Where other nodes reach this one, `host:port`; null: not said. */
  readonly advertise: string | null;
  readonly tls: ClientTls | null;
  readonly user: { readonly name: string; readonly password: string } | null;
  /** Absolute path; null: no state is kept. */
  readonly stateFile: string | null;
  readonly allowLoopback: boolean;
  /** Verdicts about endpoints are published, and those of other nodes count. */
  readonly sharesHealth: boolean;
  /** What signs bans that nodes share; null: none are shared. */
  readonly clusterKey: string | null;
  /** Limits per source are for all nodes together: each has its part. */
  readonly dividesLimits: boolean;
  /** Whether `service:NAME` is looked up there. */
  readonly discovers: boolean;
  /** Prefix of the fragments of a configuration; null: none are read. */
  readonly watchPrefix: string | null;
}
