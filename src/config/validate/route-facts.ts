/**
 * Conditions on facts: a condition on a fact that no session can have never holds, so the route would protect
 * nothing.
 */

import type { Conditions } from '../../model/plan.js';
import { protocolById, recognizersFor } from '../../protocols/index.js';
import { type AskedFact, factsAsked } from '../../routing/conditions/index.js';
import type { Path } from '../path.js';
import type { Report } from '../report.js';

export interface AskedOf {
  /** Protocols of the route, as written; undefined: any. */
  readonly protocols: readonly string[] | undefined;
  /** Its sessions may have a PROXY header, whose TLVs contain names too. */
  readonly mayBeProxied: boolean;
}

/** `when`: conditions as written; `path`: their position. */
export function checkFacts(
  when: Conditions,
  { protocols, mayBeProxied }: AskedOf,
  path: Path,
  report: Report,
): void {
  const wanted = factsAsked(when).filter(({ key }) => !(mayBeProxied && key.also !== undefined));
  if (protocols === undefined) return checkTogether(wanted, path, report);
  for (const { condition, key } of wanted) {
    const without = protocols.filter((name) => !has(name.toLowerCase(), key.fact));
    if (without.length === 0) continue;
    const never = `the route never holds${without.length < protocols.length ? ' for it' : ''}`;
    report.problem(
      [...path, condition],
      `no session of ${quoted(without)} has it, so ${never}: it is known of ${quoted(protocolsWith([key.fact]))}`,
    );
  }
}

/** Without a protocol condition some protocol must have all of the facts. */
function checkTogether(wanted: readonly AskedFact[], path: Path, report: Report): void {
  if (wanted.length < 2 || protocolsWith(wanted.map(({ key }) => key.fact)).length > 0) return;
  const names = wanted.map(({ condition }) => `\`${condition}\``).join(' and ');
  report.problem(path, `no protocol has ${names}, so the route never holds: write one route for each`);
}

const quoted = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ');

const has = (id: string, fact: string): boolean => protocolById(id)?.factNames?.includes(fact) ?? false;

/** TCP protocols that have all of the facts. */
const protocolsWith = (facts: readonly string[]): string[] =>
  recognizersFor('tcp')
    .map(({ id }) => id)
    .filter((id) => facts.every((fact) => has(id, fact)));
