/** Who says how much of a configuration: files, containers, keys and services of etcd, flags. Pure. */
import type { OriginKind, Origins, OriginText, SaidBy, UpstreamOrigin } from '../model/origins.js';

/** In the order of the configuration, then those who say endpoints alone. `upstreams`: those that are in force. */
export function saidBy(origins: Origins, upstreams: readonly UpstreamOrigin[]): SaidBy[] {
  const found = new Map<OriginText | null, { counts: Record<OriginKind, number>; endpoints: number }>();
  const at = (source: OriginText | null) => {
    const counts = { upstream: 0, protocol: 0, route: 0, forward: 0 };
    const known = found.get(source) ?? { counts, endpoints: 0 };
    found.set(source, known);
    return known;
  };
  for (const { kind, from } of origins) at(sourceOf(from)).counts[kind] += 1;
  for (const { from, endpoints } of upstreams) {
    const source = sourceOf(from);
    for (const other of endpoints.map((endpoint) => sourceOf(endpoint.from)))
      if (other !== source) at(other).endpoints += 1;
  }
  return [...found].map(([source, said]) => ({ source, ...said }));
}

/** Without line, label and alias. */
export function sourceOf(from: OriginText | null): OriginText | null {
  if (from === null) return null;
  const whole = from.replace(/:\d+$/, '');
  return isContributed(whole) ? (whole.split(', ')[0] ?? whole) : whole;
}

/** Whether containers or etcd say it. */
export const isContributed = (from: OriginText | null): boolean =>
  from !== null && /^(?:docker|etcd): /.test(from);
