/** The proxy for HTTP CONNECT and SOCKS: whom it serves, and where they may go. */
import type { UpstreamOptions } from './upstream-options.js';

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Destinations: by name or by network, one of which is null. */
export interface DestinationRule {
  /**
   * In lower case: a host name; `*.` and one, for all below it but not itself; or `*`, for every name and every public
   * address.
   */
  readonly name: string | null;
  /** Without host bits. */
  readonly network: string | null;
  readonly ports: 'any' | readonly PortRange[];
}

/** What Config and Plan have in common. */
export interface ConnectProxyPolicy {
  /** Empty: every public address on `ports`. */
  readonly allow: readonly DestinationRule[];
  /** Wins over `allow`. */
  readonly deny: readonly DestinationRule[];
  /** Of destinations where `allow` is empty. */
  readonly ports: readonly PortRange[];
  /** Networks, or `unix` for Unix sockets, whose clients are served; empty: all, who then are users. */
  readonly allowFrom: readonly string[];
  /** SOCKS 4a and 5, too. */
  readonly socks: boolean;
  /** UDP ASSOCIATE of SOCKS 5. */
  readonly udp: boolean;
  /** Users are named in the access log, and those with limits in metrics. */
  readonly logUsers: boolean;
  readonly resolveTimeoutMs: number;
}

export interface ConnectProxyConfig extends ConnectProxyPolicy {
  /** Names: one for each socket. */
  readonly listeners: readonly string[];
  /** Null: nobody is asked who he is. */
  readonly users: readonly ProxyUserConfig[] | null;
  /** Absolute; null: none. */
  readonly usersFile: string | null;
  /** Of its upstreams, but for the limits of users. */
  readonly options: UpstreamOptions;
}

export interface ProxyUserConfig extends ProxyUserLimits {
  readonly name: string;
  readonly hash: string;
}

export interface ProxyUserLimits {
  /** Sessions at once, all workers together; 0: no limit. */
  readonly maxConnections: number;
  /** Bytes a second, of all sessions together; 0: no limit. */
  readonly bandwidth: { readonly up: number; readonly down: number };
}

export interface PlanConnectProxy extends ConnectProxyPolicy {
  /** Index of the upstream of all sessions whose user has no limits. Those behind it are of users that have some. */
  readonly upstream: number;
  /** Null: nobody is asked who he is. */
  readonly users: readonly ProxyUser[] | null;
}

export interface ProxyUser {
  readonly name: string;
  /** PHC string: `$scrypt$ln=15,r=8,p=1$SALT$HASH`. */
  readonly hash: string;
  /** Index of the upstream of its sessions. */
  readonly upstream: number;
}

/** Why requests are refused; each is a row in `src/forward-proxy/refusals.ts`. */
export const refusalCauses = [
  'malformed',
  'address_type',
  'source',
  'destination',
  'command',
  'credentials',
  'slow',
  'guessing',
  'large',
  'version',
  'name',
  'connection',
  'network',
  'host',
  'busy',
  'lookup_timeout',
  'connect_timeout',
] as const;
export type RefusalCause = (typeof refusalCauses)[number];

/**
 * Name of the proxy's routes and upstream. The upstream's one endpoint has no addresses, those of sessions are their own; by
 * its id sessions are counted.
 */
export const CONNECT_PROXY = 'connect_proxy';
export const ANY_DESTINATION = '*';
