/**
 * Two-phase adoption of a Plan in this worker: prepare does everything that can fail and changes nothing; commit can
 * not fail. The primary coordinates (src/plane/publication).
 */
import type { MessagePort } from 'node:worker_threads';
import type { Engine, EngineTables } from '../addon.js';
import { describeFailure } from '../base/failure.js';
import type { PlanAnswer, PlanDelivery, WorkerSettings } from '../model/message.js';
import type { Plan } from '../model/plan.js';
import { type ClassifierOf, Classifiers } from './classifiers.js';
import type { KeptPlan, PreparedRuntime, Runtime } from './runtime.js';
import type { Runtimes } from './runtimes.js';

export interface AdoptionParts {
  create(plan: Plan, classifierOf: ClassifierOf, settings: WorkerSettings): Promise<PreparedRuntime>;
  /** A Plan that came in pieces, some of them from the one in force. */
  whole(plan: Plan, rest: MessagePort, inForce?: Plan): Promise<Plan>;
  readonly engine: Pick<Engine, 'prepare' | 'commit' | 'discard'>;
  readonly runtimes: Pick<Runtimes, 'add'>;
  /** Puts what comes with a Plan into force; can not fail. */
  apply(plan: KeptPlan, settings: WorkerSettings): void;
  answer(answer: PlanAnswer): void;
}

/** A prepared Plan. */
interface Prepared {
  readonly plan: Plan;
  readonly runtime: Runtime;
  readonly classifiers: Classifiers;
  readonly settings: WorkerSettings;
}

export class Adoption {
  readonly #parts: AdoptionParts;
  /** Classifiers of the Plan in force; a discarded Plan does not change them. */
  #classifiers = new Classifiers();
  /** Whole, as the next one refers to it. */
  #inForce: Plan | null = null;
  /** Generation being prepared or prepared. */
  #wanted: number | null = null;
  #prepared: Prepared | null = null;

  constructor(parts: AdoptionParts) {
    this.#parts = parts;
  }

  /** Puts the first Plan in force. Rejects if it can not be prepared. */
  async begin({ plan, sockets, settings }: PlanDelivery): Promise<void> {
    const { tables, prepared } = await this.#create(plan, settings);
    this.#parts.engine.prepare(tables, sockets);
    this.#putInForce(prepared);
  }

  /** Never rejects; reports the result to the primary. */
  async prepare({ plan: head, rest, base, sockets, settings }: PlanDelivery): Promise<void> {
    this.#drop();
    const { generation } = head;
    this.#wanted = generation;
    try {
      const plan = rest === undefined ? head : await this.#parts.whole(head, rest, this.#known(base));
      if (this.#wanted !== generation) return;
      const { tables, prepared } = await this.#create(plan, settings);
      if (this.#wanted !== generation) return; // discarded or replaced meanwhile
      this.#parts.engine.prepare(tables, sockets);
      this.#prepared = prepared;
      this.#parts.answer({ type: 'prepared', generation });
    } catch (error) {
      if (this.#wanted !== generation) return;
      this.#wanted = null;
      this.#parts.answer({ type: 'refused', generation, error: describeFailure(error).error });
    }
  }

  /** No effect if this generation is not prepared. */
  commit(generation: number): void {
    if (this.#prepared?.runtime.plan.generation !== generation) return;
    this.#putInForce(this.#prepared);
    this.#parts.answer({ type: 'adopted', generation });
  }

  discard(generation: number): void {
    if (this.#wanted === generation) this.#drop();
  }

  async #create(
    plan: Plan,
    settings: WorkerSettings,
  ): Promise<{ readonly tables: EngineTables; readonly prepared: Prepared }> {
    const classifiers = new Classifiers(this.#classifiers);
    const { runtime, tables } = await this.#parts.create(plan, classifiers.make, settings);
    return { tables, prepared: { plan, runtime, classifiers, settings } };
  }

  #known(generation: number | undefined): Plan | undefined {
    if (generation === undefined) return undefined;
    if (this.#inForce?.generation !== generation)
      throw new Error(`it has not adopted the configuration before (${generation})`);
    return this.#inForce;
  }

  #putInForce({ plan, runtime, classifiers, settings }: Prepared): void {
    this.#wanted = null;
    this.#prepared = null;
    this.#classifiers = classifiers;
    this.#inForce = plan;
    this.#parts.runtimes.add(runtime);
    this.#parts.apply(runtime.plan, settings);
    this.#parts.engine.commit();
  }

  #drop(): void {
    this.#wanted = null;
    if (this.#prepared !== null) this.#parts.engine.discard();
    this.#prepared = null;
  }
}
