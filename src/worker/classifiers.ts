/** The classifiers of one Plan after another: what two have in common is built once and shared. */
import { type Classifier, native } from '../addon.js';
import type { PlanProtocol } from '../model/plan.js';

export type Classified = Pick<PlanProtocol, 'id' | 'signature' | 'automaton'>;

/** `protocols` best rank first; the first `routable` of them are routed. */
export type ClassifierOf = (protocols: readonly Classified[], routable: number) => Classifier;

/** Each classifier is made from the one before. */
export class Classifiers {
  #keys: readonly string[];
  #latest: Classifier;

  /** Goes on from the latest of `others`, which stay as they are. */
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

/** Two with the same key have the same automaton: a Plan is a copy, so identity does not tell. */
const keyOf = ({ id, signature }: Classified): string =>
  signature === null ? id : JSON.stringify(signature);

/** How many at the front are the same. */
function commonLength(before: readonly string[], after: readonly string[]): number {
  const differs = after.findIndex((key, index) => key !== before[index]);
  return differs < 0 ? after.length : differs;
}
