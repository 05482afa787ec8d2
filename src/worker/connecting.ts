/** Pick and connect: an endpoint for a session, a place in the queue where all are full, another one when it is unreachable. */
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import type { Engine } from '../addon.js';
import type { AskVerdict } from '../model/facts.js';
import { NONE } from '../model/ids.js';
import type { Closing, Ender, Reason, Stage } from '../model/session.js';
import { placed } from '../via/index.js';
import type { Answers } from './answers.js';
import { errorName, reasonOfFailure } from './dial-failure.js';
import type { EndpointWatch } from './endpoint-watch.js';
import type { Failures } from './failures.js';
import { NO_ASKS, type Session } from './known-session.js';
import { asksOf } from './preamble.js';
import type { EventCursor } from './rings.js';
import type { StageLog } from './stage-log.js';

export interface ConnectingOptions {
  readonly worker: number;
  readonly engine: Pick<Engine, 'destination'>;
  readonly events: EventCursor;
  readonly answers: Answers;
  readonly endpoints: EndpointWatch;
  readonly failures: Pick<Failures, 'add'>;
  readonly nowMs: () => number;
  /** Whether sessions may be waiting for a place at the upstream with this id, on any worker. */
  readonly someWait: (upstream: number) => boolean;
  /** The bytes of the current event. */
  readonly sniffed: () => Buffer;
  readonly end: (session: Session, by: Ender, during: Stage, reason: Reason, closing?: Closing) => void;
}

export class Connecting {
  readonly #options: ConnectingOptions;
  readonly #log: StageLog;

  constructor(options: ConnectingOptions, log: StageLog) {
    this.#options = options;
    this.#log = log;
  }

  /** Has an upstream, and nowhere to go yet: dials, waits for a place, or ends. */
  pick(session: Session): void {
    const { balancer, plan } = session.runtimeUpstream;
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
      return this.#options.end(session, 'proxy', 'pick', 'over_limit', 'reset');
    }
    if (session.failure === undefined)
      return this.#options.end(session, 'proxy', 'pick', 'no_endpoint', 'reset');
    this.#options.end(session, session.failure.by, 'connect', session.failure.reason, 'reset');
  }

  /** It has an upstream, and an endpoint. */
  goTo(session: Session): void {
    const range = session.runtimeUpstream.dials[session.endpoint];
    if (range !== undefined && range.count > 0) return this.#dial(session);
    session.endpoint = -1;
    this.pick(session);
  }

  /**
   * Its endpoint had no place any more, or one where it waits may have. A client that a connection id has led there has no
   * other one: its next datagram tries again.
   */
  full(session: Session): void {
    if (session.decision !== 'connection_id') return this.pick(session);
    session.error = FULL;
    this.#options.end(session, 'proxy', 'pick', 'over_limit', 'reset');
  }

  /** It comes when others wait, who are served before. */
  #standsBehind({ runtime, runtimeUpstream, upstream, queuedAtMs }: Session): boolean {
    const { options } = runtimeUpstream.plan;
    if (options.queue.length === 0 || options.max_connections === 0 || queuedAtMs >= 0) return false;
    return this.#options.someWait(runtime.plan.ids.upstreams[upstream] ?? NONE);
  }

  /** Waits for a place, or goes on waiting; the engine reports `full` when it is worth another look. */
  #queue(session: Session): void {
    const { answers, nowMs } = this.#options;
    if (session.queuedAtMs < 0) {
      session.queuedAtMs = nowMs();
      if (this.#log.isOn) this.#log.tell(session, 'pick', { queued: true });
    }
    session.error = FULL;
    answers.queue(session, session.row, session.upstream, session.tried !== undefined);
  }

  /** Its wait for a place is over. */
  waited(session: Session): void {
    if (session.queuedAtMs < 0) return;
    session.queueMs = Math.max(session.queueMs, 0) + this.#options.nowMs() - session.queuedAtMs;
    session.queuedAtMs = -1;
  }

  #dial(session: Session, patient = false): void {
    const { answers, events, engine, worker } = this.#options;
    const range = session.runtimeUpstream.dials[session.endpoint];
    assert(range !== undefined && range.count > 0, 'an endpoint without an address was picked');
    if (this.#log.isOn)
      this.#log.tell(session, 'connect', { endpoint: session.names.endpoint, addresses: range.count });
    const { counts } = session.runtime;
    session.asks = asksOf(session, { events, engine, worker });
    session.asked = 0;
    session.refusal = undefined;
    answers.dial(session, session.row, {
      first: range.first,
      count: range.count,
      patient,
      endpoint: session.endpointId,
      endpointRow: counts.endpointRow(session.upstream, session.endpoint),
      upstream: session.upstream,
      preamble: session.asks[0] ?? null,
    });
  }

  /** Who was asked last has answered; more is asked, or the session's bytes follow. A refusal is a failure to connect. */
  answered(session: Session): void {
    const { answers, events } = this.#options;
    const answer = session.asks[session.asked]?.judge(this.#options.sniffed()) ?? NOTHING_ASKED;
    if (answer.verdict === 'more') {
      const expected = Math.max(answer.bytesNeeded, events.bytesLength + 1);
      return answers.goOn(session, session.row, 0, { bytes: new Uint8Array(), expected });
    }
    if (answer.verdict === 'no') {
      session.refusal = answer;
      return answers.giveUp(session, session.row);
    }
    session.asked += 1 + (answer.skips ?? 0);
    answers.goOn(session, session.row, answer.bytes, session.asks[session.asked]);
  }

  connected(session: Session): void {
    const { events, endpoints } = this.#options;
    session.error = undefined;
    session.asks = NO_ASKS;
    this.waited(session);
    if (endpoints.anyDown) endpoints.answered(session.endpointId, session.names);
    if (this.#log.isOn)
      this.#log.tell(session, 'relay', { endpoint: session.names.endpoint, connect_ms: events.connectMs });
  }

  /** No address of the endpoint connects, or a way to it is refused, and no byte is lost: tries another endpoint. */
  unreachable(session: Session): void {
    const { events } = this.#options;
    this.waited(session);
    session.failure = reasonOfFailure(events.error);
    session.error = this.#whyUnreachable(session);
    session.lastTried = session.endpoint;
    if (this.#log.isOn)
      this.#log.tell(session, 'connect', { endpoint: session.names.endpoint, error: session.error });
    const { counts } = session.runtime;
    const { lacking, elsewhere } = session.failure;
    if (lacking !== undefined)
      counts.counters.addBy('anyport_dial_shortages_total', lacking, counts.upstreamRow(session.upstream));
    if (!elsewhere) return this.#options.end(session, 'proxy', 'connect', 'over_limit', 'reset');
    const row = counts.endpointRow(session.upstream, session.endpoint);
    counts.counters.addBy('anyport_connect_failures_total', session.failure.reason, row);
    // A full backlog belongs to a live endpoint; what this machine lacks is not its fault.
    const full = events.error === constants.errno.EAGAIN;
    if (!full && session.failure.by !== 'proxy') this.#noteDead(session);
    session.tried ??= new Set();
    session.tried.add(session.endpoint);
    if (full) session.full = session.endpoint;
    session.endpoint = -1;
    this.pick(session);
  }

  /** What this machine lacks is said as it is, everything else with the proxy on the way that failed. */
  #whyUnreachable({ failure, refusal, asks, asked }: Session): string {
    const why = refusal?.why ?? errorName(this.#options.events.error);
    const ask = asks[asked];
    return ask === undefined || failure?.by === 'proxy' ? why : placed(ask, why);
  }

  #noteDead(session: Session): void {
    const { endpoints, failures } = this.#options;
    endpoints.failed(session.endpointId, session.names, session.error ?? '');
    if (this.judges(session) && !this.#isOfProxy(session)) failures.add(session.endpointId);
  }

  /** It failed on the way to the endpoint, of which that says nothing. */
  #isOfProxy({ refusal, asks, asked }: Session): boolean {
    const ask = asks[asked];
    if (ask?.proxy === undefined) return false;
    return !this.#options.events.wasConnected || (refusal?.blames ?? ask.blames) === 'proxy';
  }

  /** Whether failures of the session are held against its endpoint. */
  judges(session: Session): boolean {
    return session.runtimeUpstream.plan.options.passive_health !== undefined;
  }

  /** It took a request, and ended or reset the session without a byte in answer. */
  noteUnanswered(session: Session): void {
    const { events, failures } = this.#options;
    if (session.endpoint < 0 || !this.judges(session)) return;
    const isUnanswered = events.bytesUp > 0 && events.bytesDown === 0;
    if (events.by === 'upstream' && events.during === 'relay' && isUnanswered)
      failures.add(session.endpointId);
  }
}

const NOTHING_ASKED: AskVerdict = { verdict: 'yes', bytes: 0 };

/** What is logged of a session that found every endpoint full. */
const FULL = 'max_connections of its upstream';
