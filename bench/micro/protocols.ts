/**
 * Cost by number of protocols: classifying among 5, 20 and 80 protocols with distinct first bytes, and adding or
 * removing one, compared with a full rebuild.
 */
import { deepStrictEqual } from 'node:assert/strict';
import type { Classifier } from '../../src/addon.js';
import {
  type ClassifierEntry,
  type Compiled,
  compileClassifier,
  compileOnce,
} from '../../src/protocols/compile.js';
import { recognizersFor } from '../../src/protocols/index.js';
import { flights } from '../../test/cases/flights.js';
import { Classifiers, classifyTask, native, type Question } from './addon.js';
import { mixed } from './mixed.js';
import { repeated, type Task } from './task.js';

const counts = [5, 20, 80];
const batch = 500;
/** Changes of the index per call: the clock is no cheaper than one of them. */
const changes = 20;

/** One opening per protocol, each with its own first byte. */
const openings = (count: number): Question[] =>
  Array.from({ length: count }, (_, due) => ({ due, bytes: Buffer.from([0x20 + due, 0x0d, 0x0a, 0x00]) }));

const entryOf = ({ due, bytes }: Question): ClassifierEntry => ({
  id: `${due}`,
  signature: { startBytes: [Buffer.from(bytes).toString('hex')] },
});

/** The protocol of the last rank (worst case of a linear search), and all of them mixed. */
export function growthTasks(): Task[] {
  return counts.flatMap((count) => {
    const all = openings(count);
    const classifier = new native.Classifier(compileClassifier(all.map(entryOf), count));
    const last = repeated(all.slice(-1), batch);
    const each = mixed(repeated(all, batch), 1);
    return [
      classifyTask(`the last among ${count}`, classifier, last),
      classifyTask(`each of ${count}, mixed`, classifier, each),
    ];
  });
}

/**
 * Changes in the middle, so that half of the other protocols move: of the index alone, and as a worker prepares them, who
 * looks for what it has already.
 */
export function indexTasks(): Task[] {
  const all = plannedFor(recognizersFor('tcp'));
  const middle = all.length >> 1;
  const fewer = all.toSpliced(middle, 1);
  const [most, least] = [all.length, fewer.length];
  const ready = all.map(({ automaton }) => new native.Recognizer(automaton));
  const added = ready.slice(middle, middle + 1);
  const empty = new native.Classifier({ automata: [], routable: 0 });
  const full = empty.splice(0, 0, ready, most);
  const partial = full.splice(middle, 1, [], least);
  const [withAll, withFewer] = [inForce(all), inForce(fewer)];
  return [
    indexTask('index, nothing: what the call itself costs', all, () => full.splice(middle, 0, [], most)),
    indexTask('index, one out', fewer, () => full.splice(middle, 1, [], least)),
    indexTask('index, one in', all, () => partial.splice(middle, 0, added, most)),
    indexTask('index, all in', all, () => empty.splice(0, 0, ready, most)),
    indexTask('a worker, nothing', all, () => new Classifiers(withAll).make(all, most)),
    indexTask('a worker, one out', fewer, () => new Classifiers(withAll).make(fewer, least)),
    indexTask('a worker, one in', all, () => new Classifiers(withFewer).make(all, most)),
    indexTask('a worker, all in', all, () => new Classifiers().make(all, most)),
  ];
}

const plannedFor = (entries: readonly ClassifierEntry[]) => entries.map(compileOnce);

/** A worker with a Plan of these protocols. */
function inForce(protocols: readonly Compiled[]): InstanceType<typeof Classifiers> {
  const classifiers = new Classifiers();
  classifiers.make(protocols, protocols.length);
  return classifiers;
}

/** Checks that the changed classifier answers like one built from `due`. */
function indexTask(name: string, due: readonly Compiled[], change: () => Classifier): Task {
  const automata = due.map(({ automaton }) => automaton);
  const dueAnswers = answersOf(new native.Classifier({ automata, routable: due.length }));
  let changed: Classifier;
  return {
    name,
    operations: changes,
    run: () => {
      for (let i = 0; i < changes; i += 1) changed = change();
    },
    check: () => deepStrictEqual(answersOf(changed), dueAnswers, name),
  };
}

const answersOf = (classifier: Classifier) => flights.map(({ bytes }) => classifier.identify(bytes));
