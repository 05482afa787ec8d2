/**
 * Why a session takes a route, or does not: the answer of src/routing/table.ts with the condition that decided it. For
 * `anyport explain` only, one route at a time; live sessions use the table.
 */
import { type Answer, type RouteSession, UNDECIDED } from './condition.js';
import { type RouteTest, readsInOrder } from './conditions/index.js';
import { placeAnswer, type Whereabouts } from './place.js';

export interface RouteAnswer {
  /** `refuse`: fail closed, because a condition needs facts that are unreadable. */
  readonly answer: Answer;
  /** The condition that does not hold or waits for facts; null when all hold. */
  readonly by: RouteTest | null;
}

const holds: RouteAnswer = { answer: 'yes', by: null };

/** Same order as the table; the first `no` decides. `accepted`: protocols that the session's listener accepts. */
export function explainRoute(
  tests: readonly RouteTest[],
  session: RouteSession,
  accepted: readonly number[],
): RouteAnswer {
  const inOrder = readsInOrder.flatMap((part) => tests.filter(({ reads }) => reads === part));
  return all(inOrder, session, whereabouts(session, accepted));
}

/** A protocol that the listener does not accept counts as unknown, but for what is excluded. */
function whereabouts({ listener, protocol }: RouteSession, accepted: readonly number[]): Whereabouts {
  const isKnown = protocol === UNDECIDED || accepted.includes(protocol);
  return { listener, protocol: isKnown ? protocol : -1, accepted };
}

function all(tests: readonly RouteTest[], session: RouteSession, where: Whereabouts): RouteAnswer {
  let answer = holds;
  for (const by of tests) {
    const one = by.place === null ? by.test(session) : placeAnswer(by.place, where);
    if (one === 'no') return { answer: one, by };
    if (one !== 'yes' && answer.answer !== 'more') answer = { answer: one, by };
  }
  return answer;
}
