/** The line of a check that opens nothing: it tells only when the probe is over. */
import type { Line } from './line.js';

export class NoLine implements Line {
  readonly signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }

  write(): never {
    throw new Error('this check has no line');
  }

  async read(): Promise<never> {
    throw new Error('this check has no line');
  }

  async startTls(): Promise<never> {
    throw new Error('this check has no line');
  }

  close(): void {}
}
