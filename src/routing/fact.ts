/** How a condition asks for a fact that may still be on its way, or is not to be relied on. */
import type { Facts } from '../model/facts.js';
import type { Answer, RouteSession } from './condition.js';

/** A fact that is there answers at once; one that is not may come until the facts are complete. */
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

/** The fact that has the name in a PROXY header. */
export const announcedName = 'proxy_authority';

/**
 * A name may stand in two places: in the opening, and in the PROXY header before it, where a balancer has put what the
 * client asked it for. A rule holds, or does not, where both agree on that; where they do not, it fails closed.
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
