/**
 * Finished log lines → a file descriptor. Bounded, and never blocking: writes run in the thread pool, so a reader
 * that stands still costs lines (which are counted) and not the event loop. A full disk costs lines until it has room.
 */
import { write } from 'node:fs';

export const lineSinkLimits = {
  /** Bytes that wait to be written; what comes on top is dropped. */
  pendingBytesMax: 1 << 20,
  /** Pause before a descriptor that is full (non-blocking, inherited) is tried again. */
  retryMs: 20,
  /** Pause after a write that failed (disk full, reader gone); lines wait meanwhile. */
  pauseMs: 1000,
  /** How long `close` waits for the reader to take the last lines. */
  closeTimeMsMax: 1000,
} as const;

const LINE_FEED = 0x0a;
const LINE_END = Buffer.of(LINE_FEED);

export class LineSink {
  readonly #fd: number;
  readonly #pendingBytesMax: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #state: 'idle' | 'writing' | 'pausing' = 'idle';
  #lastByte = LINE_FEED;
  /** 1: the rest of a line was lost, and what is pending begins with the end that it lacks. */
  #endsOwed = 0;
  #dropped = 0;
  #onRest: (() => void) | null = null;

  constructor(fd: number, pendingBytesMax: number = lineSinkLimits.pendingBytesMax) {
    this.#fd = fd;
    this.#pendingBytesMax = pendingBytesMax;
  }

  /** Lines that could not be written, or not whole. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes finished lines, each with its line feed. */
  write(lines: string): void {
    const bytes = Buffer.from(lines);
    if (this.#pendingBytes + bytes.length > this.#pendingBytesMax) {
      this.#dropped += countLines(bytes);
      return;
    }
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#state === 'idle') this.#writeNext();
  }

  /** Resolves when everything is written or lost, or the reader did not take it in time. */
  close(): Promise<void> {
    if (this.#state === 'pausing') this.#writeNext();
    if (this.#state !== 'writing') return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, lineSinkLimits.closeTimeMsMax);
      this.#onRest = () => {
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
    if (error || written === 0) {
      this.#lose();
      return;
    }
    this.#endsOwed = 0;
    this.#lastByte = batch[written - 1] as number;
    this.#pendingBytes -= written;
    if (written === batch.length) this.#pending.shift();
    else this.#pending[0] = batch.subarray(written);
    this.#writeNext();
  }

  /** What can not be written now is not kept: the newest lines are what somebody will look for. */
  #lose(): void {
    for (const bytes of this.#pending) this.#dropped += countLines(bytes);
    this.#dropped -= this.#endsOwed;
    this.#endsOwed = this.#lastByte === LINE_FEED ? 0 : 1;
    this.#pending = this.#endsOwed > 0 ? [LINE_END] : [];
    this.#pendingBytes = this.#endsOwed;
    this.#rest('pausing');
    const again = () => this.#state === 'pausing' && this.#writeNext();
    setTimeout(again, lineSinkLimits.pauseMs).unref();
  }

  #rest(state: 'idle' | 'pausing'): void {
    this.#state = state;
    this.#onRest?.();
  }
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) lines += 1;
  return lines;
}
