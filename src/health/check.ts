/**
 * A kind of active check. Each is one file in checks/ and one line in its index, which is also the vocabulary of
 * `health_check.type`.
 */
import type { z } from 'zod';
import type { AskedState } from '../model/health-status.js';
import type { Line } from './line.js';

/** zod is an argument, because the daemon's primary runs checks too and must not load it (13 MiB). */
export type Zod = typeof z;

/** The answer of one probe. `why` and `note` are our words, never bytes of the endpoint. */
export type Outcome =
  | {
      readonly well: true;
      /** Part of its weight that it asks for, 0..256; absent: as it was said last. */
      readonly share?: number;
      /** No new sessions, though it is well. `drain`: for now; `maint`: until it says otherwise. */
      readonly state?: AskedState;
      readonly note?: string;
    }
  | { readonly well: false; readonly why: string };

/** Whom the probe asks. */
export interface CheckContext {
  /** Address literal; empty for a Unix socket. */
  readonly host: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  /** Name to ask for (SNI, Host): the endpoint's host as configured; `localhost` for a Unix socket. */
  readonly serverName: string;
  /** As configured. */
  readonly upstream: string;
  /** As configured. */
  readonly endpoint: string;
}

export interface CheckProblem {
  readonly path: readonly (string | number)[];
  /** What is wrong, and what to write. */
  readonly why: string;
}

/** What is opened for a check. `nothing`: `line` has only its `signal`. */
export type Over = 'tcp' | 'udp' | 'nothing';

export interface HealthCheck<Options extends object = Record<never, never>> {
  /** One clause for the documentation: what it takes for an endpoint to be well. */
  readonly words: string;
  /** What is opened before `run`. */
  readonly over: Over | ((options: Options) => Over);
  /**
   * Its own keys beside the common ones, made with ./fields.ts. Their values go through structured cloning: plain data,
   * no functions, no expressions. Common keys (`type`, `interval`, `timeout` …) may not be among them.
   */
  options(zod: Zod): { readonly [Key in keyof Options]-?: z.ZodType<Options[Key]> };
  /** Keys that do not go together; null: none. `path` is below `health_check`. */
  problem?(options: Options): CheckProblem | null;
  /**
   * Asks once. Faults of the line (refused, closed, too long, too late) reject with a LineFault, which the caller turns
   * into an outcome: a check need not catch them. The deadline is the caller's; `line.signal` tells when it has passed.
   */
  run(line: Line, options: Options, context: CheckContext): Promise<Outcome>;
}

/** What is opened for a check with these options of its own. */
export const overOf = ({ over }: HealthCheck, options: object): Over =>
  typeof over === 'function' ? over(options) : over;
