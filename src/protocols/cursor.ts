/**
 * Reads big-endian fields from untrusted bytes. A read past the end gives 0 or nothing and sets `overrun`, so a
 * parser checks once, at its end, and can not throw.
 */
export class Cursor {
  readonly #bytes: Buffer;
  readonly #end: number;
  #position: number;
  #overrun = false;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#end - this.#position;
  }

  /** Bytes before the next one, from the start of the buffer. */
  get position(): number {
    return this.#position;
  }

  /** A read went past the end. */
  get overrun(): boolean {
    return this.#overrun;
  }

  u8(): number {
    const at = this.#position;
    return this.skip(1) ? (this.#bytes[at] ?? 0) : 0;
  }

  u16(): number {
    const at = this.#position;
    return this.skip(2) ? ((this.#bytes[at] ?? 0) << 8) | (this.#bytes[at + 1] ?? 0) : 0;
  }

  /** Seven bits a byte, the lowest first, until one without the eighth: at most five (MQTT, Minecraft). */
  varint(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 35; factor *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
    }
    return value;
  }

  /** False: there are not so many bytes, and none is left now. */
  skip(length: number): boolean {
    const fits = length <= this.left;
    this.#position = fits ? this.#position + length : this.#end;
    this.#overrun ||= !fits;
    return fits;
  }

  /** A cursor over the next `length` bytes; over what there is when there are not so many. */
  sub(length: number): Cursor {
    const start = this.#position;
    this.skip(length);
    return new Cursor(this.#bytes, start, this.#position);
  }

  /** The next `length` bytes, in the same memory; what there is when there are not so many. */
  bytes(length: number): Buffer {
    const start = this.#position;
    this.skip(length);
    return this.#bytes.subarray(start, this.#position);
  }

  /** The next `length` bytes as characters: a string of its own, the bytes may be overwritten afterwards. */
  latin1(length: number): string {
    const start = this.#position;
    this.skip(length);
    return this.#bytes.toString('latin1', start, this.#position);
  }

  /** The same of UTF-8; what is none becomes U+FFFD. */
  utf8(length: number): string {
    const start = this.#position;
    this.skip(length);
    return this.#bytes.toString('utf8', start, this.#position);
  }
}

/** The same memory with Buffer's methods. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
