/** What the status says of a list of networks. */
export interface ListStatus {
  /** Its key. */
  readonly list: string;
  /** Null: for every listener. */
  readonly listener: string | null;
  /** As written, also those within others. */
  readonly entries: number;
  /** Of memory. */
  readonly bytes: number;
  readonly files: readonly ListFileStatus[];
}

export interface ListFileStatus {
  readonly path: string;
  readonly entries: number;
  /** ISO 8601: when what is in force was read. */
  readonly readAt: string;
  /** Times that it could not be read. */
  readonly failures: number;
  /** Why it can not be read now, so that what it had last is in force; null: it can. */
  readonly problem: string | null;
}
