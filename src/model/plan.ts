/**
 * The Plan: the complete input of the data plane and its only interface to the control plane. Flat, frozen,
 * structured-clonable, fully validated. Times are milliseconds, sizes bytes. Indices point into the arrays of the same
 * Plan; ids are stable across Plans.
 */
import type { SocketAddress } from './address.js';
import type { Automaton } from './classifier.js';
import type { PlanConnectProxy } from './connect-proxy.js';
import type { PlanIds } from './ids.js';
import type { KcpProfile } from './kcp.js';
import type { EndpointState } from './overrides.js';
import type { Signature } from './protocol.js';
import type { AddressText, Closing } from './session.js';
import type { ListenerTransport } from './transports.js';
import type { UpstreamOptions } from './upstream-options.js';
import type { Via } from './via.js';

export interface Plan {
  /** 1, 2, 3 …: unique per compiled Plan. */
  readonly generation: number;
  readonly limits: PlanLimits;
  readonly listeners: readonly PlanListener[];
  /** Configured protocols in rank order, then the built-ins that can only name a session. */
  readonly protocols: readonly PlanProtocol[];
  /** First match wins. */
  readonly routes: readonly PlanRoute[];
  /** Those of the configuration, then those of `connectProxy`. */
  readonly upstreams: readonly PlanUpstream[];
  /** Of reliable UDP. */
  readonly kcp: readonly KcpProfile[];
  /** Null: there is no proxy for CONNECT and SOCKS. */
  readonly connectProxy: PlanConnectProxy | null;
  readonly ids: PlanIds;
  readonly accessLog: PlanAccessLog;
  /** Texts of handlers and validators by URL; those that are missing are loaded as they are. */
  readonly modules?: Readonly<Record<string, string>>;
}

export interface PlanLimits {
  readonly identifyTimeoutMs: number;
  readonly dialTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly halfCloseTimeoutMs: number;
  /** How long a client's endpoint is remembered after its last session. */
  readonly cacheTtlMs: number;
  readonly bufferBytes: number;
  readonly identifyMinBytes: number;
  readonly identifyMaxBytes: number;
  readonly maxConnections: number;
  readonly flows: PlanFlows;
  /** Connections held in the tarpit at once, all workers together, and how long. */
  readonly tarpitMax: number;
  readonly tarpitHoldMs: number;
  /** Openings over 4 KiB being identified at once, per source and worker; 0: no limit. */
  readonly longOpeningsPerSource: number;
  readonly admission: PlanAdmission;
}

/** Sessions over datagrams. */
export interface PlanFlows {
  /** At once, all workers together; and of one source, 0: no limit. */
  readonly max: number;
  readonly perSource: number;
  /** Of upstreams that have no time of their own. */
  readonly idleTimeoutMs: number;
}

/** Who is admitted. A source is an IPv4 address or an IPv6 /64; 0: no limit. */
export interface PlanAdmission {
  /** Sessions of a source at once. */
  readonly sessions: number;
  /** Sessions under identification at once, of a source and in all: over it the oldest is reset. */
  readonly identifying: number;
  readonly identifyingInAll: number;
  /** New sessions a second, of a source and in all, and how many may come at once. */
  readonly rate: number;
  readonly burst: number;
  readonly rateInAll: number;
  readonly burstInAll: number;
  /** The guard: more attempts, or failed identifications, of a source in a window ban it. */
  readonly windowMs: number;
  readonly threshold: number;
  readonly failures: number;
  readonly banMs: number;
  /** Upper bound on a ban, which doubles. */
  readonly banMaxMs: number;
}

export interface PlanListener {
  readonly name: string;
  /** As configured, for messages and logs only; the primary opens the sockets. */
  readonly address: AddressText;
  readonly transport: ListenerTransport;
  /** Index of the profile of the links that come there; null: none do. */
  readonly kcp: number | null;
  /** Indices of the configured protocols whose streams are accepted here, in rank order. */
  readonly protocols: readonly number[];
  /** Likewise of datagrams. */
  readonly datagramProtocols: readonly number[];
  /** Target of sessions without a route. */
  readonly onUnknown: PlanTarget;
  /** Target of clients that are silent for `afterMs` (server-speaks-first protocols). */
  readonly onSilence: { readonly afterMs: number; readonly to: PlanTarget } | null;
  /** Networks, or `unix` for Unix sockets, whose clients must send a PROXY header first; null: none. */
  readonly proxyProtocol: { readonly trusted: readonly string[] } | null;
  /** Sessions at once; 0: no limit. */
  readonly maxConnections: number;
}

export interface PlanProtocol {
  /** Display name as configured: `HTTP`. */
  readonly name: string;
  /** The built-in's id, or the custom protocol's name in lower case. Labels and logs use it. */
  readonly id: string;
  /** Null for a built-in, whose signature is found by its id. */
  readonly signature: Signature | null;
  /** How its streams are recognised; null: it has none, or no listener takes streams. */
  readonly stream: PlanForm | null;
  /** Likewise its datagrams. */
  readonly datagram: PlanForm | null;
  /** File URL of a module that confirms or refuses a signature's match; null: the signature decides. */
  readonly validator: string | null;
}

/** A signature, compiled once for all workers. */
export interface PlanForm {
  readonly automaton: Automaton;
  /** Equal ids mean equal automata, in the Plans of one process. */
  readonly automatonId: number;
}

/** Conditions of a route by name; all must hold. Values are opaque outside of src/routing/conditions. */
export type Conditions = Readonly<Record<string, unknown>>;

export type PlanTarget =
  | { readonly kind: 'upstream'; readonly upstream: number }
  /** Where the client asks for: `connectProxy`. */
  | { readonly kind: 'proxy' }
  | { readonly kind: 'end'; readonly closing: Closing };

export interface PlanRoute {
  /** Name in logs and explanations: `routes[2]`, `protocols.SSH` for a protocol's own target, `forwards[0]` for a forward, `connect_proxy`. */
  readonly name: string;
  readonly when: Conditions;
  readonly to: PlanTarget;
}

export interface PlanUpstream {
  readonly name: string;
  /** Tells those of one name apart; they are counted as one. Absent: its name does. */
  readonly key?: string;
  /** In-process handler: file URL or `builtin:` name of a module; null: relay to the endpoints. */
  readonly handler: string | null;
  readonly endpoints: readonly PlanEndpoint[];
  /** Index of the profile of the links that reach them; null: connections do. */
  readonly kcp: number | null;
  /** Through which proxies they are reached; their addresses are those of the first. Null: through none. */
  readonly via: Via | null;
  readonly options: UpstreamOptions;
}

export interface PlanEndpoint {
  /** As configured; identifies the endpoint in logs, metrics and across Plans. */
  readonly name: AddressText;
  /** Name of what it was found by: SRV records, a registered service, a file. Absent: it is configured. */
  readonly service?: string;
  readonly weight: number;
  readonly backup: boolean;
  /** New sessions go to endpoints that are `up`. */
  readonly state: EndpointState;
  /** Resolved addresses, of the first proxy on the way if there is one; empty while the name does not resolve. */
  readonly addresses: readonly SocketAddress[];
}

export interface PlanAccessLog {
  readonly enabled: boolean;
  /** Lines per second, all workers together. */
  readonly rate: number;
}
