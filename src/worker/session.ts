/**
 * The sequencer: classify → route → pick → connect, and again with another endpoint when one can not be reached.
 *
 * It is shown what happened to many sessions at once and answers for each: dial, wait for more bytes, or end. The
 * bytes themselves stay in the engine; here a session is what is known of it.
 */
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import type { Engine } from '../addon.js';
import type { LogLine } from '../base/log.js';
import type { WorkerCounters } from '../metrics/counters.js';
import type { Doubtful, Facts } from '../model/facts.js';
import type { PlanListener, PlanTarget } from '../model/plan.js';
import type { Closing, Ender, Reason, Stage } from '../model/session.js';
import { type ProxyHeader, readProxyHeader, withHeader } from '../protocols/proxy-header.js';
import type { RouteSession } from '../routing/condition.js';
import type { Account, SessionLine } from './account.js';
import { type FailedDial, reasonOfFailure } from './dial-failure.js';
import { type Served, serve } from './in-process.js';
import type { Answers, Cause, EventCursor, SessionId } from './rings.js';
import type { Runtime, RuntimeUpstream } from './runtime.js';

export interface SequencerOptions {
  readonly worker: number;
  readonly engine: Pick<Engine, 'attach'>;
  /** Has the answers carried out although no turn is under way, but not in the middle of a promise job. */
  readonly flushSoon: () => void;
  readonly events: EventCursor;
  readonly answers: Answers;
  readonly arena: Buffer;
  readonly counters: WorkerCounters;
  readonly account: Account;
  /** Says, at a bounded rate, that a handler failed. */
  readonly complain: LogLine;
  /** The runtime of a Plan's generation; it is there for as long as a session that began with it may be shown. */
  readonly runtimeOf: (generation: number) => Runtime;
}

const NO_FACTS: Facts = Object.freeze({});
const NONE_DOUBTFUL: Doubtful = Object.freeze([]);

/** What is known of a session from the moment it is first shown until it has ended. */
class Session implements RouteSession, SessionId {
  protocol = -1;
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
  /** What failed, for the log. */
  error: string | undefined;
  connected = false as boolean;
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

export class Sequencer {
  readonly #options: SequencerOptions;
  /** By slot. A slot is given out again only after its session's end has been shown. */
  readonly #sessions: (Session | undefined)[] = [];

  constructor(options: SequencerOptions) {
    this.#options = options;
  }

  /** Events [from, to) of the ring. */
  onTurn(from: number, to: number): void {
    const { events } = this.#options;
    for (let event = from; event < to; event += 1) {
      events.moveTo(event);
      this.#step();
    }
  }

  #step(): void {
    const { events } = this.#options;
    const session = this.#sessions[events.slot];
    if (events.kind === 'classified') this.#classified(session ?? this.#begin(), events.cause);
    else if (events.kind === 'ended') this.#ended(session);
    else if (events.kind === 'proxied') this.#proxied(this.#begin());
    else if (session === undefined) throw new Error(`an event of an unknown session: ${events.kind}`);
    else if (events.kind === 'connected') this.#connected(session);
    else this.#unreachable(session);
  }

  #begin(): Session {
    const { events, runtimeOf } = this.#options;
    const { slot, generation, listener } = events;
    const session = new Session(slot, generation, listener, runtimeOf(events.plan), events);
    this.#sessions[slot] = session;
    return session;
  }

  // ---- sniff

  /** The engine has found a PROXY header: what it says is read here. */
  #proxied(session: Session): void {
    const answer = readProxyHeader(this.#sniffed());
    if (answer.verdict !== 'header') return this.#end(session, 'proxy', 'sniff', 'rejected', 'reset');
    const { facts, doubtful } = answer.header;
    session.header = answer.header;
    [session.facts, session.doubtful] = [facts, doubtful];
    this.#options.answers.proceed(session);
  }

  // ---- classify

  #classified(session: Session, cause: Cause): void {
    const { events } = this.#options;
    if (cause === 'silence') {
      const { onSilence, onUnknown } = this.#listener(session);
      return this.#go(session, onSilence?.to ?? onUnknown);
    }
    if (events.protocol < 0) return this.#unrouted(session, cause);
    const protocol = session.runtime.order[session.listener]?.[events.protocol] ?? -1;
    if (session.protocol < 0 && !this.#confirmed(session, protocol, cause)) return;
    if (session.protocol < 0) this.#identified(session, protocol);
    const bytesNeeded = this.#wantsFacts(session) ? this.#readFacts(session, cause) : 0;
    this.#route(session, cause, bytesNeeded);
  }

  /** False: it is not this protocol, or can not be said yet, and the engine has its answer. */
  #confirmed(session: Session, protocol: number, cause: Cause): boolean {
    const { answers } = this.#options;
    const confirmation = session.runtime.protocols[protocol]?.confirm?.(this.#sniffed());
    if (confirmation === undefined || confirmation.verdict === 'match') return true;
    if (cause === 'quiet' && this.#settlesQuietly(session)) return true;
    if (confirmation.verdict === 'no' || isLast(cause) || cause === 'quiet') answers.reject(session);
    else answers.wait(session, confirmation.bytesNeeded, false, confirmation.quietMs);
    return false;
  }

  #settlesQuietly({ runtime, listener }: Session): boolean {
    return runtime.settlesQuietly[listener]?.[this.#options.events.protocol] ?? false;
  }

  #identified(session: Session, protocol: number): void {
    const { events, counters } = this.#options;
    session.protocol = protocol;
    session.decidedAt = events.decidedAt;
    session.identifyMs = events.identifyMs;
    counters.identified(session.listener, protocol, events.identifyMs);
  }

  #wantsFacts({ runtime, listener, protocol }: Session): boolean {
    return runtime.showsFacts || runtime.routes.needsFacts(listener, protocol);
  }

  /** How many bytes the facts need in all, 0 when they are complete. */
  #readFacts(session: Session, cause: Cause): number {
    const parse = session.runtime.protocols[session.protocol]?.facts;
    if (parse === undefined) return 0;
    const read = parse(this.#sniffed(), cause === 'full');
    const answer = session.header === undefined ? read : withHeader(read, session.header);
    session.facts = answer.facts;
    session.broken = answer.verdict === 'broken';
    session.doubtful = answer.verdict === 'broken' ? NONE_DOUBTFUL : (answer.doubtful ?? NONE_DOUBTFUL);
    session.factsComplete = answer.verdict !== 'more';
    return answer.verdict === 'more' ? answer.bytesNeeded : 0;
  }

  #sniffed(): Buffer {
    const { events, arena } = this.#options;
    return arena.subarray(events.bytesOffset, events.bytesOffset + events.bytesLength);
  }

  // ---- route

  #route(session: Session, cause: Cause, bytesNeeded: number): void {
    // Facts that are not complete now can not be read.
    if (isLast(cause) && !session.factsComplete) [session.factsComplete, session.broken] = [true, true];
    const routed = session.runtime.routes.route(session);
    switch (routed.kind) {
      case 'to':
        return this.#go(session, routed.target);
      case 'more':
        return this.#options.answers.wait(session, bytesNeeded, true);
      case 'refuse':
        return this.#refuse(session, cause);
      case 'none':
        return this.#unrouted(session, cause);
    }
  }

  /** Fail closed: a rule needs facts that can not be read. */
  #refuse(session: Session, cause: Cause): void {
    if (cause === 'timeout') return this.#end(session, 'timeout', 'sniff', 'identify_timeout');
    if (cause === 'finished') return this.#end(session, 'client', 'sniff', 'client_gone');
    this.#end(session, 'proxy', 'route', 'rejected', 'reset');
  }

  /** No protocol was recognised, or none that goes anywhere. */
  #unrouted(session: Session, cause: Cause): void {
    const { onUnknown } = this.#listener(session);
    if (onUnknown.kind === 'upstream') return this.#go(session, onUnknown);
    const { closing } = onUnknown;
    if (session.protocol >= 0) return this.#end(session, 'proxy', 'route', 'no_route', closing);
    if (cause === 'timeout') return this.#end(session, 'timeout', 'sniff', 'identify_timeout', closing);
    if (cause === 'finished') return this.#end(session, 'client', 'sniff', 'client_gone', closing);
    this.#end(session, 'proxy', 'classify', 'unknown_protocol', closing);
  }

  #go(session: Session, target: PlanTarget): void {
    if (target.kind === 'end') return this.#end(session, 'proxy', 'route', 'rejected', target.closing);
    session.upstream = target.upstream;
    if (this.#upstream(session).plan.handler !== null) return this.#attach(session);
    this.#pick(session);
  }

  // ---- pick and connect

  #pick(session: Session): void {
    const { balancer, plan } = this.#upstream(session);
    const exhausted = (session.tried?.size ?? 0) > plan.retries;
    const next = exhausted ? -1 : balancer.pick(session.source, session.tried);
    const patient = next < 0 && session.full >= 0;
    session.endpoint = patient ? session.full : next;
    session.address = 0;
    if (session.endpoint >= 0) {
      if (patient) session.full = -1;
      balancer.connected(session.endpoint);
      return this.#dial(session, patient);
    }
    if (session.failure === undefined) return this.#end(session, 'proxy', 'pick', 'no_endpoint', 'reset');
    this.#end(session, session.failure.by, 'connect', session.failure.reason, 'reset');
  }

  #dial(session: Session, patient = false): void {
    const { answers, counters } = this.#options;
    const address = this.#upstream(session).addresses[session.endpoint]?.[session.address];
    assert(address !== undefined, 'an endpoint without an address was picked');
    answers.dial(session, address, counters.bytesCell(session.listener, session.protocol), patient);
  }

  #connected(session: Session): void {
    const { counters, events } = this.#options;
    if (session.endpoint < 0) return; // an in-process handler
    session.connected = true;
    counters.connected(session.upstream, session.endpoint, events.connectMs);
  }

  /** The endpoint's next address first, then another endpoint: no byte has reached this one. */
  #unreachable(session: Session): void {
    const { counters, events } = this.#options;
    const { balancer, addresses } = this.#upstream(session);
    session.failure = reasonOfFailure(events.error);
    if (!session.failure.elsewhere) return this.#end(session, 'proxy', 'connect', 'over_limit', 'reset');
    counters.connectFailed(session.upstream, session.endpoint, session.failure.reason);
    session.address += 1;
    if (session.address < (addresses[session.endpoint]?.length ?? 0)) return this.#dial(session);
    balancer.released(session.endpoint);
    session.tried ??= new Set();
    session.tried.add(session.endpoint);
    if (events.error === constants.errno.EAGAIN) session.full = session.endpoint;
    session.endpoint = -1;
    this.#pick(session);
  }

  #attach(session: Session): void {
    const { engine, counters, complain, worker, flushSoon } = this.#options;
    const fd = engine.attach(
      session.slot,
      session.generation,
      counters.bytesCell(session.listener, session.protocol),
    );
    if (fd < 0) return this.#end(session, 'proxy', 'connect', 'over_limit', 'reset');
    const { handler } = this.#upstream(session);
    if (handler === null) return this.#end(session, 'proxy', 'connect', 'handler_error', 'reset');
    const told = {
      id: `${worker}-${session.slot}-${session.generation}`,
      listener: this.#listener(session).name,
      protocol: session.protocolId,
      source: sourceText(this.#options.events),
      facts: session.facts,
      identifyMs: session.identifyMs,
      decidedAtByte: session.decidedAt,
      worker,
    };
    session.served = serve(fd, handler, told, (failure) => {
      session.error = failure.error;
      complain({ upstream: this.#upstream(session).plan.name, ...failure }, 'handler failed');
      this.#end(session, 'proxy', 'relay', 'handler_error', 'reset');
      // It may fail between two turns.
      flushSoon();
    });
  }

  // ---- end

  #end(session: Session, by: Ender, during: Stage, reason: Reason, closing: Closing = 'close'): void {
    this.#options.answers.end(session, by, during, reason, closing);
  }

  #ended(session: Session | undefined): void {
    const { events, account } = this.#options;
    this.#sessions[events.slot] = undefined;
    session?.served?.ended(events.reason);
    if (session !== undefined && session.endpoint >= 0) this.#release(session);
    const { listener, reason, durationMs } = events;
    account({ listener, protocol: session?.protocol ?? -1, reason, durationMs }, () =>
      this.#describe(session),
    );
  }

  #release(session: Session): void {
    this.#upstream(session).balancer.released(session.endpoint);
    if (session.connected) this.#options.counters.released(session.upstream, session.endpoint);
  }

  /** One that was never shown before its end has a listener and a source, and no more. */
  #describe(session: Session | undefined): SessionLine {
    const { events, runtimeOf } = this.#options;
    const { plan } = session?.runtime ?? runtimeOf(events.plan);
    const upstream = session && plan.upstreams[session.upstream];
    return {
      listener: plan.listeners[events.listener]?.name ?? '',
      protocol: session?.protocolId ?? null,
      facts: session?.facts ?? NO_FACTS,
      source: sourceText(events),
      upstream: upstream?.name ?? null,
      endpoint: (session && upstream?.endpoints[session.endpoint]?.name) ?? null,
      bytesUp: events.bytesUp,
      bytesDown: events.bytesDown,
      identifyMs: events.identifyMs,
      connectMs: events.connectMs,
      durationMs: events.durationMs,
      by: events.by,
      during: events.during,
      reason: events.reason,
      error: session?.error,
    };
  }

  #listener(session: Session): PlanListener {
    return session.runtime.plan.listeners[session.listener] as PlanListener;
  }

  #upstream(session: Session): RuntimeUpstream {
    return session.runtime.upstreams[session.upstream] as RuntimeUpstream;
  }
}

/** No more bytes will come, or be waited for. */
const isLast = (cause: Cause): boolean => cause === 'finished' || cause === 'full' || cause === 'timeout';

/** The client of the event at hand. */
function sourceText(events: EventCursor): string {
  const address = events.sourceAddress();
  if (address === '') return 'unix';
  return address.includes(':') ? `[${address}]:${events.sourcePort}` : `${address}:${events.sourcePort}`;
}
