/** Where upstreams, protocols, routes and forwards are written, or who has contributed them. Pure. */
import type { Document } from '../model/config.js';
import type { Origin, OriginKind, Origins, OriginText } from '../model/origins.js';
import { namesOfForward } from '../providers/forward-names.js';
import { isMapping, type Path, pathText } from './path.js';
import type { Place, Source } from './source.js';
import { hasOwnUpstream } from './validate/upstreams.js';

export function originsIn(source: Source): Origins {
  const { value } = source;
  if (!isMapping(value)) return [];
  return [
    ...Object.entries(isMapping(value.upstreams) ? value.upstreams : {}).map(([name, upstream]) =>
      originOf(source, 'upstream', name, ['upstreams', name], [name], { upstream }),
    ),
    ...itemsOf(value, 'protocols').map(({ path, item }) => {
      const name = String(item.name);
      const made = hasOwnUpstream(item) ? [name] : [];
      return originOf(source, 'protocol', name, path, made, targetOf(item, path));
    }),
    ...itemsOf(value, 'routes').map(({ path }) => originOf(source, 'route', pathText(path), path, [], {})),
    ...itemsOf(value, 'forwards').map(({ path, item }) => {
      const names = namesOfForward(item);
      return originOf(source, 'forward', names[0] ?? pathText(path), path, names, targetOf(item, path));
    }),
  ];
}

/** Null: it is in no file, and nobody has contributed it. */
export function originText({ file, line, path }: Place): OriginText | null {
  if (file === null) return path.startsWith('--') ? path : null;
  return line === null ? file : `${file}:${line}`;
}

interface Target {
  readonly upstream?: unknown;
  /** Default: that of what it belongs to. */
  readonly at?: Path;
}

const targetOf = ({ target }: Document, path: Path): Target => ({
  upstream: target,
  at: [...path, 'target'],
});

function originOf(
  source: Source,
  kind: OriginKind,
  name: string,
  path: Path,
  upstreams: readonly string[],
  { upstream, at = path }: Target,
): Origin {
  const place = source.place(path);
  const origin = { kind, name, from: originText(place), upstreams };
  // What has lines is written as a whole in one file.
  if (place.file === null || place.line !== null) return origin;
  const endpoints = endpointsIn(upstream).map((endpoint, index): [string, OriginText] => [
    endpoint,
    originText(source.place([...at, 'endpoints', index])) ?? '',
  ]);
  return endpoints.length === 0 ? origin : { ...origin, endpoints: Object.fromEntries(endpoints) };
}

/** Of an upstream, or of what a target says in its place. */
function endpointsIn(upstream: unknown): string[] {
  if (typeof upstream === 'string') return upstream.split(',').map((each) => each.trim());
  const { endpoints } = isMapping(upstream) ? upstream : { endpoints: upstream };
  return (Array.isArray(endpoints) ? endpoints : []).map((endpoint) =>
    String(isMapping(endpoint) ? endpoint.address : endpoint),
  );
}

function itemsOf(tree: Document, section: string): { readonly path: Path; readonly item: Document }[] {
  const list = tree[section];
  if (!Array.isArray(list)) return [];
  return list.map((item, index) => ({ path: [section, index], item: isMapping(item) ? item : {} }));
}
