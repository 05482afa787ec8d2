/** The classifiers of one Plan after another: what two have in common is built once and shared. */
import { type Classifier, native } from '../addon.js';
import type { PlanProtocol } from '../model/plan.js';

export type Classified = Pick<PlanProtocol, 'id' | 'signature' | 'automaton'>;

/** `protocols` best rank first; the first `routable` of them are routed. */
export type ClassifierOf = (protocols: readonly Classified[], routable: number) => Classifier;

/** Made for one worker; each call makes a classifier from that of the call before. */
export function createClassifiers(): ClassifierOf {
  let last: readonly string[] = [];
  let classifier = new native.Classifier({ automata: [], routable: 0 });
  return (protocols, routable) => {
    const keys = protocols.map(keyOf);
    const start = commonLength(last, keys);
    const end = commonLength(last.slice(start).reverse(), keys.slice(start).reverse());
    const added = protocols.slice(start, keys.length - end).map(({ automaton }) => automaton);
    classifier = classifier.splice(start, last.length - end - start, { automata: added, routable });
    last = keys;
    return classifier;
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
