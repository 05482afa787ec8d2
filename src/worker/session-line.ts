/** The access log line of an ended session or a refused connection. */
import { hostPort } from '../base/address.js';
import type { SessionTransport } from '../model/protocol.js';
import type { SessionLine } from './account.js';
import { errorName } from './dial-failure.js';
import { NO_FACTS, type Session } from './known-session.js';
import type { EventCursor, SessionId } from './rings.js';
import type { KeptPlan } from './runtime.js';

/** `session`: undefined if its end is its first event. `id`: where other lines carry it too. */
export function lineOf(
  events: EventCursor,
  session: Session | undefined,
  plan: KeptPlan,
  id?: string,
): SessionLine {
  const upstream = session && plan.upstreams[session.upstream];
  const endpoint = session && (session.endpoint >= 0 ? session.endpoint : session.lastTried);
  const protocol = session?.protocolId ?? null;
  return {
    listener: plan.listeners[events.listener]?.name ?? '',
    protocol,
    facts: session?.facts ?? NO_FACTS,
    source: sourceText(events),
    transport: transportOf(events),
    upstream: upstream?.name ?? null,
    endpoint:
      destinationText(session) ?? ((endpoint !== undefined && upstream?.endpoints[endpoint]?.name) || null),
    user: session?.runtime.proxy?.plan.logUsers ? session.tunnel?.user : undefined,
    status: session?.tunnel?.status || undefined,
    openingBytes: session?.openingBytes ?? 0,
    bytesUp: events.bytesUp,
    bytesDown: events.bytesDown,
    identifyMs: events.identifyMs,
    connectMs: events.connectMs,
    queueMs: session !== undefined && session.queueMs >= 0 ? session.queueMs : undefined,
    durationMs: events.durationMs,
    by: events.by,
    during: events.during,
    reason: events.reason,
    error: session?.error,
    route: events.reason === 'rejected' ? decisionText(session, plan) : undefined,
    opening: protocol === null ? (session?.opening ?? events.opening()) || undefined : undefined,
    session: id,
  };
}

/** Where its client has asked to go; undefined: it has not. */
function destinationText(session: Session | undefined): string | undefined {
  const destination = session?.tunnel?.destination;
  return destination && hostPort(destination.host, destination.port);
}

/** Line of a connection that was accepted and reset at once. */
export function refusedLine(events: EventCursor, plan: KeptPlan): SessionLine {
  return {
    listener: plan.listeners[events.listener]?.name ?? '',
    protocol: null,
    facts: NO_FACTS,
    source: sourceText(events),
    transport: transportOf(events),
    upstream: null,
    endpoint: null,
    openingBytes: 0,
    bytesUp: 0,
    bytesDown: 0,
    identifyMs: 0,
    connectMs: 0,
    durationMs: 0,
    by: 'proxy',
    during: events.error === 0 ? 'admit' : 'accept',
    reason: events.reason,
    error: events.error === 0 ? events.check : errorName(events.error),
  };
}

function transportOf({ isDatagram, isKcp }: EventCursor): SessionTransport {
  if (isKcp) return 'kcp';
  return isDatagram ? 'udp' : 'tcp';
}

/** The deciding route or key, as named in the configuration. The engine itself rejects only invalid PROXY headers. */
export function decisionText(session: Session | undefined, plan: KeptPlan): string | undefined {
  const decision = session === undefined ? 'proxy_protocol' : session.decision;
  return typeof decision === 'number' ? plan.routes[decision]?.name : decision;
}

/** A session's number in logs, lists and for handlers. */
export const idText = (worker: number, { slot, generation }: SessionId): string =>
  `${worker}-${slot}-${generation}`;

/** The client's address in the current event or row. */
export function sourceText(events: Pick<EventCursor, 'sourceAddress' | 'sourcePort'>): string {
  const address = events.sourceAddress();
  return address === '' ? 'unix' : hostPort(address, events.sourcePort);
}
