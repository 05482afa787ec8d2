/**
 * Classifiers of successive Plans. A list of protocols that the Plan before had keeps its classifier; any other is made
 * from the latest one by replacing what differs. Recognizers are made once and shared, as long as Plans have their protocol.
 */
import { type Classifier, native, type Recognizer } from '../addon.js';
import type { PlanForm } from '../model/plan.js';

/** `protocols` in rank order, of one transport; the first `routable` have routes. */
export type ClassifierOf = (protocols: readonly PlanForm[], routable: number) => Classifier;

/** A classifier and what it is made of. */
interface Made {
  readonly ids: readonly number[];
  readonly routable: number;
  readonly recognizers: readonly Recognizer[];
  readonly classifier: Classifier;
}

/** By `hashOf`; of two lists with the same hash one is kept. */
type MadeByHash = Map<number, Made>;

/** The classifiers of one Plan. */
export class Classifiers {
  readonly #made: MadeByHash = new Map();
  readonly #before: MadeByHash;
  #latest: Made;

  /** Those of the Plan before are not modified, and are kept no longer than these. */
  constructor(before?: Classifiers) {
    this.#before = before ? before.#made : new Map();
    this.#latest = before ? before.#latest : emptyOne();
  }

  make: ClassifierOf = (protocols, routable) => {
    const hash = hashOf(protocols, routable);
    const known = [this.#made.get(hash), this.#before.get(hash)].find(
      (made) => made && isMadeOf(made, protocols, routable),
    );
    this.#latest = known ?? this.#change(protocols, routable);
    this.#made.set(hash, this.#latest);
    return this.#latest.classifier;
  };

  #change(protocols: readonly PlanForm[], routable: number): Made {
    const { ids, recognizers, classifier } = this.#latest;
    const most = Math.min(ids.length, protocols.length);
    let start = 0;
    while (start < most && ids[start] === protocols[start]?.automatonId) start += 1;
    let end = 0;
    while (end < most - start && ids.at(-1 - end) === protocols.at(-1 - end)?.automatonId) end += 1;
    const gone = ids.length - end - start;
    const added = protocols.slice(start, protocols.length - end);
    const made = added.map((protocol) => this.#recognizerOf(protocol));
    return {
      ids: ids.toSpliced(start, gone, ...added.map(({ automatonId }) => automatonId)),
      routable,
      recognizers: recognizers.toSpliced(start, gone, ...made),
      classifier: classifier.splice(start, gone, made, routable),
    };
  }

  /** Mostly found in the first list, because a listener's list ends with the protocols that it does not accept. */
  #recognizerOf({ automatonId, automaton }: PlanForm): Recognizer {
    for (const lists of [this.#made, this.#before]) {
      for (const { ids, recognizers } of lists.values()) {
        const known = recognizers[ids.indexOf(automatonId)];
        if (known !== undefined) return known;
      }
    }
    return new native.Recognizer(automaton);
  }
}

const emptyOne = (): Made => ({
  ids: [],
  routable: 0,
  recognizers: [],
  classifier: new native.Classifier({ automata: [], routable: 0 }),
});

/** Of the automata in order; FNV-1a over 32-bit words. */
function hashOf(protocols: readonly PlanForm[], routable: number): number {
  let hash = 0x811c9dc5 ^ routable;
  for (const { automatonId } of protocols) hash = Math.imul(hash ^ automatonId, 0x01000193);
  return hash;
}

const isMadeOf = (made: Made, protocols: readonly PlanForm[], routable: number): boolean =>
  made.routable === routable &&
  made.ids.length === protocols.length &&
  made.ids.every((id, index) => id === protocols[index]?.automatonId);
