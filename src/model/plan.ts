/**
 * The Plan: all that the data plane needs to know, and the only thing that passes from the control plane to it.
 * Flat, frozen, structured-clonable. Everything in it is checked; nothing in it is optional by accident.
 * Times are milliseconds, sizes bytes. Indices point into the arrays of the same Plan; ids mean the same in every one.
 */
import type { SocketAddress } from './address.js';
import type { Automaton } from './classifier.js';
import type { PlanIds } from './ids.js';
import type { Signature } from './protocol.js';
import type { AddressText, Closing } from './session.js';
import type { UpstreamOptions } from './upstream-options.js';

export interface Plan {
  /** 1, 2, 3 … : every published Plan has its own. */
  readonly generation: number;
  readonly limits: PlanLimits;
  readonly listeners: readonly PlanListener[];
  /** Configured protocols in rank order, then the built-ins that only serve to name a session. */
  readonly protocols: readonly PlanProtocol[];
  /** First match wins. */
  readonly routes: readonly PlanRoute[];
  readonly upstreams: readonly PlanUpstream[];
  readonly ids: PlanIds;
  readonly accessLog: PlanAccessLog;
}

export interface PlanLimits {
  readonly identifyTimeoutMs: number;
  readonly dialTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly halfCloseTimeoutMs: number;
  readonly bufferBytes: number;
  readonly identifyMinBytes: number;
  readonly identifyMaxBytes: number;
  readonly maxConnections: number;
  /** Under identification at once and longer than 4 KiB, each worker; 0: no limit. */
  readonly longOpeningsPerSource: number;
}

export interface PlanListener {
  readonly name: string;
  /** As written, for messages and logs; the sockets are opened by the primary. */
  readonly address: AddressText;
  /** Indices of the configured protocols accepted here, in rank order. */
  readonly protocols: readonly number[];
  /** Where a session goes that nothing routes. */
  readonly onUnknown: PlanTarget;
  /** Server-speaks-first: where a client goes that has said nothing for so long. */
  readonly onSilence: { readonly afterMs: number; readonly to: PlanTarget } | null;
  /** A client from one of these networks, or over a unix socket (`unix`), sends a PROXY header first; null: nobody does. */
  readonly proxyProtocol: { readonly trusted: readonly string[] } | null;
}

export interface PlanProtocol {
  /** As configured, for people: `HTTP`. */
  readonly name: string;
  /** The built-in's id, or the custom protocol's name in lower case. Labels and logs use it. */
  readonly id: string;
  /** Absent for a built-in: its signature is known by its id. */
  readonly signature: Signature | null;
  /** Its signature, compiled: once for all workers. */
  readonly automaton: Automaton;
  /** The file URL of a module that settles what the signature has matched; null: nothing is left to settle. */
  readonly validator: string | null;
}

/**
 * What a route asks for: conditions by name, every one of which must hold. What a value is and means is known to the
 * condition alone (src/routing/conditions).
 */
export type Conditions = Readonly<Record<string, unknown>>;

export type PlanTarget =
  | { readonly kind: 'upstream'; readonly upstream: number }
  | { readonly kind: 'end'; readonly closing: Closing };

export interface PlanRoute {
  /** What it is called in logs and explanations: `routes[2]`, or `protocols.SSH` for a protocol's own target. */
  readonly name: string;
  readonly when: Conditions;
  readonly to: PlanTarget;
}

export interface PlanUpstream {
  readonly name: string;
  /** A relay to endpoints, or an in-process handler: the file URL or the `builtin:` name of a module. */
  readonly handler: string | null;
  readonly endpoints: readonly PlanEndpoint[];
  readonly options: UpstreamOptions;
}

export interface PlanEndpoint {
  /** As written: the endpoint's identity in logs, metrics and across Plans. */
  readonly name: AddressText;
  readonly weight: number;
  readonly backup: boolean;
  /** Resolved; empty while the name does not resolve. */
  readonly addresses: readonly SocketAddress[];
}

export interface PlanAccessLog {
  readonly enabled: boolean;
  /** Lines a second, all workers together. */
  readonly rate: number;
}
