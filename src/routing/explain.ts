/**
 * Why a session takes a route, or does not: the answer of src/routing/table.ts with the condition that settled it.
 * For people, one route at a time; a session is routed by the table.
 */
import type { PlanConditions } from '../model/plan.js';
import type { Answer, RouteSession } from './condition.js';
import { type ConditionName, createTests, type RouteTest } from './conditions/index.js';

export interface RouteAnswer {
  /** `refuse`: fail closed, because a condition needs facts that can not be read. */
  readonly answer: Answer;
  /** What does not hold, or is waited for; null when every condition holds. */
  readonly condition: ConditionName | null;
}

const holds: RouteAnswer = { answer: 'yes', condition: null };

/** As the table asks: the place first, then the source, the facts last; one `no` settles it. */
export function explainRoute(when: PlanConditions, session: RouteSession): RouteAnswer {
  const tests = createTests(when);
  const reading = (part: RouteTest['reads']) => tests.filter(({ reads }) => reads === part);
  return all([...reading('place'), ...reading('source'), ...reading('facts')], session);
}

function all(tests: readonly RouteTest[], session: RouteSession): RouteAnswer {
  let answer = holds;
  for (const { name, test } of tests) {
    const one = test(session);
    if (one === 'no') return { answer: one, condition: name };
    if (one !== 'yes' && answer.answer !== 'more') answer = { answer: one, condition: name };
  }
  return answer;
}
