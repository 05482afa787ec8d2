/**
 * A Plan comes into force in this worker in two steps: what can fail is done when it is prepared, and changes nothing;
 * to commit it can not fail. The primary says when (src/plane/publication).
 */
import type { Engine } from '../addon.js';
import { describeFailure } from '../base/failure.js';
import type { PlanAnswer } from '../model/message.js';
import type { Plan } from '../model/plan.js';
import { type ClassifierOf, Classifiers } from './classifiers.js';
import type { Runtime } from './runtime.js';
import type { Runtimes } from './runtimes.js';

export interface AdoptionParts {
  create(plan: Plan, classifierOf: ClassifierOf): Promise<Runtime>;
  readonly engine: Pick<Engine, 'prepare' | 'commit' | 'discard'>;
  readonly runtimes: Pick<Runtimes, 'add'>;
  answer(answer: PlanAnswer): void;
}

/** What is ready to be put in force. */
interface Prepared {
  readonly runtime: Runtime;
  readonly classifiers: Classifiers;
}

export class Adoption {
  readonly #parts: AdoptionParts;
  /** Of the Plan in force: one that is discarded leaves no trace. */
  #classifiers = new Classifiers();
  /** The generation that is being prepared, or is prepared. */
  #wanted: number | null = null;
  #prepared: Prepared | null = null;

  constructor(parts: AdoptionParts) {
    this.#parts = parts;
  }

  /** Puts the first Plan in force. Rejects when it can not be prepared. */
  async begin(plan: Plan): Promise<void> {
    const prepared = await this.#create(plan);
    this.#parts.engine.prepare(prepared.runtime.tables);
    this.#putInForce(prepared);
  }

  /** Never rejects: the primary is told. */
  async prepare(plan: Plan): Promise<void> {
    this.#drop();
    const { generation } = plan;
    this.#wanted = generation;
    try {
      const prepared = await this.#create(plan);
      if (this.#wanted !== generation) return; // discarded meanwhile, or another one is wanted now
      this.#parts.engine.prepare(prepared.runtime.tables);
      this.#prepared = prepared;
      this.#parts.answer({ type: 'prepared', generation });
    } catch (error) {
      if (this.#wanted !== generation) return;
      this.#wanted = null;
      this.#parts.answer({ type: 'refused', generation, error: describeFailure(error).error });
    }
  }

  /** Of a Plan that is not prepared (any more) nothing is done. */
  commit(generation: number): void {
    if (this.#prepared?.runtime.plan.generation !== generation) return;
    this.#putInForce(this.#prepared);
    this.#parts.answer({ type: 'adopted', generation });
  }

  discard(generation: number): void {
    if (this.#wanted === generation) this.#drop();
  }

  async #create(plan: Plan): Promise<Prepared> {
    const classifiers = new Classifiers(this.#classifiers);
    return { runtime: await this.#parts.create(plan, classifiers.make), classifiers };
  }

  #putInForce({ runtime, classifiers }: Prepared): void {
    this.#wanted = null;
    this.#prepared = null;
    this.#classifiers = classifiers;
    this.#parts.runtimes.add(runtime);
    this.#parts.engine.commit();
  }

  #drop(): void {
    this.#wanted = null;
    if (this.#prepared !== null) this.#parts.engine.discard();
    this.#prepared = null;
  }
}
