/**
 * Why a session takes a route, or does not: the answer of src/routing/table.ts with the condition that decided it. For
 * `anyport explain` only, one route at a time; live sessions use the table.
 */
import type { Answer, RouteSession } from './condition.js';
import type { RouteTest } from './conditions/index.js';

export interface RouteAnswer {
  /** `refuse`: fail closed, because a condition needs facts that are unreadable. */
  readonly answer: Answer;
  /** The condition that does not hold or waits for facts; null when all hold. */
  readonly by: RouteTest | null;
}

const holds: RouteAnswer = { answer: 'yes', by: null };

/** Same order as the table: place, source, facts; the first `no` decides. */
export function explainRoute(tests: readonly RouteTest[], session: RouteSession): RouteAnswer {
  const reading = (part: RouteTest['reads']) => tests.filter(({ reads }) => reads === part);
  return all([...reading('place'), ...reading('source'), ...reading('facts')], session);
}

function all(tests: readonly RouteTest[], session: RouteSession): RouteAnswer {
  let answer = holds;
  for (const by of tests) {
    const one = by.test(session);
    if (one === 'no') return { answer: one, by };
    if (one !== 'yes' && answer.answer !== 'more') answer = { answer: one, by };
  }
  return answer;
}
