/**
 * Writes finished log lines to a file descriptor. Bounded and never blocking: writes run in the thread pool, so a
 * stalled reader or a full disk costs lines, which are counted, and never blocks the event loop.
 */
import { write } from 'node:fs';

export const lineSinkLimits = {
  /** Upper bound on bytes waiting to be written; further lines are dropped. */
  pendingBytesMax: 1 << 20,
  /** PIPE_BUF: a write of so many bytes to a pipe is not mixed with another process's. */
  atomicBytesMax: 4096,
  /** Pause before retrying after EAGAIN (an inherited non-blocking descriptor that is full). */
  retryMs: 20,
  /** Pause after a failed write (disk full, reader gone); meanwhile lines wait. */
  pauseMs: 1000,
  /** Upper bound on the time `close` waits for the last lines to be written. */
  closeTimeMsMax: 1000,
} as const;

const LINE_FEED = 0x0a;
const LINE_END = Buffer.of(LINE_FEED);

interface Redirection {
  readonly fd: number;
  readonly released: (fd: number) => void;
}

export class LineSink {
  #fd: number;
  /** Where to go on once the line under way is whole. */
  #next: Redirection | null = null;
  readonly #pendingBytesMax: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #state: 'idle' | 'writing' | 'pausing' = 'idle';
  #lastByte = LINE_FEED;
  /** 1: a line was cut, and `#pending` starts with the line feed that ends it. */
  #endsOwed = 0;
  #dropped = 0;
  /**
   * Whether another process writes lines to the same pipe: lines are then written in pieces that the kernel keeps whole,
   * as long as no line is over `atomicBytesMax`.
   */
  isShared = false as boolean;
  /** Told of each write that failed. */
  failed: (error: NodeJS.ErrnoException) => void = () => {};
  #onRest: (() => void) | null = null;

  constructor(fd: number, pendingBytesMax: number = lineSinkLimits.pendingBytesMax) {
    this.#fd = fd;
    this.#pendingBytesMax = pendingBytesMax;
  }

  /** Lines lost or cut. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes finished lines, each with its line feed; bytes are kept, not copied. */
  write(lines: string | Uint8Array): void {
    const bytes = typeof lines === 'string' ? Buffer.from(lines) : viewOf(lines);
    if (this.#pendingBytes + bytes.length > this.#pendingBytesMax) {
      this.#dropped += countLines(bytes);
      return;
    }
    this.#pending.push(...(this.isShared ? piecesOf(bytes) : [bytes]));
    this.#pendingBytes += bytes.length;
    if (this.#state === 'idle') this.#writeNext();
  }

  /** Goes on in another descriptor, after a whole line; `released` gets the one that is written to no more. */
  redirect(fd: number, released: (fd: number) => void): void {
    this.#next?.released(this.#next.fd);
    this.#next = { fd, released };
    if (this.#state !== 'writing') this.#writeNext();
  }

  /** Resolves when all lines are written or lost, at the latest after `closeTimeMsMax`. */
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
    if (this.#next !== null) this.#turn(this.#next);
    if (this.#pending.length === 0) {
      this.#rest('idle');
      return;
    }
    this.#state = 'writing';
    const count = this.isShared ? atomicCount(this.#pending) : this.#pending.length;
    const batch = Buffer.concat(this.#pending.slice(0, count));
    this.#pending.splice(0, count, batch);
    write(this.#fd, batch, (error, written) => this.#wrote(batch, error, written));
  }

  /** A line that was cut when the old descriptor failed stays cut. */
  #turn({ fd, released }: Redirection): void {
    if (this.#endsOwed > 0) this.#forgetLineEnd();
    else if (this.#lastByte !== LINE_FEED) return;
    const old = this.#fd;
    this.#fd = fd;
    this.#next = null;
    released(old);
  }

  #forgetLineEnd(): void {
    const [first = LINE_END, ...rest] = this.#pending;
    this.#pending = first.length > LINE_END.length ? [first.subarray(LINE_END.length), ...rest] : rest;
    this.#pendingBytes -= LINE_END.length;
    this.#endsOwed = 0;
    this.#lastByte = LINE_FEED;
  }

  #wrote(batch: Buffer, error: NodeJS.ErrnoException | null, written: number): void {
    if (error?.code === 'EAGAIN') {
      setTimeout(() => this.#writeNext(), lineSinkLimits.retryMs);
      return;
    }
    if (error || written === 0) {
      this.failed(error ?? new Error('nothing could be written'));
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

  /** Drops what could not be written: after a failure the newest lines are the useful ones. */
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

const viewOf = ({ buffer, byteOffset, length }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, length);

/** Cuts finished lines at line ends; a longer line is a piece of its own. */
function piecesOf(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  let from = 0;
  while (from < bytes.length) {
    const most = from + lineSinkLimits.atomicBytesMax;
    const fitting = most >= bytes.length ? bytes.length : bytes.lastIndexOf(LINE_FEED, most - 1) + 1;
    const next = bytes.indexOf(LINE_FEED, from) + 1;
    const end = fitting > from ? fitting : next === 0 ? bytes.length : next;
    pieces.push(bytes.subarray(from, end));
    from = end;
  }
  return pieces;
}

/** How many of the first pieces make one write; at least one. */
function atomicCount(pieces: readonly Buffer[]): number {
  let bytes = pieces[0]?.length ?? 0;
  let count = 1;
  for (; count < pieces.length; count += 1) {
    bytes += pieces[count]?.length ?? 0;
    if (bytes > lineSinkLimits.atomicBytesMax) break;
  }
  return count;
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) lines += 1;
  return lines;
}
