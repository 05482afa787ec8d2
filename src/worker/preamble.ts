/**
 * What is said on a session's connection before its bytes (of a flow: before each datagram): requests to the proxies on the
 * way, then to the endpoint a PROXY header and the question that its protocol asks first.
 */
import type { Engine } from '../addon.js';
import { parseEndpoint } from '../base/address.js';
import type { SocketAddress } from '../model/address.js';
import type { Ask } from '../model/facts.js';
import type { PlanTarget, PlanUpstream } from '../model/plan.js';
import { proxyHeader, saysFacts, type Told } from '../protocols/proxy-writer.js';
import type { RouteSession } from '../routing/condition.js';
import { NO_ASKS, type Session } from './known-session.js';
import type { EventCursor, SessionId } from './rings.js';
import { idText } from './session-line.js';

export interface Surroundings {
  /** At an event of the session. */
  readonly events: EventCursor;
  readonly engine: Pick<Engine, 'destination'>;
  readonly worker: number;
}

/** In their order; of the last alone no answer may be awaited. */
export function asksOf(session: Session, around: Surroundings): readonly Ask[] {
  const way = session.runtimeUpstream.ways[session.endpoint] ?? NO_ASKS;
  const last = askOfEndpoint(session, around);
  return last === null ? way : [...way, last];
}

/** Null: it is told nothing. */
function askOfEndpoint(session: Session, around: Surroundings): Ask | null {
  const ask = session.taken?.ask ?? null;
  const { proxy_protocol: proxy } = session.runtimeUpstream.plan.options;
  if (proxy.version === 'off') return ask;
  const ends = { source: sourceOf(around.events), destination: destinationOf(session, around) };
  const header = proxyHeader(proxy, ends, toldOf(session, around.worker), session.transport);
  return ask === null
    ? { words: 'a PROXY header', bytes: header, expected: 0, judge: () => ({ verdict: 'yes', bytes: 0 }) }
    : { ...ask, bytes: Buffer.concat([header, ask.bytes]) };
}

function sourceOf(events: EventCursor): SocketAddress {
  const host = events.sourceAddress();
  return host === '' ? { path: '' } : { host, port: events.sourcePort };
}

/** The announced one behind a PROXY header, or else that of the client's connection. */
function destinationOf(
  { header, slot, generation }: Session,
  { engine, events }: Surroundings,
): SocketAddress {
  const announced = header?.addresses && parseEndpoint(header.addresses.destination);
  if (announced && 'host' in announced) return announced;
  const own = engine.destination(slot, generation);
  if (own !== null && 'host' in own === (events.sourceAddress() !== '')) return own;
  return events.sourceAddress() === '' ? { path: '' } : { host: '0.0.0.0', port: 0 };
}

function toldOf(session: RouteSession & SessionId, worker: number): Told {
  const { facts, doubtful, broken } = session;
  const isSure = (name: string) => !broken && !doubtful.includes(name);
  const name = facts.sni === undefined ? 'host' : 'sni';
  return {
    alpn: isSure('alpn') ? (facts.alpn?.[0] ?? '') : '',
    authority: isSure(name) ? (facts[name] ?? '') : '',
    unique_id: idText(worker, session),
  };
}

type Optioned = Pick<PlanUpstream, 'options'>;

/** Whether its PROXY header says what the session's opening says. */
export const tellsFacts = ({ options }: Optioned): boolean => saysFacts(options.proxy_protocol);

export const tellsFactsTo = (
  { upstreams }: { readonly upstreams: readonly { readonly plan: Optioned }[] },
  target: PlanTarget,
): boolean => {
  const upstream = target.kind === 'upstream' ? upstreams[target.upstream] : undefined;
  return upstream !== undefined && tellsFacts(upstream.plan);
};

/** Whether its PROXY header says the session's id. */
export const tellsId = (upstream: Optioned | undefined): boolean =>
  upstream?.options.proxy_protocol.tlvs.includes('unique_id') ?? false;
