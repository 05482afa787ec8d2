/**
 * How a Plan comes into force: prepared in every worker that accepts, then committed in all of them; where one can not,
 * discarded in all. One Plan at a time; of those that wait only the newest is kept. A pure state machine: it is told
 * what workers say, and says what they are to be told.
 */
import type { Clock } from '../base/clock.js';
import type { PlanAnswer, ToWorker } from '../model/message.js';
import type { Plan } from '../model/plan.js';

export const publicationLimits = {
  lookMs: 1000,
  /**
   * Looks until a worker that has not prepared a Plan is late. Looks, not time: none passes while the process is
   * suspended. Longer in all than the pause before a worker that died is replaced.
   */
  looksMax: 10,
} as const;

export type Published =
  | { readonly result: 'committed' }
  /** A worker can not prepare it, and why. The Plan before stays in force. */
  | { readonly result: 'refused'; readonly worker: number; readonly error: string }
  /** A newer one was published before its turn came. */
  | { readonly result: 'superseded' }
  /** The workers are ending. */
  | { readonly result: 'called_off' };

export interface PublisherEvents {
  post(worker: number, message: ToWorker): void;
  /** It started before the Plan in force was committed, and can not prepare it: it goes on with the one it has. */
  behind(worker: number, error: string): void;
}

interface Wish {
  readonly plan: Plan;
  readonly settle: (published: Published) => void;
}

interface Round extends Wish {
  phase: 'preparing' | 'committing';
  /** Workers that have not prepared it yet; then those that have not adopted it yet. */
  readonly awaited: Set<number>;
  readonly prepared: Set<number>;
  cancelLook: () => void;
}

export class Publisher {
  #plan: Plan;
  /** Of each worker that accepts: the generation that it has adopted. */
  readonly #generations = new Map<number, number>();
  #round: Round | null = null;
  #next: Wish | null = null;
  #isClosed = false as boolean;
  readonly #events: PublisherEvents;
  readonly #clock: Clock;

  /** `plan`: what workers begin with. */
  constructor(plan: Plan, events: PublisherEvents, clock: Clock) {
    this.#plan = plan;
    this.#events = events;
    this.#clock = clock;
  }

  /** The one in force, committed last: what a worker that starts now begins with. */
  get plan(): Plan {
    return this.#plan;
  }

  /** Each Plan has a higher generation than those published before, whatever became of them. */
  publish(plan: Plan): Promise<Published> {
    if (this.#isClosed) return Promise.resolve({ result: 'called_off' });
    this.#next?.settle({ result: 'superseded' });
    return new Promise((settle) => {
      this.#next = { plan, settle };
      this.#beginNext();
    });
  }

  /** A worker accepts, with the Plan of that generation. */
  joined(worker: number, generation: number): void {
    if (this.#isClosed) return;
    this.#generations.set(worker, generation);
    if (this.#round === null) this.#bringUpToDate(worker, generation);
    else if (this.#round.phase === 'preparing') this.#prepareIn(worker, this.#round);
  }

  answered(worker: number, answer: PlanAnswer): void {
    const { generation } = answer;
    const round = this.#round?.plan.generation === generation ? this.#round : null;
    if (answer.type === 'adopted') this.#adopted(worker, generation, round);
    else if (round?.phase === 'preparing') this.#answeredRound(worker, answer, round);
    else if (generation === this.#plan.generation) this.#answeredLate(worker, answer);
  }

  /** A worker died. */
  gone(worker: number, error: string): void {
    this.#generations.delete(worker);
    const round = this.#round;
    if (round === null) return;
    const wasAwaited = round.awaited.delete(worker);
    const hadPrepared = round.prepared.delete(worker);
    if (round.phase === 'committing') this.#endWhenAdopted(round);
    else if (wasAwaited || hadPrepared) this.#refuse(round, worker, `it died: ${error}`);
  }

  /** The workers are ending: no other Plan comes into force. */
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

  #prepareIn(worker: number, { plan, awaited }: Round): void {
    awaited.add(worker);
    this.#events.post(worker, { type: 'prepare', plan });
  }

  #answeredRound(worker: number, answer: PlanAnswer, round: Round): void {
    round.awaited.delete(worker);
    if (answer.type === 'refused') return this.#refuse(round, worker, answer.error);
    round.prepared.add(worker);
    if (round.awaited.size === 0) this.#commit(round);
  }

  /** Of a worker that is brought up to date. */
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
    // No worker accepts: none is left that the Plan could harm, and the one in force may be why.
    if (late === undefined) this.#commit(round);
    else this.#refuse(round, late, 'it did not answer in time');
  }

  #commit(round: Round): void {
    round.cancelLook();
    round.phase = 'committing';
    this.#plan = round.plan;
    for (const worker of round.prepared) {
      round.awaited.add(worker);
      this.#events.post(worker, { type: 'commit', generation: round.plan.generation });
    }
    this.#endWhenAdopted(round);
  }

  #endWhenAdopted(round: Round): void {
    if (round.awaited.size === 0) this.#end(round, { result: 'committed' });
  }

  #refuse(round: Round, worker: number, error: string): void {
    this.#discard(round, { result: 'refused', worker, error });
  }

  #discard(round: Round, published: Published): void {
    round.cancelLook();
    const { generation } = round.plan;
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
    if (generation < this.#plan.generation) this.#events.post(worker, { type: 'prepare', plan: this.#plan });
  }
}
