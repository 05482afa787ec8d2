/** TypeScript's knowledge of a session, from its first event to its end. */
import type { Ask, AskVerdict, Doubtful, Facts, Turn } from '../model/facts.js';
import { NONE } from '../model/ids.js';
import type { PlanListener } from '../model/plan.js';
import type { Recognizer, Transport } from '../model/protocol.js';
import type { ProxyHeader } from '../protocols/proxy-header.js';
import type { RouteSession } from '../routing/condition.js';
import type { FailedDial } from './dial-failure.js';
import type { EndpointNames } from './endpoint-watch.js';
import type { Served } from './in-process.js';
import type { EventCursor, SessionId } from './rings.js';
import type { Runtime, RuntimeUpstream } from './runtime.js';
import type { Tunnel } from './tunnel.js';

export const NO_FACTS: Facts = Object.freeze({});
export const NO_ASKS: readonly Ask[] = Object.freeze([]);
export const NONE_DOUBTFUL: Doubtful = Object.freeze([]);

export class Session implements RouteSession, SessionId {
  protocol = -1;
  /** A flow of datagrams, or a stream. */
  readonly transport: Transport;
  /** Counter row of its listener and protocol; 0: not identified. */
  row = 0;
  facts: Facts = NO_FACTS;
  factsComplete = true as boolean;
  broken = false;
  doubtful = NONE_DOUBTFUL;
  /** The PROXY header before its opening. */
  header: ProxyHeader | undefined;
  /** Further facts follow if the client is answered so. */
  turn: Turn | undefined;
  /** The last answer that it was given. */
  taken: Turn | undefined;
  decidedAt = 0;
  /** Bytes that had come when it was last judged. */
  openingBytes = 0;
  identifyMs = 0;
  /** Indices into the runtime's upstreams, and into that upstream's endpoints; -1: none yet. */
  upstream = -1;
  endpoint = -1;
  /** Endpoints that were unreachable. */
  tried: Set<number> | undefined;
  /** The last endpoint whose backlog was full; retried when no other endpoint is left. */
  full = -1;
  failure: FailedDial | undefined;
  /** What is said on its connection before its bytes, as long as it connects, and how much of that is answered. */
  asks: readonly Ask[] = NO_ASKS;
  asked = 0;
  /** The answer that was a refusal. */
  refusal: Extract<AskVerdict, { verdict: 'no' }> | undefined;
  /** The last unreachable endpoint; -1: none. */
  lastTried = -1;
  /** Since when it waits for a place at an endpoint, and how long it has waited before; -1: not. */
  queuedAtMs = -1;
  queueMs = -1;
  /** The deciding rule: an index into the Plan's routes, or a key of the listener. */
  decision: number | 'on_unknown' | 'on_silence' | 'proxy_protocol' | 'connection_id' | undefined;
  /** The failure, for the log. */
  error: string | undefined;
  /** First bytes in hexadecimal of an unrecognised session that is relayed nevertheless. */
  opening: string | undefined;
  /** Set if an in-process handler serves it. */
  served: Served | undefined;
  /** Set if its client says where it goes. */
  tunnel: Tunnel | undefined;
  /** Whether somebody listened when it began. */
  isReported = false;

  constructor(
    readonly slot: number,
    readonly generation: number,
    readonly listener: number,
    readonly runtime: Runtime,
    readonly events: EventCursor,
  ) {
    this.transport = events.isDatagram ? 'udp' : 'tcp';
  }

  /** A flow: what is known of it goes on under another Plan, where it has another place. */
  continues(before: Session): void {
    const { facts, factsComplete, broken, doubtful, header, decidedAt, identifyMs, decision, isReported } =
      before;
    const { protocols, plan } = this.runtime;
    Object.assign(this, {
      facts,
      factsComplete,
      broken,
      doubtful,
      header,
      decidedAt,
      identifyMs,
      isReported,
    });
    this.protocol = protocols.findIndex(({ id }) => id === before.protocolId);
    const route = typeof decision === 'number' ? before.runtime.plan.routes[decision]?.name : undefined;
    const at = plan.routes.findIndex(({ name }) => name === route);
    this.decision = typeof decision === 'number' ? (at < 0 ? undefined : at) : decision;
  }

  /** Read on demand from the current event, which must belong to this session. */
  get source(): string {
    return this.events.sourceAddress();
  }

  /** When it is asked for. */
  get nowMs(): number {
    return Date.now();
  }

  get planListener(): PlanListener {
    return this.runtime.plan.listeners[this.listener] as PlanListener;
  }

  /** Once it has an upstream. */
  get runtimeUpstream(): RuntimeUpstream {
    return this.runtime.upstreams[this.upstream] as RuntimeUpstream;
  }

  /** For messages; an endpoint that is not picked has no name. */
  get names(): EndpointNames {
    const { name: upstream, endpoints } = this.runtimeUpstream.plan;
    return { upstream, endpoint: endpoints[this.endpoint]?.name ?? '' };
  }

  get endpointId(): number {
    return this.runtime.plan.ids.endpoints[this.upstream]?.[this.endpoint] ?? NONE;
  }

  /** Of its protocol, once known. */
  get recognizer(): Recognizer | undefined {
    return this.runtime.protocols[this.protocol]?.[this.transport] ?? undefined;
  }

  get protocolId(): string | null {
    return this.runtime.protocols[this.protocol]?.id ?? null;
  }
}
