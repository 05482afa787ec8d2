/** Conditions on what clients say of themselves: a route that asks for what nobody can have said protects nothing. */

import type { Conditions } from '../../model/plan.js';
import { protocolById, recognizersFor } from '../../protocols/index.js';
import { type AskedFact, factsAsked } from '../../routing/conditions/index.js';
import type { Path } from '../path.js';
import type { Report } from '../report.js';

export interface AskedOf {
  /** The protocol that the route names; undefined: any. */
  readonly protocol: string | undefined;
  /** Its sessions may have a PROXY header before them, which has names of its own. */
  readonly mayBeProxied: boolean;
}

/** `when` is what is written, `path` where. */
export function checkFacts(
  when: Conditions,
  { protocol, mayBeProxied }: AskedOf,
  path: Path,
  report: Report,
): void {
  const wanted = factsAsked(when).filter(({ key }) => !(mayBeProxied && key.also !== undefined));
  if (protocol === undefined) return checkTogether(wanted, path, report);
  const id = protocol.toLowerCase();
  for (const { condition, key } of wanted.filter(({ key: { fact } }) => !has(id, fact))) {
    const others = havers([key.fact]).map((name) => `\`${name}\``);
    report.problem(
      [...path, condition],
      `no session of \`${protocol}\` has it, so the route never holds: it is known of ${others.join(', ')}`,
    );
  }
}

/** Without a protocol a route is for all that have what it asks for; there is none for some pairs. */
function checkTogether(wanted: readonly AskedFact[], path: Path, report: Report): void {
  if (wanted.length < 2 || havers(wanted.map(({ key }) => key.fact)).length > 0) return;
  const names = wanted.map(({ condition }) => `\`${condition}\``).join(' and ');
  report.problem(path, `no protocol has ${names}, so the route never holds: write one route for each`);
}

const has = (id: string, fact: string): boolean => protocolById(id)?.factNames?.includes(fact) ?? false;

/** The protocols of streams that have all of these facts. */
const havers = (facts: readonly string[]): string[] =>
  recognizersFor('tcp')
    .map(({ id }) => id)
    .filter((id) => facts.every((fact) => has(id, fact)));
