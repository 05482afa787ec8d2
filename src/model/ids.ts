import type { KcpProfile } from './kcp.js';

/**
 * Ids: numbers by name for listeners, protocols, upstreams and endpoints, constant for the daemon's life. An index is
 * valid within one Plan only; state that outlives a Plan (counters, loads, endpoint state) is kept by id.
 */
export type IdKind = 'listener' | 'protocol' | 'upstream' | 'endpoint' | 'kcp';

/** No id, e.g. the protocol of a session that is not identified. */
export const NONE = 0;

/** Shared by all ids that do not fit into a table kept by id. */
export const OTHER = 1;

/** Ids of a Plan's entries, parallel to its arrays. */
export interface PlanIds {
  readonly listeners: readonly number[];
  readonly protocols: readonly number[];
  readonly upstreams: readonly number[];
  /** By upstream, then endpoint; ids are not shared between upstreams. */
  readonly endpoints: readonly (readonly number[])[];
  /** Of profiles: one that has changed is another one, with links of its own. */
  readonly kcp: readonly number[];
}

/** Everything that has ids, in the Plan's order. */
export interface Named {
  readonly listeners: readonly { readonly name: string }[];
  readonly protocols: readonly { readonly id: string }[];
  readonly upstreams: readonly {
    readonly name: string;
    /** Unique, where the name is not. */
    readonly key?: string;
    readonly endpoints: readonly { readonly name: string }[];
  }[];
  /** Absent: none. */
  readonly kcp?: readonly KcpProfile[];
}

export interface Ids {
  /** Always the same number for the same name. */
  of(named: Named): PlanIds;
}

export interface IdsByName {
  /** Always the same number for the same name; `owner`: id of an endpoint's upstream. */
  idOf(kind: IdKind, name: string, owner?: number): number;
}

export interface IdNames {
  nameOf(kind: IdKind, id: number): string;
}
