/**
 * What a number of protocols costs: classifying among 5, 20 and 80 of them that do not share a first byte, and
 * bringing one more in or out, beside building all anew.
 */
import type { ClassifierTables } from '../../src/model/classifier.js';
import { compileClassifier } from '../../src/protocols/compile.js';
import { recognizersFor } from '../../src/protocols/index.js';
import { classifyMany, native } from './addon.js';
import type { Task } from './task.js';

const counts = [5, 20, 80];
const batch = 500;

/** Each begins with a byte of its own. */
function strangers(count: number): ClassifierTables {
  const entries = Array.from({ length: count }, (_, i) => ({
    id: `${i}`,
    signature: { startBytes: [Buffer.from([0x20 + i, 0x0d, 0x0a, 0x00]).toString('hex')] },
  }));
  return compileClassifier(entries, count);
}

export function growthTasks(): Task[] {
  const opening = Buffer.from([0x20, 0x0d, 0x0a, 0x00]);
  return counts.map((count) => {
    const classifier = new native.Classifier(strangers(count));
    if (classifier.identify(opening).protocol !== 0) throw new Error(`${count}: the first is not found`);
    const run = classifyMany(classifier, Array<Uint8Array>(batch).fill(opening));
    return { name: `among ${count}`, operations: batch, run };
  });
}

/** In the middle, so that half of the others move. */
export function indexTasks(): Task[] {
  const recognizers = recognizersFor('tcp');
  const tables = compileClassifier(recognizers, recognizers.length);
  const { automata, routable } = tables;
  const middle = automata.length >> 1;
  const full = new native.Classifier(tables);
  const same = { automata: [], routable };
  const without = { automata: [], routable: routable - 1 };
  const added = { automata: automata.slice(middle, middle + 1), routable };
  const fewer = full.splice(middle, 1, without);
  return [
    { name: 'nothing: what the call itself costs', operations: 1, run: () => full.splice(middle, 0, same) },
    { name: 'one out', operations: 1, run: () => full.splice(middle, 1, without) },
    { name: 'one in', operations: 1, run: () => fewer.splice(middle, 0, added) },
    { name: 'all anew', operations: 1, run: () => new native.Classifier(tables) },
  ];
}
