/**
 * The sequencer: classify → route → pick → connect, and pick again when an endpoint is unreachable.
 *
 * Receives the events of many sessions per call and answers each: dial, wait for more bytes, reject, or end. Bytes stay
 * in the engine; here a session is only the knowledge about it.
 */
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import type { Engine } from '../addon.js';
import type { LogLine } from '../base/log.js';
import type { Turn } from '../model/facts.js';
import { NONE } from '../model/ids.js';
import type { PlanListener, PlanTarget } from '../model/plan.js';
import type { Closing, Ender, Reason, Stage } from '../model/session.js';
import { boundedBy } from '../protocols/bounds.js';
import { readProxyHeader, withHeader } from '../protocols/proxy-header.js';
import type { Account } from './account.js';
import type { AtWork } from './at-work.js';
import { errorName, reasonOfFailure } from './dial-failure.js';
import type { EndpointNames, EndpointWatch } from './endpoint-watch.js';
import type { Failures } from './failures.js';
import { serve } from './in-process.js';
import { NONE_DOUBTFUL, Session } from './known-session.js';
import { preambleOf, tellsFactsTo, tellsId } from './preamble.js';
import { type Answers, type Cause, type EventCursor, hexOf, type SessionId } from './rings.js';
import type { Runtime, RuntimeUpstream } from './runtime.js';
import { decisionText, idText, lineOf, refusedLine, sourceText } from './session-line.js';

export interface SequencerOptions {
  readonly worker: number;
  readonly engine: Pick<Engine, 'attach' | 'destination'>;
  /** Flushes answers written outside of a turn, after the current promise job. */
  readonly flushSoon: () => void;
  /** Flushes them at once: not in a turn's own code. */
  readonly flush: () => void;
  readonly events: EventCursor;
  readonly answers: Answers;
  readonly arena: Buffer;
  readonly account: Account;
  readonly endpoints: EndpointWatch;
  readonly failures: Pick<Failures, 'add'>;
  readonly atWork: AtWork;
  /** Logs the result of each stage; null: debug logging is off. */
  readonly debug: LogLine | null;
  /** Logs failures of handlers, rate-limited. */
  readonly complain: LogLine;
  readonly nowMs: () => number;
  /** Whether sessions may be waiting for a place at the upstream with this id, on any worker. */
  readonly someWait: (upstream: number) => boolean;
  /** The runtime of a Plan's generation; exists as long as events of its sessions can arrive. */
  readonly runtimeOf: (generation: number) => Runtime;
}

/** Over 20 methods: one for each event and each step of a session; all read the current event. */
export class Sequencer {
  readonly #options: SequencerOptions;
  /** By slot. A slot is reused only after the end of its session has been reported. */
  readonly #sessions: (Session | undefined)[] = [];
  /** By slot, of connected sessions that are not in `#sessions` any more. */
  readonly #decisions: Session['decision'][] = [];

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

  /** What is known of a live session. */
  sessionOf({ slot, generation }: SessionId): Session | undefined {
    const session = this.#sessions[slot];
    return session?.generation === generation ? session : undefined;
  }

  /** What decided about a connected session of which nothing else is known. */
  decisionOf(slot: number): Session['decision'] {
    return this.#decisions[slot];
  }

  #step(): void {
    const { events } = this.#options;
    const { kind } = events;
    if (kind === 'refused') return this.#refused();
    const session = this.#sessions[events.slot];
    if (kind === 'classified') this.#classified(session ?? this.#begin(), events.cause);
    else if (kind === 'ended') this.#ended(session);
    else if (kind === 'proxied') this.#proxied(this.#begin());
    else if (kind === 'arrived') this.#arrived(this.#begin());
    else if (session === undefined) throw new Error(`an event of an unknown session: ${kind}`);
    else if (kind === 'connected') this.#connected(session);
    else if (kind === 'full') this.#pick(session);
    else if (kind === 'answered') this.#answered(session);
    else this.#unreachable(session);
  }

  #begin(): Session {
    const { events, runtimeOf, account } = this.#options;
    const { slot, generation, listener } = events;
    const session = new Session(slot, generation, listener, runtimeOf(events.plan), events);
    session.isReported = account.reports;
    this.#sessions[slot] = session;
    return session;
  }

  // ---- sniff

  /** Asked only where a route may be decided before the first byte. */
  #arrived(session: Session): void {
    if (this.#routedAtAccept(session)) return;
    // While it waits for bytes it costs nothing here.
    this.#sessions[session.slot] = undefined;
    this.#options.answers.proceed(session);
  }

  #routedAtAccept(session: Session): boolean {
    const routed = session.runtime.routes.routeAtAccept(session);
    if (routed === null) return false;
    session.decision = routed.route;
    this.#go(session, routed.target);
    return true;
  }

  /** The engine has found a PROXY header; its facts are parsed here. */
  #proxied(session: Session): void {
    const answer = readProxyHeader(this.#sniffed());
    session.decision = 'proxy_protocol';
    if (answer.verdict !== 'header') return this.#end(session, 'proxy', 'sniff', 'rejected', 'reset');
    const { facts, doubtful } = answer.header;
    session.header = answer.header;
    [session.facts, session.doubtful] = [facts, doubtful];
    if (!this.#routedAtAccept(session)) this.#options.answers.proceed(session);
  }

  // ---- classify

  #classified(session: Session, cause: Cause): void {
    const { events } = this.#options;
    if (this.#tells) this.#tell(session, 'sniff', { cause, bytes: events.bytesLength });
    if (cause === 'silence') {
      const { onSilence, onUnknown } = this.#listener(session);
      session.decision = onSilence === null ? 'on_unknown' : 'on_silence';
      return this.#go(session, onSilence?.to ?? onUnknown);
    }
    if (events.protocol < 0) return this.#unrouted(session, cause);
    const protocol = session.runtime.order[session.listener]?.[events.protocol] ?? -1;
    if (session.protocol < 0 && !this.#confirmed(session, protocol, cause)) return;
    if (session.protocol < 0) this.#identified(session, protocol);
    const bytesNeeded = this.#wantsFacts(session) ? this.#readFacts(session, cause) : 0;
    this.#route(session, cause, bytesNeeded);
  }

  /** False: refused or undecided, and the answer is written. */
  #confirmed(session: Session, protocol: number, cause: Cause): boolean {
    const { answers } = this.#options;
    const confirmation = session.runtime.protocols[protocol]?.confirm?.(this.#sniffed());
    if (confirmation === undefined || confirmation.verdict === 'match') return true;
    if (cause === 'quiet' && this.#settlesQuietly(session)) return true;
    if (confirmation.verdict === 'no' || isLast(cause) || cause === 'quiet') answers.reject(session);
    else answers.wait(session, 0, confirmation.bytesNeeded, confirmation.quietMs);
    return false;
  }

  #settlesQuietly({ runtime, listener }: Session): boolean {
    return runtime.settlesQuietly[listener]?.[this.#options.events.protocol] ?? false;
  }

  #identified(session: Session, protocol: number): void {
    const { events } = this.#options;
    session.protocol = protocol;
    session.decidedAt = events.decidedAt;
    session.identifyMs = events.identifyMs;
    session.row = session.runtime.counts.sessionRow(session.listener, protocol);
    if (this.#tells)
      this.#tell(session, 'classify', { protocol: session.protocolId, decided_at_byte: events.decidedAt });
  }

  #wantsFacts({ runtime, listener, protocol, isReported }: Session): boolean {
    const { showsFacts, balancesByFacts, routes } = runtime;
    return showsFacts || balancesByFacts || isReported || routes.needsFacts(listener, protocol);
  }

  /** Prefix length that the facts need; 0: complete. */
  #readFacts(session: Session, cause: Cause): number {
    const { protocols, routes } = session.runtime;
    const { taken } = session;
    const parse = taken === undefined ? protocols[session.protocol]?.facts : boundedBy(taken.facts);
    if (parse === undefined) return 0;
    const read = parse(this.#sniffed(), cause === 'full');
    const answer = session.header === undefined ? read : withHeader(read, session.header);
    session.facts = answer.facts;
    session.broken = answer.verdict === 'broken';
    session.doubtful = answer.verdict === 'broken' ? NONE_DOUBTFUL : (answer.doubtful ?? NONE_DOUBTFUL);
    session.turn =
      answer.verdict === 'facts' && !isLast(cause) && routes.asksHello(session.listener, session.protocol)
        ? answer.turn
        : undefined;
    session.factsComplete = answer.verdict !== 'more' && session.turn === undefined;
    return answer.verdict === 'more' ? answer.bytesNeeded : 0;
  }

  #sniffed(): Buffer {
    const { events, arena } = this.#options;
    return arena.subarray(events.bytesOffset, events.bytesOffset + events.bytesLength);
  }

  // ---- route

  #route(session: Session, cause: Cause, bytesNeeded: number): void {
    // No more bytes will arrive, so incomplete facts are unreadable.
    if (isLast(cause) && !session.factsComplete) [session.factsComplete, session.broken] = [true, true];
    const routed = session.runtime.routes.route(session);
    switch (routed.kind) {
      case 'to':
        if (this.#awaitsFacts(session, cause, routed.target)) return this.#hearOn(session, bytesNeeded);
        session.decision = routed.route;
        return this.#go(session, routed.target);
      case 'more':
        return this.#hearOn(session, bytesNeeded);
      case 'refuse':
        session.decision = routed.route;
        session.error = 'a fact that the route needs can not be read';
        return this.#refuse(session, cause);
      case 'none':
        return this.#unrouted(session, cause);
    }
  }

  /** The upstream knows clients by a fact that is still to come. */
  #balancerAwaits({ runtime, facts, factsComplete }: Session, target: PlanTarget): boolean {
    if (factsComplete || target.kind !== 'upstream' || !runtime.balancesByFacts) return false;
    return runtime.upstreams[target.upstream]?.balancer.awaits(facts) ?? false;
  }

  /** What is done with the session needs facts that are still to come, though its route does not. */
  #awaitsFacts(session: Session, cause: Cause, target: PlanTarget): boolean {
    if (session.factsComplete || isLast(cause)) return false;
    return (
      this.#balancerAwaits(session, target) ||
      (session.turn === undefined && tellsFactsTo(session.runtime, target))
    );
  }

  #hearOn(session: Session, bytesNeeded: number): void {
    if (session.turn !== undefined) return this.#reply(session, session.turn);
    this.#options.answers.wait(session, session.row, bytesNeeded);
  }

  /** What comes before the answer is in clear text, and could pass for what comes behind it (CVE-2021-23222). */
  #reply(session: Session, turn: Turn): void {
    const { events, answers } = this.#options;
    session.taken = turn;
    session.turn = undefined;
    if (events.bytesLength === turn.bytes) return answers.reply(session, session.row, turn.reply, 1);
    session.error = 'the client does not wait for the answer to its request';
    this.#end(session, 'proxy', 'route', 'rejected', 'reset');
  }

  /** Fail closed: a rule needs facts that are unreadable. */
  #refuse(session: Session, cause: Cause): void {
    if (cause === 'timeout') return this.#end(session, 'timeout', 'sniff', 'identify_timeout');
    if (cause === 'finished') return this.#end(session, 'client', 'sniff', 'client_gone');
    this.#end(session, 'proxy', 'route', 'rejected', 'reset');
  }

  /** No protocol was recognised, or none with a route. */
  #unrouted(session: Session, cause: Cause): void {
    const { onUnknown } = this.#listener(session);
    session.decision = 'on_unknown';
    if (onUnknown.kind === 'upstream') {
      if (session.protocol < 0) session.opening = hexOf(this.#sniffed(), OPENING_BYTES);
      return this.#go(session, onUnknown);
    }
    const { closing } = onUnknown;
    if (session.protocol >= 0) return this.#end(session, 'proxy', 'route', 'no_route', closing);
    if (cause === 'timeout') return this.#end(session, 'timeout', 'sniff', 'identify_timeout', closing);
    if (cause === 'finished') return this.#end(session, 'client', 'sniff', 'client_gone', closing);
    this.#end(session, 'proxy', 'classify', 'unknown_protocol', closing);
  }

  #go(session: Session, target: PlanTarget): void {
    if (target.kind === 'end') return this.#end(session, 'proxy', 'route', 'rejected', target.closing);
    session.upstream = target.upstream;
    if (this.#tells) this.#tell(session, 'route', { upstream: this.#upstream(session).plan.name });
    if (this.#upstream(session).plan.handler !== null) return this.#attach(session);
    this.#pick(session);
  }

  // ---- pick and connect

  #pick(session: Session): void {
    const { balancer, plan } = this.#upstream(session);
    const exhausted = (session.tried?.size ?? 0) > plan.options.retries;
    if (!exhausted && this.#standsBehind(session)) return this.#queue(session);
    const next = exhausted ? -1 : balancer.pick(session);
    const patient = next < 0 && session.full >= 0;
    session.endpoint = patient ? session.full : next;
    if (session.endpoint >= 0) {
      if (patient) session.full = -1;
      return this.#dial(session, patient);
    }
    // Whoever waits goes on when every endpoint is down: the time of the wait is its limit.
    if (session.queuedAtMs >= 0) return this.#queue(session);
    if (!exhausted && balancer.isFull(session.tried)) {
      session.error = FULL;
      if (plan.options.queue.length > 0) return this.#queue(session);
      return this.#end(session, 'proxy', 'pick', 'over_limit', 'reset');
    }
    if (session.failure === undefined) return this.#end(session, 'proxy', 'pick', 'no_endpoint', 'reset');
    this.#end(session, session.failure.by, 'connect', session.failure.reason, 'reset');
  }

  /** It comes when others wait, who are served before. */
  #standsBehind({ runtime, upstream, queuedAtMs }: Session): boolean {
    const { options } = (runtime.upstreams[upstream] as RuntimeUpstream).plan;
    if (options.queue.length === 0 || options.max_connections === 0 || queuedAtMs >= 0) return false;
    return this.#options.someWait(runtime.plan.ids.upstreams[upstream] ?? NONE);
  }

  /** Waits for a place, or goes on waiting; the engine reports `full` when it is worth another look. */
  #queue(session: Session): void {
    const { answers, nowMs } = this.#options;
    if (session.queuedAtMs < 0) {
      session.queuedAtMs = nowMs();
      if (this.#tells) this.#tell(session, 'pick', { queued: true });
    }
    session.error = FULL;
    answers.queue(session, session.row, session.upstream);
  }

  #waited(session: Session): void {
    if (session.queuedAtMs < 0) return;
    session.queueMs = Math.max(session.queueMs, 0) + this.#options.nowMs() - session.queuedAtMs;
    session.queuedAtMs = -1;
  }

  #dial(session: Session, patient = false): void {
    const { answers, events, engine, worker } = this.#options;
    const range = this.#upstream(session).dials[session.endpoint];
    assert(range !== undefined && range.count > 0, 'an endpoint without an address was picked');
    if (this.#tells)
      this.#tell(session, 'connect', { endpoint: this.#endpointName(session), addresses: range.count });
    const { counts } = session.runtime;
    answers.dial(session, session.row, {
      first: range.first,
      count: range.count,
      patient,
      endpoint: session.endpointId,
      endpointRow: counts.endpointRow(session.upstream, session.endpoint),
      upstream: session.upstream,
      preamble: preambleOf(session, this.#upstream(session).plan.options, { events, engine, worker }),
    });
  }

  /** The endpoint has answered what it was asked before the session's bytes. */
  #answered(session: Session): void {
    const { answers, events } = this.#options;
    const verdict = session.ask?.judge(this.#sniffed()) ?? { verdict: 'yes', bytes: 0 };
    if (verdict.verdict === 'yes') return answers.goOn(session, session.row, verdict.bytes);
    if (verdict.verdict === 'more') {
      const expected = Math.max(verdict.bytesNeeded, events.bytesLength + 1);
      return answers.goOn(session, session.row, 0, { bytes: new Uint8Array(), expected });
    }
    session.error = verdict.why;
    const { counts } = session.runtime;
    const row = counts.endpointRow(session.upstream, session.endpoint);
    counts.counters.addBy('anyport_connect_failures_total', 'connect_failed', row);
    this.#end(session, 'upstream', 'connect', 'connect_failed', 'reset');
  }

  #connected(session: Session): void {
    const { events, endpoints, account } = this.#options;
    if (session.endpoint < 0) return; // an in-process handler
    session.error = undefined;
    this.#waited(session);
    if (endpoints.anyDown) endpoints.answered(session.endpointId, this.#endpointNames(session));
    if (this.#tells)
      this.#tell(session, 'relay', { endpoint: this.#endpointName(session), connect_ms: events.connectMs });
    // Without logging nothing more is needed: an idle session should use no memory here.
    if (account.logs || this.#tells || this.#judges(session)) return;
    this.#decisions[session.slot] = session.decision;
    this.#sessions[session.slot] = undefined;
  }

  /** No address of the endpoint connects, and no byte has been sent: tries another endpoint. */
  #unreachable(session: Session): void {
    const { events } = this.#options;
    this.#waited(session);
    session.failure = reasonOfFailure(events.error);
    session.error = errorName(events.error);
    session.lastTried = session.endpoint;
    if (this.#tells)
      this.#tell(session, 'connect', { endpoint: this.#endpointName(session), error: session.error });
    const { counts } = session.runtime;
    const { lacking, elsewhere } = session.failure;
    if (lacking !== undefined)
      counts.counters.addBy('anyport_dial_shortages_total', lacking, counts.upstreamRow(session.upstream));
    if (!elsewhere) return this.#end(session, 'proxy', 'connect', 'over_limit', 'reset');
    const row = counts.endpointRow(session.upstream, session.endpoint);
    counts.counters.addBy('anyport_connect_failures_total', session.failure.reason, row);
    // A full backlog belongs to a live endpoint; what this machine lacks is not its fault.
    const full = events.error === constants.errno.EAGAIN;
    if (!full && session.failure.by !== 'proxy') this.#noteDead(session);
    session.tried ??= new Set();
    session.tried.add(session.endpoint);
    if (full) session.full = session.endpoint;
    session.endpoint = -1;
    this.#pick(session);
  }

  #noteDead(session: Session): void {
    const { endpoints, failures } = this.#options;
    endpoints.failed(session.endpointId, this.#endpointNames(session), session.error ?? '');
    if (this.#judges(session)) failures.add(session.endpointId);
  }

  /** Whether failures of the session are held against its endpoint. */
  #judges(session: Session): boolean {
    return this.#upstream(session).plan.options.passive_health !== undefined;
  }

  /** It took a request, and ended or reset the session without a byte in answer. */
  #noteUnanswered(session: Session): void {
    const { events, failures } = this.#options;
    if (session.endpoint < 0 || !this.#judges(session)) return;
    const isUnanswered = events.bytesUp > 0 && events.bytesDown === 0;
    if (events.by === 'upstream' && events.during === 'relay' && isUnanswered)
      failures.add(session.endpointId);
  }

  #attach(session: Session): void {
    const { engine, complain, worker, flush, flushSoon } = this.#options;
    const fd = engine.attach(session.slot, session.generation, session.row, session.upstream);
    if (fd < 0) {
      session.error = 'no descriptors for a handler';
      return this.#end(session, 'proxy', 'connect', 'over_limit', 'reset');
    }
    const { handler } = this.#upstream(session);
    if (handler === null) return this.#end(session, 'proxy', 'connect', 'handler_error', 'reset');
    const told = {
      id: idText(worker, session),
      listener: this.#listener(session).name,
      protocol: session.protocolId,
      source: sourceText(this.#options.events),
      facts: session.facts,
      identifyMs: session.identifyMs,
      decidedAtByte: session.decidedAt,
      worker,
    };
    session.served = serve(fd, handler, told, ({ isUrgent, ...failure }) => {
      session.error = failure.error;
      complain({ upstream: this.#upstream(session).plan.name, ...failure }, 'handler failed');
      this.#end(session, 'proxy', 'relay', 'handler_error', 'reset');
      // A handler may fail between two turns.
      if (isUrgent) flush();
      else flushSoon();
    });
    this.#options.atWork.add(session.served.finished);
  }

  // ---- end

  #end(session: Session, by: Ender, during: Stage, reason: Reason, closing: Closing = 'close'): void {
    this.#options.answers.end(session, session.row, by, during, reason, closing);
  }

  #ended(session: Session | undefined): void {
    const { events, account } = this.#options;
    this.#sessions[events.slot] = undefined;
    session?.served?.ended(events.reason);
    if (session !== undefined) this.#waited(session);
    if (session !== undefined) this.#noteUnanswered(session);
    // Forgotten at its connect, before the access log was switched on.
    if (session === undefined && events.during === 'relay') return;
    account.ended(() => {
      const { plan } = session?.runtime ?? this.#options.runtimeOf(events.plan);
      return { ...lineOf(events, session, plan), session: session && this.#debugId(session) };
    }, session?.isReported);
  }

  #refused(): void {
    const { events, account, runtimeOf } = this.#options;
    account.refused(() => refusedLine(events, runtimeOf(events.plan).plan), events.refusedUnshown);
  }

  // ---- logging

  /** Check before collecting fields: most sessions log nothing. */
  get #tells(): boolean {
    return this.#options.debug !== null;
  }

  #tell(session: Session, stage: Stage, found: object): void {
    const { debug, events } = this.#options;
    if (debug === null) return;
    const { name: listener } = this.#listener(session);
    const route = decisionText(session, session.runtime.plan);
    debug(
      { session: this.#debugId(session), listener, source: sourceText(events), stage, route, ...found },
      'stage',
    );
  }

  /** Correlates lines of a session, and its endpoint's, where it is told; undefined without either. */
  #debugId(session: Session): string | undefined {
    const isTold = tellsId(session.runtime.upstreams[session.upstream]?.plan);
    return this.#options.debug === null && !isTold ? undefined : idText(this.#options.worker, session);
  }

  #endpointName(session: Session): string {
    return this.#upstream(session).plan.endpoints[session.endpoint]?.name ?? '';
  }

  #endpointNames(session: Session): EndpointNames {
    return { upstream: this.#upstream(session).plan.name, endpoint: this.#endpointName(session) };
  }

  #listener(session: Session): PlanListener {
    return session.runtime.plan.listeners[session.listener] as PlanListener;
  }

  #upstream(session: Session): RuntimeUpstream {
    return session.runtime.upstreams[session.upstream] as RuntimeUpstream;
  }
}

/** What is logged of a session that found every endpoint full. */
const FULL = 'max_connections of its upstream';

/** Upper bound on logged bytes of an unrecognised opening. */
const OPENING_BYTES = 32;

/** No more bytes will arrive or be waited for. */
const isLast = (cause: Cause): boolean => cause === 'finished' || cause === 'full' || cause === 'timeout';
