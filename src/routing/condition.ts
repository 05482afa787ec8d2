/** A condition of a route. Each kind is one file in conditions/ and one line in its index. */
import type { z } from 'zod';
import type { Doubtful, Facts } from '../model/facts.js';

/** Input of routing. */
export interface RouteSession {
  /** Index into `Plan.listeners`. */
  readonly listener: number;
  /** Index into `Plan.protocols`; -1: not recognised; `UNDECIDED`: no byte has been read yet. */
  readonly protocol: number;
  /** The client's address, a literal without port; empty for a Unix socket. */
  readonly source: string;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly facts: Facts;
  /** No further facts will arrive. */
  readonly factsComplete: boolean;
  /** The opening is malformed: rules that need facts fail closed. */
  readonly broken: boolean;
  /** Facts that are not reliable: rules on them fail closed. */
  readonly doubtful: Doubtful;
}

/** Protocol of a session of which no byte has been read. */
export const UNDECIDED = -2;

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
      /** How values lie below each other: `name` (default) by dots, from the right; `path` by slashes, from the left. */
      readonly form?: 'name' | 'path';
      readonly names: readonly KeyName[];
    }
  | { readonly kind: 'source'; readonly networks: readonly string[] };

export type FactKey = Extract<Key, { kind: 'fact' }>;

export interface KeyName {
  /** Without the trailing dot of a host name, or the slash before `*` of a path. */
  readonly name: string;
  /** Matches all that is below the name but not the name itself. */
  readonly below: boolean;
}

/** zod is an argument, because workers use conditions too and must not load it (13 MiB each). */
export type Zod = typeof z;

/** `Option`: value in the file. `Data`: value in the Plan, plain data that can be shown as text. */
/** What a value holds for. */
export interface Extent {
  /** Whether it holds wherever `narrow`, of the same condition, does. */
  includes(narrow: this): boolean;
}

/** Written for one value; src/routing/any-of.ts makes every condition take a list too, of which any may hold. */
interface AnyCondition<Option, Data> {
  options(zod: Zod): z.ZodType<Option>;
  compile(option: Option, indices: PlanIndices): Data;
  /** For unreachable routes. Default: a value includes itself alone. */
  extent?(option: Option): Extent;
}

/** Decided once per listener and protocol, before facts are read. */
export interface PlaceCondition<Option, Data> extends AnyCondition<Option, Data> {
  readonly reads: 'place';
  /** Listeners or protocols, not both. */
  place(data: Data): Place;
}

export interface SessionCondition<Option, Data> extends AnyCondition<Option, Data> {
  /** The part of the session that it reads. */
  readonly reads: 'source' | 'clock' | 'facts';
  /** Its `more` must not depend on the value. */
  create(data: Data): Test;
  /** Index key, of one kind and fact for every value; without it routes are tested one by one. */
  key?(data: Data): Key;
}

export type Condition<Option, Data> = PlaceCondition<Option, Data> | SessionCondition<Option, Data>;
