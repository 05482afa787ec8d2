/** Unreachable routes: shadowed by an earlier route, or for a protocol that no listener accepts. */
import { covers, type Extents, excludesAll, extentsOf } from '../../routing/conditions/index.js';
import type { Path } from '../path.js';
import type { Warn } from '../report.js';
import type { Reachability } from './reachability.js';

/** Values of earlier routes that each route is compared with: keeps the check linear in the number of values. */
const COMPARED_MAX = 1000;

export function warnOfUnreachable(
  { routes, accepts }: Reachability,
  warn: Warn,
  nameOf: (path: Path) => string,
): void {
  const earlier = new Earlier();
  for (const route of routes) {
    const { path, when } = route;
    const extents = extentsOf(when);
    if (!accepts(route)) {
      warn(path, 'can never be reached: no listener that it may come from accepts its protocol');
    } else if (excludesAll(extents)) {
      warn(path, 'can never be reached: its own `not` excludes all that it could take');
    } else {
      const wider = earlier.covering(extents);
      if (wider) warn(path, `can never be reached: ${nameOf(wider.path)} takes all that it could`);
    }
    earlier.add(path, extents);
  }
}

interface Wide {
  readonly order: number;
  readonly path: Path;
  readonly extents: Extents;
}

/** Earlier routes by the names of their conditions: one with a condition that another lacks can not cover it. */
class Earlier {
  readonly #byNames = new Map<string, { readonly names: Extents['names']; readonly routes: Wide[] }>();
  #count = 0;
  #size = 0;

  /** A route whose values are too many is left out: then what it shadows is not warned of. */
  add(path: Path, extents: Extents): void {
    const { names, size } = extents;
    const room = Math.max(size, 1);
    if (this.#size + room > COMPARED_MAX) return;
    this.#size += room;
    const key = names.join();
    const same = this.#byNames.get(key) ?? { names, routes: [] };
    this.#byNames.set(key, same);
    same.routes.push({ order: this.#count++, path, extents });
  }

  /** The first that takes all that `narrow` could. */
  covering(narrow: Extents): Wide | undefined {
    let first: Wide | undefined;
    for (const { names, routes } of this.#byNames.values()) {
      if (names.some((name) => narrow.of[name] === undefined)) continue;
      const found = routes.find(({ extents }) => covers(extents, narrow));
      if (found !== undefined && (first === undefined || found.order < first.order)) first = found;
    }
    return first;
  }
}
