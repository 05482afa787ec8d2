/**
 * The configuration in force and the ways to change it: what the signal, the file watch, the control interface and the
 * library call. Changes run one at a time and apply as a whole or not at all.
 */
import type { Config, Document, Problem } from './config.js';
import type { Diff } from './diff.js';

/** Who asked for a change. */
export type Cause = 'signal' | 'file' | 'admin' | 'library' | 'docker' | 'etcd';

export type ChangeResult =
  | {
      readonly result: 'applied';
      /** Generation of the Plan in force. */
      readonly generation: number;
      readonly diff: Diff;
      /** From the beginning of this change (not of its wait for others) until it was in force. */
      readonly tookMs: number;
    }
  /** The same configuration as the one in force. */
  | { readonly result: 'unchanged' }
  /** Nothing has changed. At least one problem; those of a file have a position. */
  | { readonly result: 'refused'; readonly problems: readonly Problem[] }
  /** A newer whole configuration was asked for before this one's turn. */
  | { readonly result: 'superseded' }
  /** The daemon is shutting down. */
  | { readonly result: 'called_off' };

export interface CurrentSettings {
  /** In the file's shape, after includes, references and flags. Contains secrets. */
  readonly document: Document;
  readonly config: Config;
  /** Where it came from, for messages: a file's name, `flags`, `document` … */
  readonly name: string;
  /** When it came into force, in milliseconds since the epoch. */
  readonly changedAt: number;
}

/** The outcome of the last change that ended in one; `at` in milliseconds since the epoch. */
export interface LastChange {
  readonly cause: Cause;
  readonly at: number;
  readonly result: Extract<ChangeResult, { result: 'applied' | 'unchanged' | 'refused' }>;
}

export interface Settings {
  readonly current: CurrentSettings;
  /** Null: nothing was asked for since the start. */
  readonly last: LastChange | null;
  /** Reads the file (and the flags) again. */
  reload(cause: Cause): Promise<ChangeResult>;
  /** Replaces the whole configuration. The next reload reads the file again. */
  replace(document: Document, cause: Cause): Promise<ChangeResult>;
  /**
   * Changes the document in force. `change` is called when all earlier changes have ended, and must be pure; a Problem
   * refuses the edit.
   */
  edit(change: (document: Document) => Document | Problem, cause: Cause): Promise<ChangeResult>;
  /** What `replace` would change; checked in the same way, and nothing is changed. */
  diff(
    document: Document,
  ): Promise<
    { readonly ok: true; readonly diff: Diff } | { readonly ok: false; readonly problems: readonly Problem[] }
  >;
}
