/**
 * The sequencer: classify → route → pick → connect (./connecting.ts; where the client says where it goes, ./proxying.ts).
 *
 * Receives the events of many sessions per call and answers each: dial, wait for more bytes, reject, or end. Bytes stay
 * in the engine; here a session is only the knowledge about it.
 */
import type { Engine } from '../addon.js';
import type { LogLine } from '../base/log.js';
import type { Turn } from '../model/facts.js';
import type { PlanTarget } from '../model/plan.js';
import type { Closing, Ender, Reason, Stage } from '../model/session.js';
import { boundedBy } from '../protocols/bounds.js';
import { readProxyHeader, withHeader } from '../protocols/proxy-header.js';
import type { Account } from './account.js';
import type { AtWork } from './at-work.js';
import { Connecting, type ConnectingOptions } from './connecting.js';
import { type HandlerFailure, serve } from './in-process.js';
import { serveFlow } from './in-process-flow.js';
import { NONE_DOUBTFUL, Session } from './known-session.js';
import { tellsFacts, tellsFactsTo } from './preamble.js';
import { Proxying, type ProxyingOptions } from './proxying.js';
import { type Cause, hexOf, isLast, type SessionId } from './rings.js';
import type { Runtime } from './runtime.js';
import { idText, lineOf, refusedLine, sourceText } from './session-line.js';
import { StageLog } from './stage-log.js';

export interface SequencerOptions
  extends Omit<ConnectingOptions, 'engine' | 'sniffed' | 'end'>,
    Omit<ProxyingOptions, 'sniffed' | 'lives'> {
  readonly engine: Pick<Engine, 'attach' | 'destination' | 'associate' | 'dissociate'>;
  /** Flushes them at once: not in a turn's own code. */
  readonly flush: () => void;
  readonly arena: Buffer;
  readonly account: Account;
  readonly atWork: AtWork;
  /** Logs the result of each stage; null: debug logging is off. */
  readonly debug: LogLine | null;
  /** Logs failures of handlers, rate-limited. */
  readonly complain: LogLine;
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

  readonly #log: StageLog;
  readonly #connecting: Connecting;
  readonly #proxying: Proxying;

  constructor(options: SequencerOptions) {
    this.#options = options;
    this.#log = new StageLog(options);
    const sniffed = () => this.#sniffed();
    const end: ConnectingOptions['end'] = (...how) => this.#end(...how);
    const lives = (session: Session) => this.#sessions[session.slot] === session;
    this.#connecting = new Connecting({ ...options, sniffed, end }, this.#log);
    this.#proxying = new Proxying({ ...options, sniffed, lives }, this.#log);
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
    else if (kind === 'moved') this.#moved(session);
    else if (kind === 'followed') this.#followed();
    else if (kind === 'targeted') this.#targeted();
    else if (kind === 'unreachable') this.#dialler(session).unreachable(session ?? this.#recalled());
    else if (session === undefined) throw new Error(`an event of an unknown session: ${kind}`);
    else if (kind === 'connected') this.#connected(session);
    else if (kind === 'full') this.#dialler(session).full(session);
    else this.#connecting.answered(session);
  }

  /** Who has found out where the session goes. */
  #dialler(session: Session | undefined): Connecting | Proxying {
    return session?.tunnel === undefined ? this.#connecting : this.#proxying;
  }

  #begin(): Session {
    const { events, runtimeOf, account } = this.#options;
    const { slot, generation, listener } = events;
    const session = new Session(slot, generation, listener, runtimeOf(events.plan), events);
    session.isReported = account.reports;
    this.#sessions[slot] = session;
    return session;
  }

  /** A flow that was relayed, and of which nothing else is known any more. */
  #recalled(): Session {
    const { events } = this.#options;
    const decision = this.#decisions[events.slot];
    const session = this.#begin();
    const { orders, plan } = session.runtime;
    session.protocol = orders[session.transport][session.listener]?.[events.protocol] ?? -1;
    session.row = events.row;
    session.upstream = events.upstream;
    session.endpoint = plan.ids.endpoints[events.upstream]?.indexOf(events.endpoint) ?? -1;
    session.decision = decision;
    return session;
  }

  /** The endpoint of a flow is gone with the Plan that it began with: it goes on under the one in force. */
  #moved(before: Session | undefined): void {
    const session = this.#recalled();
    // A route of the Plan before.
    if (typeof session.decision === 'number') session.decision = undefined;
    if (before !== undefined) session.continues(before);
    this.#connecting.pick(session);
  }

  /** A new flow of a client that has an endpoint, as a connection id says: it goes there, whatever the endpoint's health. */
  #followed(): void {
    const session = this.#recalled();
    const { listener, protocol, runtime } = session;
    session.row = protocol < 0 ? 0 : runtime.counts.sessionRow(listener, protocol);
    // Its hello is not here. What routes say without one holds for its new address, too.
    session.broken = true;
    const routed = runtime.routes.route(session);
    session.decision = routed.kind === 'to' && routed.target.kind === 'end' ? routed.route : 'connection_id';
    if (routed.kind === 'to' && routed.target.kind === 'end') return this.#go(session, routed.target);
    this.#connecting.goTo(session);
  }

  /** A client of an association has sent to a target for the first time. */
  #targeted(): void {
    const control = this.sessionOf(this.#options.events.control);
    const session = this.#begin();
    session.protocol = session.runtime.protocols.findIndex(({ id }) => id === control?.protocolId);
    if (session.protocol >= 0)
      session.row = session.runtime.counts.sessionRow(session.listener, session.protocol);
    if (control?.tunnel === undefined) return this.#end(session, 'client', 'pick', 'client_gone');
    this.#proxying.beginTarget(session, control.tunnel);
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
    const answer = readProxyHeader(this.#sniffed(), session.transport);
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
    if (session.tunnel !== undefined) return this.#proxying.read(session);
    // It has been answered, and leaves without another word.
    if (cause === 'finished' && events.bytesLength === 0)
      return this.#end(session, 'client', 'sniff', 'client_gone');
    session.openingBytes = events.bytesLength;
    if (this.#log.isOn) this.#log.tell(session, 'sniff', { cause, bytes: events.bytesLength });
    if (cause === 'silence') {
      const { onSilence, onUnknown } = session.planListener;
      session.decision = onSilence === null ? 'on_unknown' : 'on_silence';
      return this.#go(session, onSilence?.to ?? onUnknown);
    }
    if (events.protocol < 0) return this.#unrouted(session, cause);
    const protocol = session.runtime.orders[session.transport][session.listener]?.[events.protocol] ?? -1;
    if (session.protocol < 0 && !this.#confirmed(session, protocol, cause)) return;
    if (session.protocol < 0) this.#identified(session, protocol);
    const bytesNeeded = this.#wantsFacts(session) ? this.#readFacts(session, cause) : 0;
    this.#route(session, cause, bytesNeeded);
  }

  /** False: refused or undecided, and the answer is written. */
  #confirmed(session: Session, protocol: number, cause: Cause): boolean {
    const { answers } = this.#options;
    const { transport } = session;
    const confirmation = session.runtime.protocols[protocol]?.[transport]?.confirm?.(this.#sniffed());
    if (confirmation === undefined || confirmation.verdict === 'match') return true;
    if (cause === 'quiet' && this.#settlesQuietly(session)) return true;
    // A datagram is all that there is to identify.
    const isAll = transport === 'udp' || isLast(cause) || cause === 'quiet';
    if (confirmation.verdict === 'no' || isAll) answers.reject(session);
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
    if (this.#log.isOn)
      this.#log.tell(session, 'classify', {
        protocol: session.protocolId,
        decided_at_byte: events.decidedAt,
      });
  }

  #wantsFacts({ runtime, listener, protocol, isReported }: Session): boolean {
    const { showsFacts, balancesByFacts, routes } = runtime;
    return showsFacts || balancesByFacts || isReported || routes.needsFacts(listener, protocol);
  }

  /** Prefix length that the facts need; 0: complete. */
  #readFacts(session: Session, cause: Cause): number {
    const { routes } = session.runtime;
    const { taken, recognizer } = session;
    const parse = taken === undefined ? recognizer?.facts : boundedBy(taken.facts);
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
    const { onUnknown } = session.planListener;
    session.decision = 'on_unknown';
    if (onUnknown.kind !== 'end') {
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
    if (target.kind === 'proxy') return this.#proxying.begin(session);
    session.upstream = target.upstream;
    if (this.#log.isOn) this.#log.tell(session, 'route', { upstream: session.runtimeUpstream.plan.name });
    if (session.runtimeUpstream.plan.handler !== null) return this.#attach(session);
    this.#connecting.pick(session);
  }

  /** Without logging nothing more is needed: an idle session should use no memory here. */
  #connected(session: Session): void {
    if (session.endpoint < 0) return; // an in-process handler
    this.#dialler(session).connected(session);
    // Another one that it needs later is picked among all.
    if (session.transport === 'udp') session.tried = undefined;
    if (this.#isTold(session)) return;
    if (this.#options.account.logs || this.#log.isOn || this.#connecting.judges(session)) return;
    this.#decisions[session.slot] = session.decision;
    this.#sessions[session.slot] = undefined;
  }

  /** Its endpoint hears of it what its bytes do not say, and so would the next one of a flow. */
  #isTold({ transport, header, runtimeUpstream }: Session): boolean {
    return transport === 'udp' && (header !== undefined || tellsFacts(runtimeUpstream.plan));
  }

  // ---- in-process

  #attach(session: Session): void {
    const { engine, complain, worker, flush, flushSoon } = this.#options;
    const fd = engine.attach(session.slot, session.generation, session.row, session.upstream);
    if (fd < 0) {
      session.error = 'no descriptors for a handler';
      return this.#end(session, 'proxy', 'connect', 'over_limit', 'reset');
    }
    const { handler } = session.runtimeUpstream;
    if (handler === null) return this.#end(session, 'proxy', 'connect', 'handler_error', 'reset');
    const told = {
      id: idText(worker, session),
      listener: session.planListener.name,
      transport: session.transport,
      protocol: session.protocolId,
      source: sourceText(this.#options.events),
      facts: session.facts,
      identifyMs: session.identifyMs,
      decidedAtByte: session.decidedAt,
      worker,
    };
    const failed = ({ isUrgent, ...failure }: HandlerFailure) => {
      session.error = failure.error;
      complain({ upstream: session.runtimeUpstream.plan.name, ...failure }, 'handler failed');
      this.#end(session, 'proxy', 'relay', 'handler_error', 'reset');
      // A handler may fail between two turns.
      if (isUrgent) flush();
      else flushSoon();
    };
    const closed = () => {
      this.#end(session, 'upstream', 'relay', 'done');
      flushSoon();
    };
    session.served =
      session.transport === 'udp'
        ? serveFlow(fd, handler, told, { failed, closed })
        : serve(fd, handler, told, failed);
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
    session?.tunnel?.cancel();
    if (session !== undefined) this.#connecting.waited(session);
    if (session !== undefined) this.#connecting.noteUnanswered(session);
    // Forgotten at its connect, before the access log was switched on.
    if (session === undefined && events.during === 'relay') return;
    account.ended(() => {
      const { plan } = session?.runtime ?? this.#options.runtimeOf(events.plan);
      return lineOf(events, session, plan, session && this.#log.idOf(session));
    }, session?.isReported);
  }

  #refused(): void {
    const { events, account, runtimeOf } = this.#options;
    account.refused(() => refusedLine(events, runtimeOf(events.plan).plan), events.refusedUnshown);
  }
}

/** Upper bound on logged bytes of an unrecognised opening. */
const OPENING_BYTES = 32;
