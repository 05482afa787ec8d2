/** Forwards in an explanation: on theirs no route is asked, and elsewhere theirs are none. */
import type { Config } from '../../model/config.js';
import type { Plan } from '../../model/plan.js';
import type { Explanation, Outcome } from './explanation.js';

/** `listener`: index of the one that is explained. Its rows are in the order of the Plan's routes. */
export function withForwards(
  explanation: Explanation,
  { routes }: Plan,
  { listeners }: Config,
  listener: number,
): Explanation {
  const forward = listeners[listener]?.forward ?? null;
  if (forward === null) {
    const forwards = new Set(listeners.flatMap((each) => each.forward?.at ?? []));
    const isRoute = (index: number) => !forwards.has(routes[index]?.name ?? '');
    return { ...explanation, routes: explanation.routes.filter((_, index) => isRoute(index)) };
  }
  if (explanation.verdict !== 'unread') return explanation;
  const taken = explanation.routes.filter(({ verdict }) => verdict === 'taken');
  const why = `${taken[0]?.name ?? forward.at} passes every session on, at accept`;
  const outcome: Outcome = { ...explanation.outcome, by: 'forward', why };
  return { ...explanation, outcome, routes: taken };
}
