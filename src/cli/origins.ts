/** Where the things of a configuration come from, for `anyport check --origins`. */
import { compile } from '../config/compile.js';
import { formatProblem } from '../config/report.js';
import { upstreamOrigins } from '../config/upstream-origins.js';
import type { Problem } from '../model/config.js';
import type { Origin, UpstreamOrigin } from '../model/origins.js';
import { IdRegistry } from '../plane/ids.js';
import type { Lack } from './aside.js';
import { columns } from './columns.js';
import type { Configuration } from './configuration.js';
import { servicesBeside } from './services-beside.js';

export interface ShownOrigins {
  readonly json: { readonly origins: readonly Thing[]; readonly left_out: readonly Problem[] };
  readonly text: string;
}

/** With the endpoints of the upstreams that it makes. */
type Thing = Pick<Origin, 'kind' | 'name' | 'from'> & Pick<UpstreamOrigin, 'endpoints'>;

/** What has been contributed is in it already. */
export async function shownOrigins({ config, refused }: Configuration, lack: Lack): Promise<ShownOrigins> {
  const { upstreams } = compile(config, await servicesBeside(config, lack), 1, new IdRegistry());
  const byName = new Map(upstreamOrigins(upstreams, config.origins).map((each) => [each.name, each]));
  const things = config.origins.map(({ kind, name, from, upstreams: made }): Thing => {
    const endpoints = made.flatMap((upstream) => byName.get(upstream)?.endpoints ?? []);
    return { kind, name, from, endpoints };
  });
  const leftOut = refused.map((problem) => `left out: ${formatProblem(problem)}\n`);
  return { json: { origins: things, left_out: refused }, text: textOf(things) + leftOut.join('') };
}

/** Endpoints only where they are not said with what they are endpoints of. */
function textOf(things: readonly Thing[]): string {
  const rows = things.flatMap(({ kind, name, from, endpoints }) => [
    [kind, name, from ?? '-'],
    ...endpoints
      .filter((endpoint) => endpoint.from !== from)
      .map((endpoint) => ['endpoint', `${name} ${endpoint.name}`, endpoint.from ?? '-']),
  ]);
  return columns([['KIND', 'NAME', 'FROM'], ...rows]);
}
