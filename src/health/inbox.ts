/** What an endpoint has sent and nobody has read yet; at most one reader waits. */
import { LineFault, lineLimits, type Until } from './line.js';

interface Reader {
  readonly until: Until;
  readonly resolve: (bytes: Buffer) => void;
  readonly reject: (fault: unknown) => void;
}

/** Bytes of a stream. */
export class Inbox {
  #bytes: Buffer = Buffer.alloc(0);
  #roomBytes: number = lineLimits.answerBytesMax;
  #ended = false as boolean;
  #fault: LineFault | null = null;
  #reader: Reader | null = null;

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
    this.#serve();
  }

  /** The endpoint has finished: what it has sent can still be read. */
  end(): void {
    this.#ended = true;
    this.#serve();
  }

  /** The first fault counts. */
  fail(fault: LineFault): void {
    this.#fault ??= fault;
    this.#serve();
  }

  read(until: Until): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#reader?.reject(new Error('two reads at once'));
      this.#reader = { until, resolve, reject };
      this.#serve();
    });
  }

  #serve(): void {
    const reader = this.#reader;
    if (reader === null) return;
    try {
      const length = this.#fault === null ? this.#answered(reader.until) : null;
      const fault = length === null ? this.#whyNoMore() : null;
      if (length === null && fault === null) return;
      this.#reader = null;
      if (length === null) return reader.reject(fault);
      const taken = this.#bytes.subarray(0, length);
      this.#bytes = this.#bytes.subarray(length);
      reader.resolve(taken);
    } catch (error) {
      this.#reader = null;
      reader.reject(error);
    }
  }

  #answered(until: Until): number | null {
    const length = until(this.#bytes, this.#ended || this.isFull);
    return length === null ? null : Math.min(length, this.#bytes.length);
  }

  #whyNoMore(): LineFault | null {
    if (this.#fault !== null) return this.#fault;
    if (this.isFull) return new LineFault(`answered more than ${lineLimits.answerBytesMax} bytes`);
    return this.#ended ? new LineFault('closed the connection before it had answered') : null;
  }
}

/** Datagrams, each an answer or not. */
export class DatagramInbox {
  #waiting: Buffer[] = [];
  #roomBytes: number = lineLimits.answerBytesMax;
  #fault: LineFault | null = null;
  #reader: Reader | null = null;

  put(datagram: Buffer): void {
    if (this.#waiting.length === lineLimits.datagramsMax) return;
    if (datagram.length > this.#roomBytes)
      return this.fail(new LineFault(`answered more than ${lineLimits.answerBytesMax} bytes`));
    this.#roomBytes -= datagram.length;
    this.#waiting.push(datagram);
    this.#serve();
  }

  /** The first fault counts. */
  fail(fault: LineFault): void {
    this.#fault ??= fault;
    this.#serve();
  }

  read(until: Until): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#reader?.reject(new Error('two reads at once'));
      this.#reader = { until, resolve, reject };
      this.#serve();
    });
  }

  #serve(): void {
    const reader = this.#reader;
    if (reader === null) return;
    try {
      const answer = this.#take(reader.until);
      if (answer === null && this.#fault === null) return;
      this.#reader = null;
      if (answer === null) reader.reject(this.#fault);
      else reader.resolve(answer);
    } catch (error) {
      this.#reader = null;
      reader.reject(error);
    }
  }

  #take(until: Until): Buffer | null {
    for (let datagram = this.#waiting.shift(); datagram !== undefined; datagram = this.#waiting.shift()) {
      const length = until(datagram, true);
      if (length !== null) return datagram.subarray(0, length);
    }
    return null;
  }
}
