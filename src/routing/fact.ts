/** Tests of facts that may be missing so far or not reliable. */
import type { Facts } from '../model/facts.js';
import type { Answer, RouteSession } from './condition.js';

/** A present fact decides at once; a missing one answers `more` until the facts are complete. */
export function testFact<Name extends string>(
  session: RouteSession,
  name: Name,
  holds: (fact: NonNullable<Facts[Name]>) => boolean,
): Answer {
  if (session.broken || session.doubtful.includes(name)) return 'refuse';
  const fact = session.facts[name];
  if (fact !== undefined && fact !== null) return holds(fact) ? 'yes' : 'no';
  return session.factsComplete ? 'no' : 'more';
}

/** Fact with the host name of a PROXY header (PP2_TYPE_AUTHORITY). */
export const announcedName = 'proxy_authority';

/**
 * A host name may occur in the opening and in the PROXY header before it, where a balancer reports the name requested
 * by the client. If both give the same answer, it counts; if they disagree, the rule fails closed.
 */
export function testName(
  session: RouteSession,
  name: 'sni' | 'host',
  holds: (name: string) => boolean,
): Answer {
  const announced = session.facts[announcedName];
  const answer = testFact(session, name, holds);
  if (typeof announced !== 'string' || answer === 'refuse' || answer === 'more') return answer;
  const held = holds(announced);
  if (session.facts[name] !== undefined && (answer === 'yes') !== held) return 'refuse';
  return held ? 'yes' : 'no';
}
