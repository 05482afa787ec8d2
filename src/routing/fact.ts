/** How a condition asks for a fact that may still be on its way. */
import type { Answer, RouteSession } from './condition.js';

/** A fact that is there answers at once; one that is not may come until the facts are complete. */
export function testFact<T>(session: RouteSession, fact: T | undefined, holds: (fact: T) => boolean): Answer {
  if (fact !== undefined) return holds(fact) ? 'yes' : 'no';
  return session.factsComplete ? 'no' : 'more';
}
