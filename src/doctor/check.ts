/** What a check is: one comparison of what a configuration needs with what the machine allows. Pure. */
import type { Demand } from '../budget/demand.js';
import type { Item } from '../budget/need.js';
import type { Config } from '../model/config.js';
import type { Machine } from './machine.js';

/**
 * `short`: something will fail. `note`: all of it works, but slower, or with a risk. `unknown`: the machine does not say.
 */
export type Verdict = 'ok' | 'short' | 'note' | 'unknown';

export interface Finding {
  readonly what: string;
  readonly verdict: Verdict;
  readonly needed: string;
  readonly there: string;
  /** What follows, of all but `ok`. */
  readonly why?: string;
  /** Commands, or keys to change; each mends it alone unless it says otherwise. */
  readonly remedies?: readonly string[];
  /** What adds up to `needed`. */
  readonly items?: readonly Item[];
  /** Of the items; default: they are counted. */
  readonly unit?: 'bytes';
}

export interface Situation {
  /** As written: nothing is lowered. */
  readonly config: Config;
  readonly demand: Demand;
  readonly machine: Machine;
}

export interface Check {
  /** Key in the JSON output. */
  readonly name: string;
  /** Empty: nothing in the configuration asks for it. */
  readonly examine: (situation: Situation) => readonly Finding[];
}
