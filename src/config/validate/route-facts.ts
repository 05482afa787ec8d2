/**
 * Conditions on facts: a condition on a fact that no session can have never holds, so the route would protect
 * nothing.
 */

import type { Conditions } from '../../model/plan.js';
import { protocolById, protocols } from '../../protocols/index.js';
import { type AskedFact, factsAsked } from '../../routing/conditions/index.js';
import type { Path } from '../path.js';
import type { Report } from '../report.js';

export interface AskedOf {
  /** Protocols of the route, as written; undefined: any. */
  readonly protocols: readonly string[] | undefined;
  /** Its sessions may have a PROXY header, whose TLVs contain names too. */
  readonly mayBeProxied: boolean;
  /** Conditions of the route itself, or a set under its `not`. */
  readonly of: keyof typeof inVain;
}

/** What follows where the conditions can not hold. */
const inVain = { route: 'the route never holds', set: 'it excludes nothing' } as const;

/** `when`: conditions as written; `path`: their position. */
export function checkFacts(
  when: Conditions,
  { protocols, mayBeProxied, of }: AskedOf,
  path: Path,
  report: Report,
): void {
  const wanted = factsAsked(when).filter(({ key }) => !(mayBeProxied && key.also !== undefined));
  if (protocols === undefined) return checkTogether(wanted, of, path, report);
  for (const { condition, key } of wanted) {
    const without = protocols.filter((name) => !has(name.toLowerCase(), key.fact));
    if (without.length === 0) continue;
    const so = `${inVain[of]}${without.length < protocols.length ? ' for it' : ''}`;
    report.problem(
      [...path, condition],
      `no session of ${quoted(without)} has it, so ${so}: it is known of ${quoted(protocolsWith([key.fact]))}`,
    );
  }
}

/** Without a protocol condition some protocol must have all of the facts. */
function checkTogether(wanted: readonly AskedFact[], of: AskedOf['of'], path: Path, report: Report): void {
  if (wanted.length < 2 || protocolsWith(wanted.map(({ key }) => key.fact)).length > 0) return;
  const names = wanted.map(({ condition }) => `\`${condition}\``).join(' and ');
  report.problem(path, `no protocol has ${names}, so ${inVain[of]}: write one ${of} for each`);
}

const quoted = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ');

const has = (id: string, fact: string): boolean => protocolById(id)?.factNames?.includes(fact) ?? false;

/** Protocols that have all of the facts. */
const protocolsWith = (facts: readonly string[]): string[] =>
  protocols.map(({ id }) => id).filter((id) => facts.every((fact) => has(id, fact)));
