/** How a condition asks for a fact that may still be on its way. */
import type { Answer, RouteSession } from './condition.js';

/** A fact that is there answers at once; one that is not may come until the facts are complete. */
export function testFact<T>(session: RouteSession, fact: T | undefined, holds: (fact: T) => boolean): Answer {
  if (fact !== undefined) return holds(fact) ? 'yes' : 'no';
  return session.factsComplete ? 'no' : 'more';
}

/**
 * A name may stand in two places: in the opening, and in the PROXY header before it, where a balancer has put what the
 * client asked it for. A rule holds, or does not, where both agree on that; where they do not, it fails closed.
 */
export function testName(
  session: RouteSession,
  fact: string | undefined,
  holds: (name: string) => boolean,
): Answer {
  const announced = session.facts.proxy_authority;
  if (typeof announced !== 'string') return testFact(session, fact, holds);
  if (fact === undefined && !session.factsComplete) return 'more';
  const held = holds(announced);
  if (fact !== undefined && holds(fact) !== held) return 'refuse';
  return held ? 'yes' : 'no';
}
