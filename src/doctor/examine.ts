/** Makes checks, of a configuration and a machine. */
import { demandOf } from '../budget/demand.js';
import type { Config } from '../model/config.js';
import type { Check, Finding } from './check.js';
import type { Machine } from './machine.js';

export interface Examined extends Finding {
  /** Name of the check. */
  readonly check: string;
}

export function examine(config: Config, machine: Machine, of: readonly Check[]): Examined[] {
  const situation = { config, demand: demandOf(config), machine };
  return of.flatMap(({ name, examine: make }) =>
    make(situation).map((finding) => ({ check: name, ...finding })),
  );
}
