/**
 * Two-phase publication of a Plan: prepared in every accepting worker, then committed in all; if one refuses,
 * discarded in all. One Plan at a time; only the newest waiting Plan is kept. A pure state machine: workers' messages
 * in, messages to workers out.
 */
import type { Clock } from '../base/clock.js';
import type { PlanAnswer, PlanDelivery, ToWorker } from '../model/message.js';
import type { Plan } from '../model/plan.js';

export const publicationLimits = {
  /** Interval between looks for missing answers. */
  lookMs: 1000,
  /**
   * Looks before a worker that has not answered `prepare` is late. Looks instead of time: a suspended process makes
   * none. In total longer than the maximum back-off of a worker's restart.
   */
  looksMax: 10,
} as const;

export type Published =
  | { readonly result: 'committed' }
  /** A worker can not prepare the Plan; the previous one stays in force. */
  | { readonly result: 'refused'; readonly worker: number; readonly error: string }
  /** A newer Plan was published before this one's round began. */
  | { readonly result: 'superseded' }
  /** The workers are being shut down. */
  | { readonly result: 'called_off' };

/** A Plan, and what each worker is sent with it. */
export interface Publication {
  readonly plan: Plan;
  /** Called for each worker that prepares the Plan, also for those that start or catch up later. */
  deliver(worker: number): PlanDelivery;
}

export interface PublisherEvents {
  post(worker: number, message: ToWorker): void;
  /** A worker that started with an older Plan can not prepare the one in force; it keeps the older one. */
  behind(worker: number, error: string): void;
}

/** What to publish, and the promise of the outcome. */
interface Request {
  readonly publication: Publication;
  readonly settle: (published: Published) => void;
}

interface Round extends Request {
  phase: 'preparing' | 'committing';
  /** Preparing: workers that have not answered. Committing: workers that have not adopted the Plan. */
  readonly awaited: Set<number>;
  readonly prepared: Set<number>;
  cancelLook: () => void;
}

export class Publisher {
  #inForce: Publication;
  /** Accepting worker → generation that it has adopted. */
  readonly #generations = new Map<number, number>();
  #round: Round | null = null;
  #next: Request | null = null;
  #isClosed = false as boolean;
  readonly #events: PublisherEvents;
  readonly #clock: Clock;

  /** `first`: what workers start with. */
  constructor(first: Publication, events: PublisherEvents, clock: Clock) {
    this.#inForce = first;
    this.#events = events;
    this.#clock = clock;
  }

  /** The Plan in force, which new workers start with. */
  get plan(): Plan {
    return this.#inForce.plan;
  }

  get inForce(): Publication {
    return this.#inForce;
  }

  /** Generations must ascend, also over Plans that were refused. */
  publish(publication: Publication): Promise<Published> {
    if (this.#isClosed) return Promise.resolve({ result: 'called_off' });
    this.#next?.settle({ result: 'superseded' });
    return new Promise((settle) => {
      this.#next = { publication, settle };
      this.#beginNext();
    });
  }

  /** A worker has started to accept, with the Plan of this generation. */
  joined(worker: number, generation: number): void {
    if (this.#isClosed) return;
    this.#generations.set(worker, generation);
    if (this.#round === null) this.#bringUpToDate(worker, generation);
    else if (this.#round.phase === 'preparing') this.#prepareIn(worker, this.#round);
  }

  answered(worker: number, answer: PlanAnswer): void {
    const { generation } = answer;
    const round = this.#round?.publication.plan.generation === generation ? this.#round : null;
    if (answer.type === 'adopted') this.#adopted(worker, generation, round);
    else if (round?.phase === 'preparing') this.#answeredRound(worker, answer, round);
    else if (generation === this.plan.generation) this.#answeredLate(worker, answer);
  }

  /** A worker has died. */
  gone(worker: number, error: string): void {
    this.#generations.delete(worker);
    const round = this.#round;
    if (round === null) return;
    const wasAwaited = round.awaited.delete(worker);
    const hadPrepared = round.prepared.delete(worker);
    if (round.phase === 'committing') this.#endWhenAdopted(round);
    else if (wasAwaited || hadPrepared) this.#discard(round, refusal(worker, `it died: ${error}`));
  }

  /** Shutdown: no further Plan is committed. */
  close(): void {
    this.#isClosed = true;
    this.#next?.settle({ result: 'called_off' });
    this.#next = null;
    const round = this.#round;
    if (round?.phase === 'preparing') this.#discard(round, { result: 'called_off' });
    else if (round) this.#end(round, { result: 'committed' });
  }

  #beginNext(): void {
    if (this.#round !== null || this.#next === null) return;
    const round: Round = {
      ...this.#next,
      phase: 'preparing',
      awaited: new Set(),
      prepared: new Set(),
      cancelLook: () => {},
    };
    this.#next = null;
    this.#round = round;
    this.#lookLater(round, publicationLimits.looksMax);
    for (const worker of this.#generations.keys()) this.#prepareIn(worker, round);
  }

  #prepareIn(worker: number, { publication, awaited }: Round): void {
    awaited.add(worker);
    this.#send(worker, publication);
  }

  #send(worker: number, publication: Publication): void {
    this.#events.post(worker, { type: 'prepare', ...publication.deliver(worker) });
  }

  #answeredRound(worker: number, answer: PlanAnswer, round: Round): void {
    round.awaited.delete(worker);
    if (answer.type === 'refused') return this.#discard(round, refusal(worker, answer.error));
    round.prepared.add(worker);
    if (round.awaited.size === 0) this.#commit(round);
  }

  /** Answer of a worker that catches up outside of a round. */
  #answeredLate(worker: number, answer: PlanAnswer): void {
    if (answer.type === 'refused') this.#events.behind(worker, answer.error);
    else this.#events.post(worker, { type: 'commit', generation: answer.generation });
  }

  #adopted(worker: number, generation: number, round: Round | null): void {
    this.#generations.set(worker, generation);
    if (round?.awaited.delete(worker)) this.#endWhenAdopted(round);
  }

  #lookLater(round: Round, looks: number): void {
    round.cancelLook = this.#clock.after(publicationLimits.lookMs, () => {
      if (looks > 1) this.#lookLater(round, looks - 1);
      else this.#overdue(round);
    });
  }

  #overdue(round: Round): void {
    const [late] = round.awaited;
    // No worker accepts: the Plan can do no harm, and the one in force may be the cause.
    if (late === undefined) this.#commit(round);
    else this.#discard(round, refusal(late, 'it did not answer in time'));
  }

  #commit(round: Round): void {
    round.cancelLook();
    round.phase = 'committing';
    this.#inForce = round.publication;
    for (const worker of round.prepared) {
      round.awaited.add(worker);
      this.#events.post(worker, { type: 'commit', generation: this.plan.generation });
    }
    this.#endWhenAdopted(round);
  }

  #endWhenAdopted(round: Round): void {
    if (round.awaited.size === 0) this.#end(round, { result: 'committed' });
  }

  #discard(round: Round, published: Published): void {
    round.cancelLook();
    const { generation } = round.publication.plan;
    for (const worker of [...round.awaited, ...round.prepared])
      this.#events.post(worker, { type: 'discard', generation });
    this.#end(round, published);
  }

  #end(round: Round, published: Published): void {
    this.#round = null;
    round.settle(published);
    if (this.#isClosed) return;
    this.#beginNext();
    if (this.#round !== null) return;
    for (const [worker, generation] of this.#generations) this.#bringUpToDate(worker, generation);
  }

  #bringUpToDate(worker: number, generation: number): void {
    if (generation < this.plan.generation) this.#send(worker, this.#inForce);
  }
}

const refusal = (worker: number, error: string): Published => ({ result: 'refused', worker, error });
