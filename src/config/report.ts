/** Collects the problems of a configuration, so that all are reported at once. */
import { visible } from '../base/text.js';
import type { Problem } from '../model/config.js';
import { isUnder, type Path, pathText } from './path.js';
import { withoutSecret } from './secret-keys.js';
import type { Source } from './source.js';

/** Reports something valid that is probably not intended. */
export type Warn = (path: Path, message: string) => void;

/** Entries are not read on beyond so many problems: a million wrong ones would take a minute. */
const PROBLEMS_MAX = 1000;

export class Report {
  readonly #source: Source;
  readonly #found: { readonly at: Path; readonly problem: Problem }[] = [];

  /** Two rules may report the same problem. */
  readonly #said = new Set<string>();

  constructor(source: Source) {
    this.#source = source;
    for (const { path, message, place } of source.unreadable) this.#add(path, message, place);
  }

  problem(path: Path, message: string): void {
    // An unreadable value violates other rules too: it is reported once.
    if (!this.#source.unreadable.some((each) => isUnder(path, each.path))) this.#add(path, message);
  }

  /**
   * Reports something missing from `whole`, unless a part of it is wrong and was left out for that reason. `path`:
   * where to point, default `whole`.
   */
  missing(whole: Path, message: string, path: Path = whole): void {
    const isPart = (at: Path) => at.length > whole.length && isUnder(at, whole);
    if (!this.#found.some(({ at }) => isPart(at))) this.problem(path, message);
  }

  /** How another place is named in a message. */
  nameOf(path: Path): string {
    return placeName(path, this.#source);
  }

  /** Whether a problem is reported there or below. */
  isWrong(whole: Path): boolean {
    return this.#found.some(({ at }) => isUnder(at, whole));
  }

  /** Enough to mend: nothing more need be read. */
  get isFull(): boolean {
    return this.#found.length >= PROBLEMS_MAX;
  }

  /** In file order. */
  get problems(): readonly Problem[] {
    return this.#found.map(({ problem }) => problem).sort(inFileOrder(this.#source.files));
  }

  #add(at: Path, message: string, place = this.#source.place(at)): void {
    const problem = { ...place, message: withoutSecret(at, message) };
    const text = formatProblem(problem);
    if (this.#said.has(text)) return;
    this.#said.add(text);
    this.#found.push({ at, problem });
  }
}

type Compare = (a: Problem, b: Problem) => number;

/** Compares positions. Problems without one come first. */
export function inFileOrder(files: readonly string[]): Compare {
  const places = new Map(files.map((file, index) => [file, index]));
  const fileOf = ({ file }: Problem) => (file === null ? -1 : (places.get(file) ?? files.length));
  return (a, b) =>
    fileOf(a) - fileOf(b) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

/** How another place is named in a message: by its key path, and where there are several files by its position. */
export function placeName(path: Path, source: Source): string {
  const place = source.place(path);
  return source.files.length > 1 && place.file !== null
    ? `${place.path} (${placeText(place)})`
    : pathText(path);
}

/** A problem of no file: of a document, of flags, or of putting a configuration into force. */
export const unplaced = (message: string, path = ''): Problem => ({
  file: null,
  line: null,
  column: null,
  path,
  message,
});

/** `FILE:LINE:COLUMN: PATH: MESSAGE`, without unknown parts; one line, whatever stands in the file. */
export function formatProblem({ path, message, ...place }: Problem): string {
  return visible([placeText(place), path, message].filter((part) => part !== '').join(': '));
}

/** As formatProblem, with `warning` behind the position; `name` replaces an unknown position. */
export function formatWarning({ path, message, ...place }: Problem, name: string): string {
  return visible(
    [placeText(place) || name, 'warning', path, message].filter((part) => part !== '').join(': '),
  );
}

function placeText({ file, line, column }: Pick<Problem, 'file' | 'line' | 'column'>): string {
  return [file, line, column].filter((part) => part !== null).join(':');
}
