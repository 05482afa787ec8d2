/** The addon by its one door, in the build that is shipped. */
import { deepStrictEqual } from 'node:assert/strict';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Classifier } from '../../src/addon.js';
import type { Task } from './task.js';

type Addon = typeof import('../../src/addon.js');
export const { native }: Addon = await import(pathToFileURL(resolve('dist/addon.js')).href);

/** No answer: nothing that `identifyMany` says. */
const UNANSWERED = -9;

/** A first flight, and what the signatures alone say of it: a position, -1 unknown, -2 more. */
export interface Question {
  readonly bytes: Uint8Array;
  readonly due: number;
}

/** Classifies these flights one after the other, in one call. */
export function classifyTask(name: string, classifier: Classifier, questions: readonly Question[]): Task {
  const bytes = Buffer.concat(questions.map((question) => question.bytes));
  let end = 0;
  const ends = Uint32Array.from(questions, (question) => (end += question.bytes.length));
  const due = Int32Array.from(questions, (question) => question.due);
  const answers = new Int32Array(questions.length).fill(UNANSWERED);
  return {
    name,
    operations: questions.length,
    run: () => classifier.identifyMany(bytes, ends, answers),
    check: () => {
      deepStrictEqual(answers, due, name);
      answers.fill(UNANSWERED);
    },
  };
}
