/**
 * Finished log lines → a file descriptor. Bounded, and never blocking: writes run in the thread pool, so a reader
 * that stands still costs lines (which are counted) and not the event loop.
 */
import { write } from 'node:fs';

export const lineSinkLimits = {
  /** Bytes that wait to be written; what comes on top is dropped. */
  pendingBytesMax: 1 << 20,
  /** Pause before a descriptor that is full (non-blocking, inherited) is tried again. */
  retryMs: 20,
  /** How long `close` waits for the reader to take the last lines. */
  closeTimeMsMax: 1000,
} as const;

export class LineSink {
  readonly #fd: number;
  readonly #pendingBytesMax: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #state: 'idle' | 'writing' | 'broken' = 'idle';
  #dropped = 0;
  #onEmpty: (() => void) | null = null;

  constructor(fd: number, pendingBytesMax: number = lineSinkLimits.pendingBytesMax) {
    this.#fd = fd;
    this.#pendingBytesMax = pendingBytesMax;
  }

  /** Lines that could not be written. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes finished lines, each with its line feed. */
  write(lines: string): void {
    const bytes = Buffer.from(lines);
    if (this.#state === 'broken' || this.#pendingBytes + bytes.length > this.#pendingBytesMax) {
      this.#dropped += countLines(bytes);
      return;
    }
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#state === 'idle') this.#writeNext();
  }

  /** Resolves when everything is written, or the reader did not take it in time. */
  close(): Promise<void> {
    if (this.#state !== 'writing') return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, lineSinkLimits.closeTimeMsMax);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #writeNext(): void {
    if (this.#pending.length === 0) {
      this.#rest('idle');
      return;
    }
    this.#state = 'writing';
    const batch = Buffer.concat(this.#pending);
    this.#pending = [batch];
    write(this.#fd, batch, (error, written) => this.#wrote(batch, error, written));
  }

  #wrote(batch: Buffer, error: NodeJS.ErrnoException | null, written: number): void {
    if (error?.code === 'EAGAIN') {
      setTimeout(() => this.#writeNext(), lineSinkLimits.retryMs);
      return;
    }
    if (error) {
      this.#giveUp();
      return;
    }
    this.#pendingBytes -= written;
    if (written === batch.length) this.#pending.shift();
    else this.#pending[0] = batch.subarray(written);
    this.#writeNext();
  }

  /** The reader is gone for good (EPIPE, EIO): no later line can be written either. */
  #giveUp(): void {
    for (const bytes of this.#pending) this.#dropped += countLines(bytes);
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#rest('broken');
  }

  #rest(state: 'idle' | 'broken'): void {
    this.#state = state;
    this.#onEmpty?.();
  }
}

const LINE_FEED = 0x0a;

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) lines += 1;
  return lines;
}
