/** What a condition of a route is. Each kind is one file in conditions/ and one line in its index. */
import type { z } from 'zod';
import type { Doubtful, Facts } from '../model/facts.js';

/** What routing knows of a session. */
export interface RouteSession {
  /** Index into `Plan.listeners`. */
  readonly listener: number;
  /** Index into `Plan.protocols`; -1 while or because no protocol was recognised. */
  readonly protocol: number;
  /** The client's address, a literal without port; empty for a Unix socket. */
  readonly source: string;
  readonly facts: Facts;
  /** No further facts can come. */
  readonly factsComplete: boolean;
  /** The facts can not be read: rules that need them fail closed. */
  readonly broken: boolean;
  /** These facts are not to be relied on: rules on them fail closed. */
  readonly doubtful: Doubtful;
}

/** `more`: not to be said before the facts are complete. `refuse`: never to be said, so fail closed. */
export type Answer = 'yes' | 'no' | 'more' | 'refuse';

export type Test = (session: RouteSession) => Answer;

/** Turns the names of the configuration into indices of the Plan. */
export interface PlanIndices {
  protocol(name: string): number;
  listener(name: string): number;
}

/** The sessions of some listeners, of some protocols, or of both. What is absent is not asked for. */
export interface Place {
  /** Indices into `Plan.listeners`. */
  readonly listeners?: readonly number[];
  /** Indices into `Plan.protocols`. */
  readonly protocols?: readonly number[];
}

/**
 * Where a route is found without being asked: under values of a fact, or under networks. A condition holds for no
 * session that is not found under its key; that it is found there does not mean that it holds.
 */
export type Key =
  | {
      readonly kind: 'fact';
      readonly fact: string;
      /** Facts that may have the name too; they come before all others. */
      readonly also?: readonly string[];
      readonly names: readonly KeyName[];
    }
  | { readonly kind: 'source'; readonly networks: readonly string[] };

export type FactKey = Extract<Key, { kind: 'fact' }>;

export interface KeyName {
  /** Without the dot at the end of an absolute name. */
  readonly name: string;
  /** All names below it, and not the name itself. */
  readonly below: boolean;
}

/** Handed to a condition where a file is read: workers ask conditions too, and never load it (13 MiB each). */
export type Zod = typeof z;

/** `Option` is what the file holds, `Data` what the Plan holds: plain, and shown to people as text. */
interface AnyCondition<Option, Data> {
  options(zod: Zod): z.ZodType<Option>;
  compile(option: Option, indices: PlanIndices): Data;
  /** Whether it holds wherever `narrow` does; default: all that `narrow` lists is listed. */
  covers?(wide: Option): (narrow: Option) => boolean;
}

/** It is settled before the first fact is read, once for all sessions of a listener and a protocol. */
export interface PlaceCondition<Option, Data> extends AnyCondition<Option, Data> {
  readonly reads: 'place';
  place(data: Data): Place;
}

export interface SessionCondition<Option, Data> extends AnyCondition<Option, Data> {
  /** Which part of the session is looked at. */
  readonly reads: 'source' | 'facts';
  create(data: Data): Test;
  /** Without one its routes are asked one after the other. */
  key?(data: Data): Key;
}

export type Condition<Option, Data> = PlaceCondition<Option, Data> | SessionCondition<Option, Data>;
