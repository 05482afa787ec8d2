/** A configuration as it was written: a value, and where each part of it stands. */
import type { Problem } from '../model/config.js';
import type { Path } from './path.js';

export type Place = Pick<Problem, 'file' | 'line' | 'column' | 'path'>;

/** A value that could not be read, whatever it should have been. */
export interface Unreadable {
  readonly path: Path;
  /** Where it stands, when that is not where the path leads. */
  readonly place?: Place;
  readonly message: string;
}

export interface Source {
  /** Plain data, unchecked. */
  readonly value: unknown;
  readonly unreadable: readonly Unreadable[];
  /** Where a key stands, or the nearest thing around it. */
  place(path: Path): Place;
}
