/** What a command says beside its answer, on standard error: words of others may be in it, so it commands no terminal. */
import { visible } from '../base/text.js';
import { formatProblem } from '../config/report.js';
import type { Problem } from '../model/config.js';

export const tellAside = (words: string): void => void process.stderr.write(`anyport: ${visible(words)}\n`);

/** What a command does without. A source that is missing as a whole has no place. */
export type Lack = (problem: Problem) => void;

export const tellLack: Lack = (problem) =>
  tellAside(problem.file === null ? problem.message : `left out: ${formatProblem(problem)}`);
