/**
 * Why a session takes a route, or does not: the answer of src/routing/table.ts with the condition that settled it.
 * For people, one route at a time; a session is routed by the table.
 */
import type { Answer, RouteSession } from './condition.js';
import type { RouteTest } from './conditions/index.js';

export interface RouteAnswer {
  /** `refuse`: fail closed, because a condition needs facts that can not be read. */
  readonly answer: Answer;
  /** What does not hold, or is waited for; null when every condition holds. */
  readonly by: RouteTest | null;
}

const holds: RouteAnswer = { answer: 'yes', by: null };

/** As the table asks: the place first, then the source, the facts last; one `no` settles it. */
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
