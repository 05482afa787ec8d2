/** Unreachable routes: shadowed by an earlier route, or for a protocol that no listener accepts. */
import type { Conditions } from '../../model/plan.js';
import { createCover } from '../../routing/conditions/index.js';
import type { Path } from '../path.js';
import type { Warn } from '../report.js';
import type { Reachability } from './reachability.js';

/** Upper bound on the earlier routes compared with each route: keeps the check linear in the number of routes. */
const COMPARED_MAX = 500;

export function warnOfUnreachable(
  { routes, accepts }: Reachability,
  warn: Warn,
  nameOf: (path: Path) => string,
): void {
  const earlier: { readonly path: Path; readonly covers: (narrow: Conditions) => boolean }[] = [];
  for (const route of routes) {
    const { path, when } = route;
    const wider = earlier.find(({ covers }) => covers(when));
    if (!accepts(route)) {
      warn(path, 'can never be reached: no listener that it may come from accepts its protocol');
    } else if (wider) {
      warn(path, `can never be reached: ${nameOf(wider.path)} takes all that it could`);
    }
    if (earlier.length < COMPARED_MAX) earlier.push({ path, covers: createCover(when) });
  }
}
