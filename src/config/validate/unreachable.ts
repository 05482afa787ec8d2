/** Routes that no session can take: another takes all that they name, or no listener accepts their protocol. */
import { holdsNetwork } from '../../base/network.js';
import { patternHolds } from '../../routing/name-pattern.js';
import { pathText } from '../path.js';
import type { Warn } from '../report.js';
import type { Reachability, ReachableRoute } from './reachability.js';

/** A route is compared with the first so many before it: the time follows the number of routes, not its square. */
const COMPARED_MAX = 500;

export function warnOfUnreachable({ routes, accepts }: Reachability, warn: Warn): void {
  for (const [index, route] of routes.entries()) {
    if (!accepts(route)) {
      warn(route.path, 'can never be reached: no listener that it may come from accepts its protocol');
      continue;
    }
    const earlier = routes
      .slice(0, Math.min(index, COMPARED_MAX))
      .find((each) => covers(each.when, route.when));
    if (earlier) warn(route.path, `can never be reached: ${pathText(earlier.path)} takes all that it could`);
  }
}

type When = ReachableRoute['when'];

/** Whether whatever `narrow` holds for, `wide` holds for. */
function covers(wide: When, narrow: When): boolean {
  return Object.entries(wide).every(([name, value]) => {
    const other = narrow[name];
    if (other === undefined) return value === undefined;
    return (
      value === undefined ||
      listOf(other).every((each) => listOf(value).some((one) => holds(name, one, each)))
    );
  });
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** One value of a condition, which takes one of several. */
function holds(name: string, wide: unknown, narrow: unknown): boolean {
  if (name === 'source') return holdsNetwork(String(wide), String(narrow));
  if (name === 'sni' || name === 'host') return patternHolds(String(wide), String(narrow));
  return JSON.stringify(wide) === JSON.stringify(narrow);
}
