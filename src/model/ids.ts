/**
 * Numbers that stay. Listeners, protocols, upstreams and endpoints have one by name, for the daemon's life. An index
 * means something inside one Plan; whatever outlives a Plan (counts, loads, what is known of endpoints) goes by id.
 */
export type IdKind = 'listener' | 'protocol' | 'upstream' | 'endpoint';

/** The protocol of a session that is not identified. */
export const NONE = 0;

/** All those together that found no room where something is kept by id. */
export const OTHER = 1;

/** Parallel to the arrays of the same Plan. */
export interface PlanIds {
  readonly listeners: readonly number[];
  readonly protocols: readonly number[];
  readonly upstreams: readonly number[];
  /** By upstream and endpoint; no two upstreams share one. */
  readonly endpoints: readonly (readonly number[])[];
}

/** What has ids, in a Plan's order. */
export interface Named {
  readonly listeners: readonly { readonly name: string }[];
  readonly protocols: readonly { readonly id: string }[];
  readonly upstreams: readonly {
    readonly name: string;
    readonly endpoints: readonly { readonly name: string }[];
  }[];
}

export interface Ids {
  /** The same number for the same name, whenever it is asked for. */
  of(named: Named): PlanIds;
}

export interface IdNames {
  nameOf(kind: IdKind, id: number): string;
}
