/** Makes the checks: all of them for `anyport doctor`, those of the start for the daemon. */
import { demandOf } from '../budget/demand.js';
import type { Config } from '../model/config.js';
import type { Check, Finding } from './check.js';
import { checks } from './checks/index.js';
import type { Machine } from './machine.js';

export interface Examined extends Finding {
  /** Name of the check. */
  readonly check: string;
}

export function examine(config: Config, machine: Machine, of: readonly Check[] = checks): Examined[] {
  const situation = { config, demand: demandOf(config), machine };
  return of.flatMap(({ name, examine: make }) =>
    make(situation).map((finding) => ({ check: name, ...finding })),
  );
}

/** What is short of what a daemon needs at its start. */
export const shortAtStart = (config: Config, machine: Machine): Examined[] =>
  examine(
    config,
    machine,
    checks.filter(({ atStart }) => atStart),
  ).filter(({ verdict }) => verdict === 'short');
