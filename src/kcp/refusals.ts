/** One log line a source about hellos that are refused, however many come: a bounded number of sources, and of lines. */
import type { Refusal } from './handshake.js';

export const refusalLimits = {
  /** Until a source is told of again. */
  silenceMs: 600_000,
  /** Beyond it no further source is told of until one is due again. */
  sourcesMax: 1024,
} as const;

/** What a line says of each. */
export const refusalWords: Readonly<Record<Refusal, string>> = {
  malformed: 'it is malformed',
  version: 'it is of another version of the protocol: use the same release at both ends',
  cipher: 'it has another cipher: write the same `cipher` at both ends',
  pattern:
    'only one of the two ends has a `secret`, or a `server_key`: write `server_key` at the client where the server has `private_key_file`',
  secret: 'its secret is another one, or it takes this server for another one (`server_key`)',
  clock: 'its clock and this one are more than two minutes apart: set the clocks',
  repeated: 'it has come before: somebody may be replaying it',
};

export class Refusals {
  readonly #told = new Map<string, number>();

  /** Whether there is to be a line about this source. */
  isNews(source: string, nowMs: number): boolean {
    const toldMs = this.#told.get(source);
    if (toldMs !== undefined && nowMs - toldMs < refusalLimits.silenceMs) return false;
    this.#told.delete(source);
    this.#forget(nowMs);
    if (this.#told.size >= refusalLimits.sourcesMax) return false;
    this.#told.set(source, nowMs);
    return true;
  }

  /** In the order of their lines. */
  #forget(nowMs: number): void {
    for (const [source, toldMs] of this.#told) {
      if (nowMs - toldMs < refusalLimits.silenceMs) return;
      this.#told.delete(source);
    }
  }
}
