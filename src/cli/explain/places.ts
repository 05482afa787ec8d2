/** Where routes are written, and what they are called there: an included file counts its own. */
import { originText } from '../../config/origins.js';
import { findAll, type Path } from '../../config/path.js';
import { placeName } from '../../config/report.js';
import type { Source } from '../../config/source.js';
import { CONNECT_PROXY } from '../../model/connect-proxy.js';
import type { PlanRoute } from '../../model/plan.js';

export interface WrittenRoute {
  readonly name: string;
  /** `FILE:LINE`, or who has contributed it; null for a route that nobody has written. */
  readonly place: string | null;
}

export function writtenRoutes(routes: readonly PlanRoute[], source: Source): WrittenRoute[] {
  const own = new Map(
    findAll(source.value, 'protocols.[].name').map(({ path, value }): [string, Path] => [
      `protocols.${String(value)}`,
      path.slice(0, -1),
    ]),
  );
  const pathOf = (name: string): Path | undefined => (name === CONNECT_PROXY ? [name] : own.get(name));
  return routes.map(({ name }) => {
    const listed = /^(routes|forwards)\[(\d+)\]$/.exec(name);
    const path = listed ? [listed[1] ?? '', Number(listed[2])] : pathOf(name);
    if (path === undefined) return { name, place: null };
    return {
      name: listed ? placeName(path, source) : name,
      place: originText(source.place(path)),
    };
  });
}
