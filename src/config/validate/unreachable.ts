/** Routes that no session can take: another takes all that they name, or no listener accepts their protocol. */
import type { Conditions } from '../../model/plan.js';
import { createCover } from '../../routing/conditions/index.js';
import { type Path, pathText } from '../path.js';
import type { Warn } from '../report.js';
import type { Reachability } from './reachability.js';

/** A route is compared with the first so many before it: the time follows the number of routes, not its square. */
const COMPARED_MAX = 500;

export function warnOfUnreachable({ routes, accepts }: Reachability, warn: Warn): void {
  const earlier: { readonly path: Path; readonly covers: (narrow: Conditions) => boolean }[] = [];
  for (const route of routes) {
    const { path, when } = route;
    const wider = earlier.find(({ covers }) => covers(when));
    if (!accepts(route)) {
      warn(path, 'can never be reached: no listener that it may come from accepts its protocol');
    } else if (wider) {
      warn(path, `can never be reached: ${pathText(wider.path)} takes all that it could`);
    }
    if (earlier.length < COMPARED_MAX) earlier.push({ path, covers: createCover(when) });
  }
}
