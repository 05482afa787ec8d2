/** A session as TypeScript knows it, from the moment it is first shown until it has ended. */
import type { Doubtful, Facts } from '../model/facts.js';
import type { ProxyHeader } from '../protocols/proxy-header.js';
import type { RouteSession } from '../routing/condition.js';
import type { FailedDial } from './dial-failure.js';
import type { Served } from './in-process.js';
import type { EventCursor, SessionId } from './rings.js';
import type { Runtime } from './runtime.js';

export const NO_FACTS: Facts = Object.freeze({});
export const NONE_DOUBTFUL: Doubtful = Object.freeze([]);

export class Session implements RouteSession, SessionId {
  protocol = -1;
  /** Of its listener and protocol in the counters; 0: not identified. */
  row = 0;
  facts: Facts = NO_FACTS;
  factsComplete = true;
  broken = false;
  doubtful = NONE_DOUBTFUL;
  /** What a PROXY header before it said. */
  header: ProxyHeader | undefined;
  decidedAt = 0;
  identifyMs = 0;
  /** Where it goes: indices into the runtime's upstreams and that one's endpoints; -1: not yet. */
  upstream = -1;
  endpoint = -1;
  /** Which of the endpoint's addresses is tried. */
  address = 0;
  /** Endpoints that could not be reached. */
  tried: Set<number> | undefined;
  /** The last of them whose queue of connections was full: worth waiting for, when no other is left. */
  full = -1;
  failure: FailedDial | undefined;
  /** Which endpoint could not be reached last; -1: none. */
  lastTried = -1;
  /** What decided where it goes: an index into the Plan's routes, or a key of its listener. */
  decision: number | 'on_unknown' | 'on_silence' | 'proxy_protocol' | undefined;
  /** What failed, for the log. */
  error: string | undefined;
  /** First bytes, in hexadecimal, of one that nobody recognised and that goes somewhere all the same. */
  opening: string | undefined;
  /** By a handler of this process. */
  served: Served | undefined;

  constructor(
    readonly slot: number,
    readonly generation: number,
    readonly listener: number,
    readonly runtime: Runtime,
    readonly events: EventCursor,
  ) {}

  /** Read from the event at hand, which is one of this session's: most sessions are never asked for it. */
  get source(): string {
    return this.events.sourceAddress();
  }

  get protocolId(): string | null {
    return this.runtime.protocols[this.protocol]?.id ?? null;
  }
}
