/** The classifiers of one Plan after another: what two have in common is built once and shared. */
import { type Classifier, native } from '../addon.js';
import type { Automaton, ClassifierTables } from '../model/classifier.js';

export type ClassifierOf = (tables: ClassifierTables) => Classifier;

/** Made for one worker; each call makes a classifier from that of the call before. */
export function createClassifiers(): ClassifierOf {
  let last: readonly Automaton[] = [];
  let classifier = new native.Classifier({ automata: last, routable: 0 });
  return ({ automata, routable }) => {
    const start = commonLength(last, automata);
    const end = commonLength(last.slice(start).reverse(), automata.slice(start).reverse());
    const added = automata.slice(start, automata.length - end);
    classifier = classifier.splice(start, last.length - end - start, { automata: added, routable });
    last = automata;
    return classifier;
  };
}

/** How many at the front are the same; an automaton that is known is not compiled again, so identity tells. */
function commonLength(before: readonly Automaton[], after: readonly Automaton[]): number {
  const differs = after.findIndex((automaton, index) => automaton !== before[index]);
  return differs < 0 ? after.length : differs;
}
