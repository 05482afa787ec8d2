/** Routes that no session can take: another takes all that they name, or no listener accepts their protocol. */
import { holdsNetwork } from '../../base/network.js';
import { patternHolds } from '../../routing/name-pattern.js';
import { type Path, pathText } from '../path.js';
import type { Warn } from '../report.js';
import type { Reachability, ReachableRoute } from './reachability.js';

/** A route is compared with the first so many before it: the time follows the number of routes, not its square. */
const COMPARED_MAX = 500;

export function warnOfUnreachable({ routes, accepts }: Reachability, warn: Warn): void {
  const earlier: { readonly path: Path; readonly wanted: Wanted }[] = [];
  for (const route of routes) {
    const { path } = route;
    const wanted = wantedBy(route.when);
    const wider = earlier.find((each) => covers(each.wanted, wanted));
    if (!accepts(route)) {
      warn(path, 'can never be reached: no listener that it may come from accepts its protocol');
    } else if (wider) {
      warn(path, `can never be reached: ${pathText(wider.path)} takes all that it could`);
    }
    if (earlier.length < COMPARED_MAX) earlier.push({ path, wanted });
  }
}

/** Conditions by name; each takes one of several values. */
type Wanted = ReadonlyMap<string, readonly string[]>;

function wantedBy(when: ReachableRoute['when']): Wanted {
  const given = Object.entries(when).filter(([, value]) => value !== undefined);
  return new Map(given.map(([name, value]) => [name, [value].flat().map((each) => written(name, each))]));
}

const isName = (condition: string): boolean => condition === 'sni' || condition === 'host';

const written = (condition: string, value: unknown): string =>
  isName(condition) ? String(value).toLowerCase() : String(value);

/** Whether whatever `narrow` holds for, `wide` holds for. */
function covers(wide: Wanted, narrow: Wanted): boolean {
  for (const [condition, values] of wide) {
    const others = narrow.get(condition);
    if (!others?.every((other) => values.some((value) => holds(condition, value, other)))) return false;
  }
  return true;
}

function holds(condition: string, wide: string, narrow: string): boolean {
  if (wide === narrow) return true;
  if (condition === 'source') return holdsNetwork(wide, narrow);
  return isName(condition) && wide.startsWith('*.') && patternHolds(wide, narrow);
}
