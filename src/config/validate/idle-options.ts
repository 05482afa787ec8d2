/** Options of upstreams that have nothing to act on: unix sockets and handlers have neither TCP nor IP. */
import { isMapping } from '../path.js';
import type { Warn } from '../report.js';
import type { UpstreamEntry } from '../schema/upstreams.js';
import type { Source } from '../source.js';
import type { Entry, Shape } from './shape.js';

const OF_SOCKETS = ['tcp', 'dscp'] as const satisfies readonly (keyof UpstreamEntry)[];
const OF_DIALS = [
  'dial_timeout',
  'pool',
  'proxy_protocol',
] as const satisfies readonly (keyof UpstreamEntry)[];

export function warnOfIdleOptions({ upstreams }: Shape, { value: file }: Source, warn: Warn): void {
  const written = isMapping(file) && isMapping(file.upstreams) ? file.upstreams : {};
  for (const entry of upstreams) {
    const why = reasonOf(entry);
    const own = written[String(entry.path.at(-1))];
    if (why === null || !isMapping(own)) continue;
    const idle = entry.value.handler === undefined ? OF_SOCKETS : [...OF_SOCKETS, ...OF_DIALS];
    for (const key of idle.filter((name) => name in own)) warn([...entry.path, key], why);
  }
}

function reasonOf({ value }: Entry<UpstreamEntry>): string | null {
  if (value.handler !== undefined) return 'has no effect: a handler serves in this process';
  const unix = (value.endpoints ?? []).find(({ address: { address } }) => 'path' in address);
  return unix === undefined
    ? null
    : `has no effect on \`${unix.address.name}\`: a unix socket has no such options`;
}
