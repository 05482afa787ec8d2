/** Answers of several tests together. */
import type { Answer, RouteSession, Test } from './condition.js';

/** One `no` decides, even if others are undecided; `more` outweighs `refuse`, since it may become `no`. */
export function all(tests: readonly Test[], session: RouteSession): Answer {
  let answer: Answer = 'yes';
  for (const test of tests) {
    const one = test(session);
    if (one === 'no') return one;
    if (one !== 'yes' && answer !== 'more') answer = one;
  }
  return answer;
}

const opposite = { yes: 'no', no: 'yes', more: 'more', refuse: 'refuse' } as const satisfies Record<
  Answer,
  Answer
>;

/** Holds where not all of the tests do; what is undecided or unreadable stays so. */
export const notAll =
  (tests: readonly Test[]): Test =>
  (session) =>
    opposite[all(tests, session)];
