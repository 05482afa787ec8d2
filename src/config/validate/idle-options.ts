/** Options of upstreams that have nothing to act on: unix sockets have neither TCP nor IP, handlers not even an endpoint. */
import { type StrategyName, strategies, strategyNames } from '../../upstream/balance/index.js';
import { isMapping, valueAt } from '../path.js';
import type { Warn } from '../report.js';
import type { UpstreamEntry } from '../schema/upstreams.js';
import type { Source } from '../source.js';
import type { Entry } from './shape.js';

type Key = keyof UpstreamEntry;

const OF_SOCKETS = ['tcp', 'dscp', 'source'] as const satisfies readonly Key[];
const OF_ENDPOINTS = [
  ...OF_SOCKETS,
  'balance',
  'hash_key',
  'affinity',
  'slow_start',
  'retries',
  'max_connections',
  'dns',
  'dial_timeout',
  'quic',
  'queue',
  'pool',
  'proxy_protocol',
  'health_check',
  'passive_health',
  'on_down',
] as const satisfies readonly Key[];

export function warnOfIdleOptions(
  upstreams: readonly Entry<UpstreamEntry>[],
  { value: file }: Source,
  warn: Warn,
): void {
  for (const entry of upstreams) {
    warnOfIdleWeight(entry, warn);
    const why = reasonOf(entry);
    const own = valueAt(file, entry.path);
    if (waitsForNothing(entry.value))
      warn([...entry.path, 'queue'], 'has no effect without `max_connections`: no endpoint is ever full');
    if (why === null || !isMapping(own)) continue;
    const idle = entry.value.handler === undefined ? OF_SOCKETS : OF_ENDPOINTS;
    for (const key of idle.filter((name) => name in own)) warn([...entry.path, key], why);
  }
}

/** Told of once an upstream. 0 has its meaning with every strategy. */
function warnOfIdleWeight(
  { path, value: { balance, endpoints = [] } }: Entry<UpstreamEntry>,
  warn: Warn,
): void {
  if (strategies[balance as StrategyName].weighs) return;
  const weighed = endpoints.findIndex(({ weight }) => weight > 1);
  if (weighed < 0) return;
  const others = strategyNames.filter((name) => strategies[name].weighs).map((name) => `\`${name}\``);
  warn(
    [...path, 'endpoints', weighed, 'weight'],
    `has no effect with \`balance: ${balance}\`: weights count with ${others.join(', ')}`,
  );
}

const waitsForNothing = ({ handler, queue, max_connections }: UpstreamEntry): boolean =>
  handler === undefined && queue.length > 0 && max_connections === 0;

function reasonOf({ value }: Entry<UpstreamEntry>): string | null {
  if (value.handler !== undefined) return 'has no effect: a handler serves in this process';
  const unix = (value.endpoints ?? []).find(({ address: { address } }) => 'path' in address);
  return unix === undefined
    ? null
    : `has no effect on \`${unix.address.name}\`: a unix socket has no such options`;
}
