/** What `createAnyport` returns. */
import type { EventEmitter } from 'node:events';
import type { Ban } from '../model/ban.js';
import type { Snapshot } from '../model/snapshot.js';
import type { AnyportEvents } from './events.js';
import type { AnyportOptions, Duration, ListenAddress, ProtocolDefinition } from './options.js';

/** An address that is listened on. */
export interface Listening {
  /** The listener's name in routes, events and metrics. */
  readonly name: string;
  /** `127.0.0.1:9090`, `[::]:9090`, `unix:/run/a.sock`: with the port that the system chose for port 0. */
  readonly address: string;
  /** Null for a Unix socket. */
  readonly port: number | null;
  readonly transport: 'tcp' | 'udp' | 'tcp+udp' | 'kcp';
}

export interface CloseOptions {
  /** How long sessions may finish; 0 ends them at once. Default: `gracefulShutdownTimeout`. */
  readonly drain?: Duration;
}

export interface BanOptions {
  /** How long, 1 s to 30 days. Default: ten minutes. */
  readonly for?: Duration;
  /** For whoever reads the list. */
  readonly reason?: string;
}

/** What may change of a protocol: all but its name. `undefined` takes a key away; `target` replaces `handler`, and the other way round. */
export type ProtocolChanges = {
  readonly [Key in Exclude<keyof ProtocolDefinition, 'name'>]?: ProtocolDefinition[Key] | undefined;
};

/**
 * A port that tells protocols apart. Before the first `listen` changes are only collected; afterwards each is whole or
 * not at all, and its promise resolves when it is in force everywhere. A promise that is rejected with nobody awaiting
 * it goes to the event `error`. All rejections are `AnyportError`s.
 */
export interface Anyport extends EventEmitter<AnyportEvents>, AsyncDisposable {
  /** Adds a protocol. Sessions that are open already are not asked again. */
  addProtocol(protocol: ProtocolDefinition): Promise<void>;
  /** Changes a protocol, found by its name in any letter case. */
  updateProtocol(name: string, changes: ProtocolChanges): Promise<void>;
  /** New sessions do not find it any more; open ones go on. */
  removeProtocol(name: string): Promise<void>;
  /**
   * Replaces the whole configuration. Where it says neither `listen` nor `listeners`, the addresses of now stay.
   * `config` with some keys replaced is a good argument.
   */
  updateConfig(config: AnyportOptions): Promise<void>;
  /**
   * Listens, on these addresses too if it listens already. Without an argument: on those of the options, or `:9090`.
   * Resolves with the addresses that came with this call once every worker accepts on them.
   */
  listen(addresses?: ListenAddress | readonly ListenAddress[]): Promise<readonly Listening[]>;
  /** Where it listens now. */
  readonly addresses: readonly Listening[];
  /** The first of `addresses`; null before `listen` and after `close`. */
  readonly address: Listening | null;
  /** The configuration in force, or collected so far. */
  readonly config: AnyportOptions;
  /** Counters and gauges of this moment; after `close` those of its end. */
  metrics(): Snapshot;
  /** Sources that are banned now, by the guard or by `ban`: the oldest first, at most 10,000. */
  bans(): readonly Ban[];
  /**
   * Refuses an address for a time, default ten minutes, before a byte is read; of an IPv6 address its /64. Sessions that it
   * has go on. Throws an AnyportError: `invalid_config` when it is no address or no time, `refused` when it is in
   * `ipWhitelist` or too many are banned, `not_listening` before `listen`.
   */
  ban(address: string, options?: BanOptions): Ban;
  /** False: it was not banned. Throws an AnyportError, `invalid_config`, when it is no address. */
  liftBan(address: string): boolean;
  /** The Prometheus text that `/metrics` would have. */
  metricsText(): Promise<string>;
  /**
   * Stops accepting, lets sessions finish, ends those that are left, and gives back every descriptor and thread.
   * Resolves with whether every session ended by itself. A second call is the same close, or with `drain: 0` its end.
   * `await using` closes with `drain: 0`.
   */
  close(options?: CloseOptions): Promise<boolean>;
}
