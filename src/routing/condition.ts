/** A condition of a route. Each kind is one file in conditions/ and one line in its index. */
import type { z } from 'zod';
import type { Doubtful, Facts } from '../model/facts.js';

/** Input of routing. */
export interface RouteSession {
  /** Index into `Plan.listeners`. */
  readonly listener: number;
  /** Index into `Plan.protocols`; -1: not (yet) recognised. */
  readonly protocol: number;
  /** The client's address, a literal without port; empty for a Unix socket. */
  readonly source: string;
  readonly facts: Facts;
  /** No further facts will arrive. */
  readonly factsComplete: boolean;
  /** The opening is malformed: rules that need facts fail closed. */
  readonly broken: boolean;
  /** Facts that are not reliable: rules on them fail closed. */
  readonly doubtful: Doubtful;
}

/** `more`: undecided until the facts are complete. `refuse`: undecidable, so fail closed. */
export type Answer = 'yes' | 'no' | 'more' | 'refuse';

export type Test = (session: RouteSession) => Answer;

/** Names of the configuration → indices of the Plan. */
export interface PlanIndices {
  protocol(name: string): number;
  listener(name: string): number;
}

/** A set of sessions by listener, protocol or both; an absent key does not restrict. */
export interface Place {
  /** Indices into `Plan.listeners`. */
  readonly listeners?: readonly number[];
  /** Indices into `Plan.protocols`. */
  readonly protocols?: readonly number[];
}

/**
 * Index key of a condition: values of a fact, or networks. Necessary, not sufficient: the condition holds for no
 * session outside of its key, but must still be tested for those inside.
 */
export type Key =
  | {
      readonly kind: 'fact';
      readonly fact: string;
      /** Further facts that may hold the name; they are known before all others. */
      readonly also?: readonly string[];
      readonly names: readonly KeyName[];
    }
  | { readonly kind: 'source'; readonly networks: readonly string[] };

export type FactKey = Extract<Key, { kind: 'fact' }>;

export interface KeyName {
  /** Without a trailing dot. */
  readonly name: string;
  /** Matches all subdomains but not the name itself. */
  readonly below: boolean;
}

/** zod is an argument, because workers use conditions too and must not load it (13 MiB each). */
export type Zod = typeof z;

/** `Option`: value in the file. `Data`: value in the Plan, plain data that can be shown as text. */
interface AnyCondition<Option, Data> {
  options(zod: Zod): z.ZodType<Option>;
  compile(option: Option, indices: PlanIndices): Data;
  /** Whether it holds wherever `narrow` does. Default: every value listed by `narrow` is listed by `wide`. */
  covers?(wide: Option): (narrow: Option) => boolean;
}

/** Decided once per listener and protocol, before facts are read. */
export interface PlaceCondition<Option, Data> extends AnyCondition<Option, Data> {
  readonly reads: 'place';
  place(data: Data): Place;
}

export interface SessionCondition<Option, Data> extends AnyCondition<Option, Data> {
  /** The part of the session that it reads. */
  readonly reads: 'source' | 'facts';
  create(data: Data): Test;
  /** Index key; without it routes are tested one by one. */
  key?(data: Data): Key;
}

export type Condition<Option, Data> = PlaceCondition<Option, Data> | SessionCondition<Option, Data>;
