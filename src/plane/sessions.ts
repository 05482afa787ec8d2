/**
 * Live sessions of all workers: asks each worker, and waits for its answer at most `replyMsMax`. A worker that hangs is
 * missing from a list instead of holding it up.
 */
import type { Clock } from '../base/clock.js';
import { type KcpLinkList, kcpLinkLimits } from '../model/kcp-links.js';
import type { SessionAsk, SessionReply, ToWorker } from '../model/message.js';
import {
  type EndedSession,
  type LiveCounts,
  type NameCounts,
  type SessionInfo,
  type SessionList,
  type SessionOrder,
  type SessionQuery,
  sessionListLimits,
} from '../model/session-list.js';

export const sessionRequestLimits = {
  /** Wait for a worker's answer. */
  replyMsMax: 2000,
  /** Questions under way; one beyond is answered as by workers that do not answer. */
  pendingMax: 1024,
} as const;

export interface SessionWorkers {
  /** Workers whose threads run. */
  running(): readonly number[];
  post(worker: number, message: ToWorker): void;
}

interface Pending {
  readonly worker: number;
  /** Null: no answer. */
  readonly settle: (reply: SessionReply | null) => void;
}

type Reply<Type extends SessionReply['type']> = Extract<SessionReply, { type: Type }>;

const orders: Readonly<Record<SessionOrder, (a: SessionInfo, b: SessionInfo) => number>> = {
  newest: (a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt),
  oldest: (a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt),
  largest: (a, b) => b.bytesUp + b.bytesDown - (a.bytesUp + a.bytesDown),
};

/** `WORKER-SLOT-GENERATION`; the engine's numbers have 32 and 24 bits. */
const ID = /^(\d{1,3})-(\d{1,10})-(\d{1,8})$/;

export class LiveSessions {
  readonly #workers: SessionWorkers;
  readonly #clock: Clock;
  readonly #pending = new Map<number, Pending>();
  #requests = 0;

  constructor(workers: SessionWorkers, clock: Clock) {
    this.#workers = workers;
    this.#clock = clock;
  }

  async list(query: SessionQuery): Promise<SessionList> {
    const limit = Math.min(query.limit ?? sessionListLimits.rowsDefault, sessionListLimits.rowsMax);
    const { replies, missing } = await this.#askAll<'listed'>({ type: 'list', query: { ...query, limit } });
    const sessions = replies.flatMap((reply) => reply.sessions).sort(orders[query.order ?? 'newest']);
    const matching = replies.reduce((sum, reply) => sum + reply.matching, 0);
    return { sessions: sessions.slice(0, limit), matching, missing };
  }

  /** Sessions of workers that do not answer are not counted. */
  async count(): Promise<LiveCounts> {
    const { replies } = await this.#askAll<'counted'>({ type: 'count' });
    const sum = (key: keyof LiveCounts) => sumOf(replies.map(({ counts }) => counts[key]));
    return {
      listeners: sum('listeners'),
      protocols: sum('protocols'),
      routes: sum('routes'),
      upstreams: sum('upstreams'),
      endpoints: sum('endpoints'),
    };
  }

  /** Of reliable UDP, the newest first. */
  async links(wanted: number = kcpLinkLimits.rowsDefault): Promise<KcpLinkList> {
    const limit = Math.min(wanted, kcpLinkLimits.rowsMax);
    const { replies, missing } = await this.#askAll<'links'>({ type: 'links', limit });
    const links = replies.flatMap((reply) => reply.links).sort((a, b) => a.ageMs - b.ageMs);
    return {
      links: links.slice(0, limit),
      total: replies.reduce((sum, reply) => sum + reply.total, 0),
      missing,
    };
  }

  /** Resets both ends of the session, which has its log line. */
  async end(id: string): Promise<EndedSession> {
    const [, worker = -1, slot = 0, generation = 0] = (ID.exec(id) ?? []).map(Number);
    if (!this.#workers.running().includes(worker)) return 'unknown';
    const reply = await this.#ask<'ended'>(worker, { type: 'end', slot, generation });
    if (reply === null) return 'no_answer';
    return reply.found ? 'ended' : 'unknown';
  }

  answered(request: number, reply: SessionReply): void {
    this.#pending.get(request)?.settle(reply);
  }

  /** A worker has ended or died. */
  gone(worker: number): void {
    for (const each of this.#pending.values()) if (each.worker === worker) each.settle(null);
  }

  async #askAll<Type extends SessionReply['type']>(ask: SessionAsk) {
    const workers = this.#workers.running();
    const answers = await Promise.all(workers.map((worker) => this.#ask<Type>(worker, ask)));
    return {
      replies: answers.filter((answer) => answer !== null),
      missing: workers.filter((_, index) => answers[index] === null),
    };
  }

  #ask<Type extends SessionReply['type']>(worker: number, ask: SessionAsk): Promise<Reply<Type> | null> {
    if (this.#pending.size >= sessionRequestLimits.pendingMax) return Promise.resolve(null);
    this.#requests += 1;
    const request = this.#requests;
    return new Promise((resolve) => {
      const settle = (reply: SessionReply | null) => {
        cancel();
        this.#pending.delete(request);
        resolve(reply as Reply<Type> | null);
      };
      const cancel = this.#clock.after(sessionRequestLimits.replyMsMax, () => settle(null));
      this.#pending.set(request, { worker, settle });
      this.#workers.post(worker, { type: 'sessions', request, ask });
    });
  }
}

function sumOf(each: readonly NameCounts[]): NameCounts {
  const sums = new Map<string, number>();
  for (const counts of each) {
    for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return sums;
}
