/**
 * A validated configuration: defaults filled in, units converted (milliseconds, bytes), names checked. The file's form
 * is defined in src/config/schema; workers run the Plan compiled from this.
 */

import type { ClientTls } from './client-tls.js';
import type { ConnectProxyConfig } from './connect-proxy.js';
import type { DistributedConfig } from './distributed.js';
import type { KcpProfile } from './kcp.js';
import type { Origins } from './origins.js';
import type { Conditions } from './plan.js';
import type { Signature, Transport } from './protocol.js';
import type { AddressText, Closing } from './session.js';
import type { ListenerTransport } from './transports.js';
import type { UpstreamOptions } from './upstream-options.js';
import type { Via } from './via.js';

/** Plain data in the file's shape (snake_case), after includes, `${…}` and flags; not validated. */
export type Document = Readonly<Record<string, unknown>>;

export interface Config {
  readonly server: ServerConfig;
  readonly listeners: readonly ListenerConfig[];
  /** In rank order: by priority, then specificity, then file order. */
  readonly protocols: readonly ProtocolConfig[];
  readonly routes: readonly RouteConfig[];
  readonly upstreams: readonly UpstreamConfig[];
  readonly kcp: readonly KcpProfile[];
  /** Null: there is no proxy for CONNECT and SOCKS. */
  readonly connectProxy: ConnectProxyConfig | null;
  /** Null: containers are not looked at. */
  readonly docker: DockerConfig | null;
  readonly security: SecurityConfig;
  /** Null: this node is alone. */
  readonly distributed: DistributedConfig | null;
  readonly monitoring: MonitoringConfig;
  /** Null: no control interface. */
  readonly admin: AdminConfig | null;
  readonly logging: LoggingConfig;
  readonly origins: Origins;
  /** Texts of modules by URL, from when they were accepted (src/primary/modules.ts). */
  readonly modules?: ModuleTexts;
}

/** URL of a handler or validator → its text. */
export type ModuleTexts = Readonly<Record<string, string>>;

export interface ServerConfig {
  /** `auto` is resolved to a number. */
  readonly workers: number;
  readonly accept: 'reuseport' | 'handoff';
  readonly maxConnections: number;
  readonly maxConnectionsPerSource: number;
  readonly maxIdentifying: number;
  readonly tarpitMax: number;
  readonly tarpitHoldMs: number;
  readonly longOpeningsPerSource: number;
  readonly bufferBytes: number;
  readonly identifyTimeoutMs: number;
  readonly identifyMinBytes: number;
  readonly identifyMaxBytes: number;
  readonly dialTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly halfCloseTimeoutMs: number;
  readonly udp: UdpConfig;
  readonly cacheTtlMs: number;
  /** From "not ready" to the end of accepting, at a drain. */
  readonly drainDelayMs: number;
  readonly gracefulShutdownTimeoutMs: number;
  readonly upgradeTimeoutMs: number;
  /** Read the files again when they change. */
  readonly reloadOnChange: boolean;
  /** Whom the daemon becomes when it is started as root; null: it stays who it is. */
  readonly identity: Identity | null;
}

/** Flows: sessions over datagrams. */
export interface UdpConfig {
  readonly idleTimeoutMs: number;
  /** At once, all workers together. */
  readonly maxFlows: number;
  /** Of one source; 0: no limit. */
  readonly maxFlowsPerSource: number;
  /** Of each listening socket. */
  readonly receiveBufferBytes: number;
}

export interface Identity {
  readonly user: User;
  readonly group: Group;
}

export interface User {
  /** As written: a name or a number. */
  readonly name: string;
  /** Whose supplementary groups it has; null: a number that no account has. */
  readonly account: string | null;
  readonly uid: number;
  /** Primary group of the account. */
  readonly gid: number | null;
}

export interface Group {
  /** As written; empty: the primary group of the user. */
  readonly name: string;
  readonly gid: number;
}

export interface ListenerConfig {
  readonly name: string;
  /** One address each: `server.listen` with several addresses or a port range becomes several listeners. */
  readonly address: ListenAddress;
  readonly transport: ListenerTransport;
  /** Name of the profile of the links that come there; null: none do. */
  readonly kcp: string | null;
  /** Names of configured protocols accepted here by any of its transports, in rank order. */
  readonly protocols: readonly string[];
  readonly onUnknown: TargetConfig;
  readonly onSilence: { readonly afterMs: number; readonly to: TargetConfig } | null;
  /** Nothing is identified, and no route is asked; null: it is no forward. */
  readonly forward: ForwardConfig | null;
  /** Networks, or `unix`, whose clients must send a PROXY header first; null: none. */
  readonly proxyProtocol: { readonly trusted: readonly string[] } | null;
  /** Sessions at once; 0: no limit. */
  readonly maxConnections: number;
  /** Besides those for every listener. */
  readonly lists: ListsConfig;
}

export interface ForwardConfig {
  /** Key path in the file: `forwards[2]`. */
  readonly at: string;
  readonly upstream: string;
}

/** Who may connect. */
export interface ListsConfig {
  readonly trusted: ListConfig;
  readonly denied: ListConfig;
  /** Empty: everybody who is not denied. */
  readonly allowed: ListConfig;
}

/** Networks as they are written, and files with more of them, which may have millions. */
export interface ListConfig {
  readonly networks: readonly string[];
  readonly files: readonly ListFileConfig[];
}

export interface ListFileConfig {
  /** Absolute. */
  readonly path: string;
  /** Key path of where it is named. */
  readonly at: string;
}

/** The key of each list in the file. */
export const listKeys = {
  trusted: 'ip_whitelist',
  denied: 'ip_blacklist',
  allowed: 'allow_only',
} as const satisfies Record<keyof ListsConfig, string>;

export type ListenAddress =
  | {
      readonly kind: 'inet';
      readonly host: string;
      readonly port: number;
      readonly text: AddressText;
      /** `::` without IPv4, because another listener has the IPv4 port. */
      readonly ipv6Only?: boolean;
    }
  | {
      readonly kind: 'unix';
      /** `@name`: a socket in the abstract namespace. */
      readonly path: string;
      readonly text: AddressText;
      /** Permissions of the socket file. */
      readonly mode: number;
    };

export type TargetConfig =
  | { readonly kind: 'upstream'; readonly upstream: string }
  | { readonly kind: 'end'; readonly closing: Closing };

export interface ProtocolConfig {
  readonly name: string;
  readonly id: string;
  /** Null for a built-in. */
  readonly signature: Signature | null;
  /** Over which it is recognised. */
  readonly transports: readonly Transport[];
  /** File URL of a module that confirms or refuses a signature's match. */
  readonly validator: string | null;
  readonly priority: number | null;
  /** Null: recognised, but routed only by `routes`. */
  readonly target: TargetConfig | null;
}

export interface RouteConfig {
  /** Key path in the file: `routes[2]`. */
  readonly name: string;
  /** As written, with the configured names of protocols and listeners. */
  readonly when: Conditions;
  readonly to: TargetConfig;
}

export interface UpstreamConfig {
  readonly name: string;
  readonly handler: string | null;
  readonly endpoints: readonly EndpointConfig[];
  /** Null: endpoints are reached directly. */
  readonly via: Via | null;
  readonly options: UpstreamOptions;
}

export interface EndpointConfig {
  /** The endpoint's identity: `host:port`, `[::1]:port` or `unix:/path`; `srv:NAME` stands for any number of them. */
  readonly name: AddressText;
  readonly address:
    | { readonly host: string; readonly port: number }
    | { readonly path: string }
    | { readonly service: string };
  readonly weight: number;
  readonly backup: boolean;
}

/** Containers as a source of upstreams. */
export interface DockerConfig {
  /** Where the Engine API is. */
  readonly place:
    | { readonly socketPath: string }
    | {
        readonly host: string;
        readonly port: number;
        /** Null: plain. */
        readonly tls: ClientTls | null;
      };
  /** Empty: the first that has an address. */
  readonly network: string;
  readonly watch: boolean;
  readonly allowLoopback: boolean;
  /** Absolute; null: what containers said last is not kept. */
  readonly stateFile: string | null;
}

export interface SecurityConfig {
  /** Null: off. */
  readonly rateLimit: RateLimitConfig | null;
  readonly guard: GuardConfig | null;
  /** File with the banned addresses; null: none. */
  readonly banExport: string | null;
  /** For every listener. */
  readonly lists: ListsConfig;
}

/** New sessions. */
export interface RateLimitConfig {
  /** Of a source. */
  readonly perSecond: number;
  readonly burst: number;
  /** Of all together; 0: no limit. */
  readonly totalPerSecond: number;
  readonly totalBurst: number;
}

/** Bans sources that open sessions too fast, or fail to say what they speak too often. */
export interface GuardConfig {
  readonly windowMs: number;
  readonly threshold: number;
  /** Failed identifications; 0: they are no reason. */
  readonly failures: number;
  readonly banMs: number;
  /** A ban doubles up to this. */
  readonly banMaxMs: number;
  readonly identifyingPerSource: number;
}

export interface MonitoringConfig {
  /** Null: off. */
  readonly metrics: { readonly host: string; readonly port: number } | null;
  readonly health: { readonly host: string; readonly port: number } | null;
}

/** Where the control interface is unless configured. */
export const ADMIN_ADDRESS = '127.0.0.1:9093';

/** The control interface. */
export interface AdminConfig {
  readonly address: ListenAddress;
  /** Empty: none; then the address is a loopback one or a Unix socket. */
  readonly token: string;
  /** In lower case: names by which it may be called without a token, beside those of loopback. */
  readonly hosts: readonly string[];
}

export interface LoggingConfig {
  /** Absolute path; null: standard output. */
  readonly file: string | null;
  readonly level: string;
  readonly format: 'auto' | 'json' | 'pretty';
  readonly accessLog: boolean;
  readonly accessLogRate: number;
}

/** The demonstration, which runs when nothing is configured. */
export interface Demo {
  /** Take any free port if the default one is in use: the user did not choose it. */
  readonly moves: boolean;
  /** Go on without the control interface if its address is in use: the user did not choose it. */
  readonly yieldsAdmin: boolean;
}

/** What is wrong, where, and what to write instead. */
export interface Problem {
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  /** Key path, e.g. `listeners[0].address`. */
  readonly path: string;
  readonly message: string;
}

/** What names stand for now: the input of compile() besides the file. */
export interface Discovery {
  /** Host name → addresses. */
  readonly hosts: ReadonlyMap<string, Discovered<readonly string[]>>;
  /** Name of a service → endpoints. */
  readonly services: ReadonlyMap<string, Discovered<readonly DiscoveredEndpoint[]>>;
  /** Addresses of this machine's interfaces, so that names that lead back here are known; absent: not looked at. */
  readonly machine?: readonly string[];
  /** Nodes of the cluster that share limits; absent: this one alone. */
  readonly nodes?: number;
}

export interface Discovered<Value> {
  /** The last good answer. */
  readonly value: Value;
  /** There has been no good one since. */
  readonly failing: boolean;
}

export interface DiscoveredEndpoint {
  /** `host:port` */
  readonly name: AddressText;
  readonly host: string;
  readonly port: number;
  readonly weight: number;
  readonly backup: boolean;
}

export const NOTHING_DISCOVERED: Discovery = { hosts: new Map(), services: new Map() };
