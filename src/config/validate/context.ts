/** What validation needs to know of the world: given as data and answers, so that it can be tested without it. */
export interface Context {
  /** Module paths are relative to it. */
  readonly directory: string;
  fileExists(path: string): boolean;
  /** Cores available to this process: what `auto` means. */
  readonly cores: number;
  /** Of this machine, beside the loopback ones. */
  readonly addresses: readonly string[];
  readonly hostName: string;
}
