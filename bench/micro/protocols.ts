/**
 * Cost by number of protocols: classifying among 5, 20 and 80 protocols with distinct first bytes, and adding or
 * removing one, compared with a full rebuild.
 */
import { deepStrictEqual } from 'node:assert/strict';
import type { Classifier } from '../../src/addon.js';
import type { ClassifierTables } from '../../src/model/classifier.js';
import { type ClassifierEntry, compileClassifier } from '../../src/protocols/compile.js';
import { recognizersFor } from '../../src/protocols/index.js';
import { flights } from '../../test/cases/flights.js';
import { classifyTask, native, type Question } from './addon.js';
import { mixed } from './mixed.js';
import { repeated, type Task } from './task.js';

const counts = [5, 20, 80];
const batch = 500;

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

/** Changes in the middle, so that half of the other protocols move. */
export function indexTasks(): Task[] {
  const recognizers = recognizersFor('tcp');
  const tables = compileClassifier(recognizers, recognizers.length);
  const { automata, routable } = tables;
  const middle = automata.length >> 1;
  const fewer = compileClassifier(recognizers.toSpliced(middle, 1), routable - 1);
  const full = new native.Classifier(tables);
  const partial = new native.Classifier(fewer);
  const same = { automata: [], routable };
  const without = { automata: [], routable: routable - 1 };
  const added = { automata: automata.slice(middle, middle + 1), routable };
  return [
    indexTask('nothing: what the call itself costs', tables, () => full.splice(middle, 0, same)),
    indexTask('one out', fewer, () => full.splice(middle, 1, without)),
    indexTask('one in', tables, () => partial.splice(middle, 0, added)),
    indexTask('all anew', tables, () => new native.Classifier(tables)),
  ];
}

/** Checks that the changed classifier answers like one built from `due`. */
function indexTask(name: string, due: ClassifierTables, change: () => Classifier): Task {
  const dueAnswers = answersOf(new native.Classifier(due));
  let changed: Classifier;
  return {
    name,
    operations: 1,
    run: () => {
      changed = change();
    },
    check: () => deepStrictEqual(answersOf(changed), dueAnswers, name),
  };
}

const answersOf = (classifier: Classifier) => flights.map(({ bytes }) => classifier.identify(bytes));
