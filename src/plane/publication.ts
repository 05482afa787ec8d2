/**
 * Publication of a Plan to the workers: all adopt it or none does. A state machine without threads: answers of workers
 * in, messages to workers out.
 */
import assert from 'node:assert/strict';
import type { Clock } from '../base/clock.js';
import type { PlanAnswer, PlanDelivery, ToWorker } from '../model/message.js';
import type { Plan } from '../model/plan.js';

export const publicationLimits = {
  /** Interval between looks for missing answers. */
  lookMs: 1000,
  /**
   * Looks before a worker that is preparing is late. Looks instead of time: a suspended process makes none. In total
   * longer than the maximum back-off of a worker's restart.
   */
  looksMax: 10,
  /** Looks before a worker that has not heard of the Plan yet is left out: it hung before. */
  unheardLooksMax: 3,
  /** Time after a worker's death in which another one says nothing about a Plan: it crashes in a loop. */
  unstableMs: 60_000,
} as const;

export type Published =
  | { readonly result: 'committed' }
  /** A worker can not prepare the Plan, or the primary can not (`worker` null); the previous one stays in force. */
  | { readonly result: 'refused'; readonly worker: number | null; readonly error: string }
  /** The workers are being shut down. */
  | { readonly result: 'called_off' };

/** A Plan, and what each worker is sent with it. */
export interface Publication {
  readonly plan: Plan;
  /** Called for each worker that prepares the Plan, also for those that start or catch up later. */
  deliver(worker: number): PlanDelivery;
  /** Called before the first worker is told to commit. */
  committing?(): void;
}

export interface PublisherEvents {
  /** `inForce`: the Plan that the worker has adopted, if it is the one in force. */
  post(worker: number, message: ToWorker, inForce?: Plan): void;
  /** A worker that started with an older Plan can not prepare the one in force. */
  behind(worker: number, error: string): void;
}

interface Round {
  readonly publication: Publication;
  readonly settle: (published: Published) => void;
  phase: 'preparing' | 'committing';
  /** Preparing: workers that have not answered. Committing: workers that have not adopted the Plan. */
  readonly awaited: Set<number>;
  /** Workers that have begun to prepare: their event loops run. */
  readonly heard: Set<number>;
  readonly prepared: Set<number>;
  cancelLook: () => void;
}

/** Recent deaths of workers: another one is no news. The Plan in force may be the reason, and another Plan the cure. */
class Deaths {
  readonly #clock: Clock;
  readonly #times = new Map<number, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(worker: number): void {
    this.#times.set(worker, this.#clock.nowMs());
  }

  isRecent(worker: number): boolean {
    const diedMs = this.#times.get(worker);
    return diedMs !== undefined && this.#clock.nowMs() - diedMs < publicationLimits.unstableMs;
  }

  forget(worker: number): void {
    this.#times.delete(worker);
  }
}

export class Publisher {
  #inForce: Publication;
  /** Accepting worker → generation that it has adopted. */
  readonly #generations = new Map<number, number>();
  readonly #deaths: Deaths;
  #round: Round | null = null;
  isClosed = false as boolean;
  readonly #events: PublisherEvents;
  readonly #clock: Clock;

  /** `first`: what workers start with. */
  constructor(first: Publication, events: PublisherEvents, clock: Clock) {
    this.#inForce = first;
    this.#events = events;
    this.#clock = clock;
    this.#deaths = new Deaths(clock);
  }

  /** The Plan in force, which new workers start with. */
  get plan(): Plan {
    return this.#inForce.plan;
  }

  get inForce(): Publication {
    return this.#inForce;
  }

  /** One at a time. Generations must ascend, also over Plans that were refused. */
  publish(publication: Publication): Promise<Published> {
    if (this.isClosed) return Promise.resolve({ result: 'called_off' });
    assert(this.#round === null, 'a Plan is published already');
    return new Promise((settle) => {
      const sets = { awaited: new Set<number>(), heard: new Set<number>(), prepared: new Set<number>() };
      const round: Round = { publication, settle, phase: 'preparing', ...sets, cancelLook: () => {} };
      this.#round = round;
      this.#lookLater(round, 1);
      for (const worker of this.#generations.keys()) this.#prepareIn(worker, round);
    });
  }

  /** A worker has started to accept, with the Plan of this generation. */
  joined(worker: number, generation: number): void {
    if (this.isClosed) return;
    this.#generations.set(worker, generation);
    if (this.#round === null) this.#bringUpToDate(worker, generation);
    else if (this.#round.phase === 'preparing') this.#prepareIn(worker, this.#round);
  }

  answered(worker: number, answer: PlanAnswer): void {
    const { generation } = answer;
    const round = this.#round?.publication.plan.generation === generation ? this.#round : null;
    if (answer.type === 'preparing') round?.heard.add(worker);
    else if (answer.type === 'adopted') this.#adopted(worker, generation, round);
    else if (round?.phase === 'preparing') this.#answeredRound(worker, answer, round);
    else if (generation === this.plan.generation) this.#answeredLate(worker, answer);
  }

  /** A worker has died. */
  gone(worker: number, error: string): void {
    const isUnstable = this.#deaths.isRecent(worker);
    this.#deaths.add(worker);
    this.#generations.delete(worker);
    const round = this.#round;
    if (round === null) return;
    const tookPart = round.awaited.has(worker) || round.prepared.has(worker);
    if (round.phase === 'preparing' && tookPart && !isUnstable)
      this.#discard(round, refusal(worker, `it died: ${error}`), worker);
    else this.#leaveOut(worker, round);
  }

  /** A worker takes part no more, although it lives on. */
  left(worker: number): void {
    this.#generations.delete(worker);
    this.#deaths.forget(worker);
    if (this.#round !== null) this.#leaveOut(worker, this.#round);
  }

  /** Shutdown: no further Plan is committed. */
  close(): void {
    this.isClosed = true;
    const round = this.#round;
    if (round?.phase === 'preparing') this.#discard(round, { result: 'called_off' });
    else if (round) this.#end(round, { result: 'committed' });
  }

  #prepareIn(worker: number, { publication, awaited, heard }: Round): void {
    awaited.add(worker);
    heard.delete(worker);
    this.#send(worker, publication);
  }

  #send(worker: number, publication: Publication): void {
    const isCurrent = this.#generations.get(worker) === this.plan.generation;
    const message = { type: 'prepare', ...publication.deliver(worker) } as const;
    this.#events.post(worker, message, isCurrent ? this.plan : undefined);
  }

  #answeredRound(worker: number, answer: PlanAnswer, round: Round): void {
    round.awaited.delete(worker);
    if (answer.type === 'refused') return this.#discard(round, refusal(worker, answer.error), worker);
    round.prepared.add(worker);
    this.#goOn(round);
  }

  /** Answer of a worker that catches up outside of a round. */
  #answeredLate(worker: number, answer: PlanAnswer): void {
    if (answer.type === 'refused') this.#events.behind(worker, answer.error);
    else this.#events.post(worker, { type: 'commit', generation: answer.generation });
  }

  #adopted(worker: number, generation: number, round: Round | null): void {
    this.#generations.set(worker, generation);
    if (round?.awaited.delete(worker)) this.#goOn(round);
  }

  #leaveOut(worker: number, round: Round): void {
    round.awaited.delete(worker);
    round.prepared.delete(worker);
    this.#goOn(round);
  }

  /** To the next phase, if nobody is awaited any more. */
  #goOn(round: Round): void {
    if (round.awaited.size > 0) return;
    if (round.phase === 'committing') this.#end(round, { result: 'committed' });
    else if (round.prepared.size > 0) this.#commit(round);
  }

  #lookLater(round: Round, look: number): void {
    round.cancelLook = this.#clock.after(publicationLimits.lookMs, () => {
      const isLast = look === publicationLimits.looksMax;
      if (!isLast) this.#lookLater(round, look + 1);
      const preparing = [...round.awaited].find((worker) => round.heard.has(worker));
      if (isLast && preparing !== undefined)
        return this.#discard(round, refusal(preparing, 'it did not answer in time'));
      if (look < publicationLimits.unheardLooksMax) return;
      for (const worker of round.awaited) if (!round.heard.has(worker)) round.awaited.delete(worker);
      this.#goOn(round);
      // No worker accepts: the Plan can do no harm, and the one in force may be the cause.
      if (isLast && this.#round === round && round.phase === 'preparing') this.#commit(round);
    });
  }

  #commit(round: Round): void {
    round.cancelLook();
    round.phase = 'committing';
    this.#inForce = round.publication;
    round.publication.committing?.();
    for (const worker of round.prepared) {
      round.awaited.add(worker);
      this.#events.post(worker, { type: 'commit', generation: this.plan.generation });
    }
    this.#goOn(round);
  }

  /** `except`: a worker that has nothing to discard. */
  #discard(round: Round, published: Published, except?: number): void {
    round.cancelLook();
    const { generation } = round.publication.plan;
    for (const worker of this.#generations.keys())
      if (worker !== except) this.#events.post(worker, { type: 'discard', generation });
    this.#end(round, published);
  }

  #end(round: Round, published: Published): void {
    this.#round = null;
    round.settle(published);
    if (this.isClosed) return;
    for (const [worker, generation] of this.#generations) this.#bringUpToDate(worker, generation);
  }

  #bringUpToDate(worker: number, generation: number): void {
    if (generation < this.plan.generation) this.#send(worker, this.#inForce);
  }
}

export const refusal = (worker: number | null, error: string): Published => ({
  result: 'refused',
  worker,
  error,
});
