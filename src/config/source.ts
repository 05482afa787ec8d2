/** A configuration as written: values and their positions. */
import type { Problem } from '../model/config.js';
import type { Path } from './path.js';

export type Place = Pick<Problem, 'file' | 'line' | 'column' | 'path'>;

/** A value that could not be read at all. */
export interface Unreadable {
  readonly path: Path;
  /** Position, if it differs from that of the path. */
  readonly place?: Place;
  readonly message: string;
}

export interface Source {
  /** Plain data, not validated. */
  readonly value: unknown;
  readonly unreadable: readonly Unreadable[];
  /** Names of the files it is written in, in the order of reading; empty for what is not from a file. */
  readonly files: readonly string[];
  /** Position of a key, or of the nearest enclosing value. */
  place(path: Path): Place;
}
