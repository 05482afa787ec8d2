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
  const earlier = new Earlier();
  for (const route of routes) {
    const { path, when } = route;
    if (!accepts(route)) {
      warn(path, 'can never be reached: no listener that it may come from accepts its protocol');
    } else {
      const wider = earlier.covering(when);
      if (wider) warn(path, `can never be reached: ${nameOf(wider.path)} takes all that it could`);
    }
    earlier.add(path, when);
  }
}

interface Wide {
  readonly order: number;
  readonly path: Path;
  readonly covers: (narrow: Conditions) => boolean;
}

/** Earlier routes by the names of their conditions: one with a condition that another lacks can not cover it. */
class Earlier {
  readonly #byNames = new Map<string, { readonly names: readonly string[]; readonly routes: Wide[] }>();
  #count = 0;

  add(path: Path, when: Conditions): void {
    if (this.#count >= COMPARED_MAX) return;
    const names = Object.keys(when).filter((name) => when[name] !== undefined);
    const key = names.toSorted((a, b) => (a < b ? -1 : 1)).join();
    const same = this.#byNames.get(key) ?? { names, routes: [] };
    this.#byNames.set(key, same);
    same.routes.push({ order: this.#count++, path, covers: createCover(when) });
  }

  /** The first that takes all that `when` could. */
  covering(when: Conditions): Wide | undefined {
    let first: Wide | undefined;
    for (const { names, routes } of this.#byNames.values()) {
      if (names.some((name) => when[name] === undefined)) continue;
      const found = routes.find(({ covers }) => covers(when));
      if (found !== undefined && (first === undefined || found.order < first.order)) first = found;
    }
    return first;
  }
}
