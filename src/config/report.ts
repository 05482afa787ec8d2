/** Collects what is wrong with a configuration, so that all of it is said at once. */
import type { Problem } from '../model/config.js';
import { isUnder, type Path } from './path.js';
import type { Source } from './source.js';

/** Takes what is allowed, and probably not meant. */
export type Warn = (path: Path, message: string) => void;

export class Report {
  readonly #source: Source;
  readonly #found: { readonly at: Path; readonly problem: Problem }[] = [];

  /** What breaks two rules of one key may be said in the same words. */
  readonly #said = new Set<string>();

  constructor(source: Source) {
    this.#source = source;
    for (const { path, message, place } of source.unreadable) this.#add(path, message, place);
  }

  problem(path: Path, message: string): void {
    // What could not be read is wrong in any other way too: once is enough.
    if (!this.#source.unreadable.some((each) => isUnder(path, each.path))) this.#add(path, message);
  }

  /**
   * Something is missing from a whole: not worth saying when a part of it is wrong and was therefore left out.
   * `path` is where to point, when it is not the whole.
   */
  missing(whole: Path, message: string, path: Path = whole): void {
    const isPart = (at: Path) => at.length > whole.length && isUnder(at, whole);
    if (!this.#found.some(({ at }) => isPart(at))) this.problem(path, message);
  }

  /** Whether anything is wrong there or in a part of it. */
  isWrong(whole: Path): boolean {
    return this.#found.some(({ at }) => isUnder(at, whole));
  }

  /** In the order of the file. */
  get problems(): readonly Problem[] {
    const order = ({ line, column }: Problem) => (line ?? 0) * 1e6 + (column ?? 0);
    return this.#found.map(({ problem }) => problem).sort((a, b) => order(a) - order(b));
  }

  #add(at: Path, message: string, place = this.#source.place(at)): void {
    const text = `${place.path}: ${message}`;
    if (this.#said.has(text)) return;
    this.#said.add(text);
    this.#found.push({ at, problem: { ...place, message } });
  }
}

/** `FILE:LINE:COLUMN: PATH: MESSAGE`, without what is not known. */
export function formatProblem({ path, message, ...place }: Problem): string {
  return [placeText(place), path, message].filter((part) => part !== '').join(': ');
}

/** The same, with `warning` behind the place; `name` stands for a place that is not known. */
export function formatWarning({ path, message, ...place }: Problem, name: string): string {
  return [placeText(place) || name, 'warning', path, message].filter((part) => part !== '').join(': ');
}

function placeText({ file, line, column }: Pick<Problem, 'file' | 'line' | 'column'>): string {
  return [file, line, column].filter((part) => part !== null).join(':');
}
