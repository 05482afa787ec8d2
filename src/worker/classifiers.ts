/** Classifiers of successive Plans, built incrementally: recognizers in common are shared. */
import { type Classifier, native } from '../addon.js';
import type { PlanProtocol } from '../model/plan.js';

export type Classified = Pick<PlanProtocol, 'id' | 'signature' | 'automaton'>;

/** `protocols` in rank order; the first `routable` have routes. */
export type ClassifierOf = (protocols: readonly Classified[], routable: number) => Classifier;

/** Each classifier is derived from the previous one. */
export class Classifiers {
  #keys: readonly string[];
  #latest: Classifier;

  /** Starts from the latest classifier of `others`, which is not modified. */
  constructor(others?: Classifiers) {
    this.#keys = others ? others.#keys : [];
    this.#latest = others ? others.#latest : new native.Classifier({ automata: [], routable: 0 });
  }

  make: ClassifierOf = (protocols, routable) => {
    const keys = protocols.map(keyOf);
    const start = commonLength(this.#keys, keys);
    const end = commonLength(this.#keys.slice(start).reverse(), keys.slice(start).reverse());
    const added = protocols.slice(start, keys.length - end).map(({ automaton }) => automaton);
    const gone = this.#keys.length - end - start;
    this.#latest = this.#latest.splice(start, gone, { automata: added, routable });
    this.#keys = keys;
    return this.#latest;
  };
}

/** Equal keys mean equal automata; object identity can not be compared, because a Plan is a structured clone. */
const keyOf = ({ id, signature }: Classified): string =>
  signature === null ? id : JSON.stringify(signature);

/** Length of the common prefix. */
function commonLength(before: readonly string[], after: readonly string[]): number {
  const differs = after.findIndex((key, index) => key !== before[index]);
  return differs < 0 ? after.length : differs;
}
