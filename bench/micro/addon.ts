/** The native addon of the production build, and what a worker does with it. */
import { deepStrictEqual } from 'node:assert/strict';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Classifier } from '../../src/addon.js';
import type { Task } from './task.js';

const built = (module: string) => import(pathToFileURL(resolve('dist', module)).href);

export const { native }: typeof import('../../src/addon.js') = await built('addon.js');
export const { Classifiers }: typeof import('../../src/worker/classifiers.js') =
  await built('worker/classifiers.js');

/** Marks an answer that was not written; `identifyMany` never writes this value. */
const UNANSWERED = -9;

/** A first flight and its verdict by signatures alone: protocol index, -1 unknown, -2 more. */
export interface Question {
  readonly bytes: Uint8Array;
  readonly due: number;
}

/** Classifies these flights in one call. `whole`: they are datagrams. */
export function classifyTask(
  name: string,
  classifier: Classifier,
  questions: readonly Question[],
  whole = false,
): Task {
  const bytes = Buffer.concat(questions.map((question) => question.bytes));
  let end = 0;
  const ends = Uint32Array.from(questions, (question) => (end += question.bytes.length));
  const due = Int32Array.from(questions, (question) => question.due);
  const answers = new Int32Array(questions.length).fill(UNANSWERED);
  return {
    name,
    operations: questions.length,
    run: () => classifier.identifyMany(bytes, ends, answers, whole),
    check: () => {
      deepStrictEqual(answers, due, name);
      answers.fill(UNANSWERED);
    },
  };
}
