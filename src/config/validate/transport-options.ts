/** Options of upstreams that only streams or only datagrams have, where none of these can come. */
import { servesDatagrams } from '../../handlers/index.js';
import { overOf } from '../../health/check.js';
import { checkOf } from '../../health/checks/index.js';
import { isMapping, type Path, valueAt } from '../path.js';
import type { Report, Warn } from '../report.js';
import type { UpstreamEntry } from '../schema/upstreams.js';
import type { Source } from '../source.js';
import type { Reachability } from './reachability.js';
import type { Entry, Shape } from './shape.js';
import type { NamedUpstream } from './upstreams.js';

const OF_STREAMS = {
  tcp: '',
  pool: '',
  half_close_timeout: '',
  idle_timeout: '; that of flows is `udp.idle_timeout`',
} as const satisfies Partial<Record<keyof UpstreamEntry, string>>;

const OF_DATAGRAMS = ['udp', 'quic'] as const satisfies readonly (keyof UpstreamEntry)[];

interface Reached extends NamedUpstream {
  readonly byStreams: boolean;
  readonly byDatagrams: boolean;
}

function reachedOf(upstreams: readonly NamedUpstream[], { upstreamsOver }: Reachability): Reached[] {
  const [streams, datagrams] = [upstreamsOver('tcp'), upstreamsOver('udp')];
  return upstreams.map((entry) => ({
    ...entry,
    byStreams: streams.has(entry.name),
    byDatagrams: datagrams.has(entry.name),
  }));
}

/** Where a handler is written, and the upstream that it makes. */
export interface NamedHandler {
  readonly name: string;
  readonly path: Path;
  readonly value: { readonly handler?: string | undefined };
}

/** Of protocols, which need no upstream to have one. */
export const ownHandlers = ({ protocols }: Shape): NamedHandler[] =>
  protocols.map((entry) => ({ ...entry, name: entry.value.name }));

/** What serves connections alone can not serve the datagrams that come, too. */
export function checkHandlersOfDatagrams(
  handlers: readonly NamedHandler[],
  { upstreamsOver }: Reachability,
  report: Report,
): void {
  const reached = upstreamsOver('udp');
  for (const { name, path, value } of handlers) {
    const { handler } = value;
    if (handler === undefined || servesDatagrams(handler) || !reached.has(name)) continue;
    report.problem(
      [...path, 'handler'],
      `\`${handler}\` serves connections alone, and datagrams come here too: leave them to \`builtin:echo\` or a module of your own`,
    );
  }
}

/** The endpoint would not hear who the client is. */
export function checkHeadersOfDatagrams(
  upstreams: readonly NamedUpstream[],
  reachability: Reachability,
  report: Report,
): void {
  for (const { path, value, byDatagrams } of reachedOf(upstreams, reachability)) {
    if (!byDatagrams || value.proxy_protocol.version !== 'v1') continue;
    const why = 'version 1 is for connections alone, and datagrams come here too';
    report.problem([...path, 'proxy_protocol'], `${why}: write \`v2\``);
  }
}

export function warnOfTransportOptions(
  upstreams: readonly NamedUpstream[],
  reachability: Reachability,
  { value: file }: Source,
  warn: Warn,
): void {
  for (const { path, value, byStreams, byDatagrams } of reachedOf(upstreams, reachability)) {
    const own = valueAt(file, path);
    if (!isMapping(own)) continue;
    for (const key of OF_DATAGRAMS)
      if (key in own && !byDatagrams)
        warn([...path, key], 'has no effect: no listener that leads here takes datagrams');
    if (!byDatagrams) continue;
    warnOfQuic({ path, value }, warn);
    warnOfUnixEndpoints({ path, value }, warn);
    if (byStreams) continue;
    warnOfCheckOverTcp({ path, value }, warn);
    for (const [key, instead] of Object.entries(OF_STREAMS))
      if (key in own) warn([...path, key], `has no effect: only datagrams come here${instead}`);
  }
}

function warnOfQuic({ path, value: { quic, udp } }: Entry<UpstreamEntry>, warn: Warn): void {
  const idle = (key: keyof typeof quic, why: string) => warn([...path, 'quic', key], `has no effect ${why}`);
  if (quic.follow_connection_id && udp.per === 'datagram')
    idle('follow_connection_id', 'with `udp.per: datagram`: every datagram goes where it is its turn to');
  if (!quic.follow_connection_id && quic.connection_id_length > 0)
    idle('connection_id_length', 'without `follow_connection_id: true`');
}

/** Another port or address may well be one for connections. */
function warnOfCheckOverTcp(
  { path, value: { health_check: check } }: Entry<UpstreamEntry>,
  warn: Warn,
): void {
  if (check?.port !== undefined || check?.address !== undefined) return;
  const kind = check === undefined ? undefined : checkOf(check.type);
  if (check === undefined || kind === undefined || overOf(kind, check) !== 'tcp') return;
  warn(
    [...path, 'health_check', 'type'],
    `\`${check.type}\` asks over TCP, but only datagrams come here: an endpoint that takes no connections will be down; \`dns\`, \`stun\` and \`send_expect\` with \`transport: udp\` ask over UDP`,
  );
}

function warnOfUnixEndpoints({ path, value }: Entry<UpstreamEntry>, warn: Warn): void {
  const { endpoints = [] } = value;
  const index = endpoints.findIndex(({ address: { address } }) => 'path' in address);
  const name = endpoints[index]?.address.name;
  if (name === undefined) return;
  warn(
    [...path, 'endpoints', index],
    `\`${name}\` takes no datagrams: flows that come here can not go there`,
  );
}
