/** What an endpoint has sent and nobody has read yet; at most one reader waits. */
import { LineFault, lineLimits, type Until } from './line.js';

interface Reader {
  readonly until: Until;
  readonly resolve: (bytes: Buffer) => void;
  readonly reject: (fault: unknown) => void;
}

/** What is common: one reader, and the first fault. */
abstract class Reading {
  #fault: LineFault | null = null;
  #reader: Reader | null = null;

  /** The first fault counts. */
  fail(fault: LineFault): void {
    this.#fault ??= fault;
    this.serve();
  }

  read(until: Until): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#reader?.reject(new Error('two reads at once'));
      this.#reader = { until, resolve, reject };
      this.serve();
    });
  }

  /** An answer out of what has arrived; null: none yet. */
  protected abstract take(until: Until): Buffer | null;

  /** Why none will come; null: one may. */
  protected whyNoMore(): LineFault | null {
    return this.#fault;
  }

  protected serve(): void {
    const reader = this.#reader;
    if (reader === null) return;
    try {
      const answer = this.take(reader.until);
      const fault = answer === null ? this.whyNoMore() : null;
      if (answer === null && fault === null) return;
      this.#reader = null;
      if (answer === null) reader.reject(fault);
      else reader.resolve(answer);
    } catch (error) {
      this.#reader = null;
      reader.reject(error);
    }
  }
}

/** Bytes of a stream. */
export class Inbox extends Reading {
  #bytes: Buffer = Buffer.alloc(0);
  #roomBytes: number = lineLimits.answerBytesMax;
  #ended = false as boolean;

  /** Nothing more is taken: the sender may be paused. */
  get isFull(): boolean {
    return this.#roomBytes === 0;
  }

  get isEmpty(): boolean {
    return this.#bytes.length === 0;
  }

  put(chunk: Buffer): void {
    // A copy, so that a few bytes do not keep the socket's whole buffer.
    const taken = chunk.subarray(0, this.#roomBytes);
    this.#roomBytes -= taken.length;
    this.#bytes = Buffer.concat([this.#bytes, taken]);
    this.serve();
  }

  /** What has been read was of another conversation: the limit is that of the next one. */
  begin(): void {
    this.#roomBytes = Math.max(0, lineLimits.answerBytesMax - this.#bytes.length);
  }

  /** The endpoint has finished: what it has sent can still be read. */
  end(): void {
    this.#ended = true;
    this.serve();
  }

  /** After a fault what has arrived does not count. */
  protected take(until: Until): Buffer | null {
    if (super.whyNoMore() !== null) return null;
    const length = until(this.#bytes, this.#ended || this.isFull);
    if (length === null) return null;
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(taken.length);
    return taken;
  }

  protected override whyNoMore(): LineFault | null {
    const fault = super.whyNoMore();
    if (fault !== null) return fault;
    if (this.isFull) return new LineFault(`answered more than ${lineLimits.answerBytesMax} bytes`);
    return this.#ended ? new LineFault('closed the connection before it had answered') : null;
  }
}

/** Datagrams, each an answer or not. */
export class DatagramInbox extends Reading {
  #waiting: Buffer[] = [];
  #roomBytes: number = lineLimits.answerBytesMax;

  put(datagram: Buffer): void {
    if (this.#waiting.length === lineLimits.datagramsMax) return;
    if (datagram.length > this.#roomBytes)
      return this.fail(new LineFault(`answered more than ${lineLimits.answerBytesMax} bytes`));
    this.#roomBytes -= datagram.length;
    this.#waiting.push(datagram);
    this.serve();
  }

  protected take(until: Until): Buffer | null {
    for (let datagram = this.#waiting.shift(); datagram !== undefined; datagram = this.#waiting.shift()) {
      const length = until(datagram, true);
      if (length !== null) return datagram.subarray(0, length);
    }
    return null;
  }
}
