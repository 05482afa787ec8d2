/**
 * Reads big-endian fields from untrusted bytes. A read past the end returns 0 or an empty value and sets `overrun`,
 * so a parser checks once, at its end, and can not throw.
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

  /** Bytes left. */
  get left(): number {
    return this.#end - this.#position;
  }

  /** Offset of the next byte in the buffer. */
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

  /** LEB128 varint: seven bits per byte, least significant first, at most five bytes (MQTT, Minecraft). */
  varint(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 35; factor *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
    }
    return value;
  }

  /** False: fewer than `length` bytes were left, and now none is. */
  skip(length: number): boolean {
    const fits = length <= this.left;
    this.#position = fits ? this.#position + length : this.#end;
    this.#overrun ||= !fits;
    return fits;
  }

  /** A cursor over the next `length` bytes, or over what is left if that is less. */
  sub(length: number): Cursor {
    const start = this.#position;
    this.skip(length);
    return new Cursor(this.#bytes, start, this.#position);
  }

  /** A view of the next `length` bytes, or of what is left if that is less. */
  bytes(length: number): Buffer {
    const start = this.#position;
    this.skip(length);
    return this.#bytes.subarray(start, this.#position);
  }

  /** The next `length` bytes as Latin-1: a copy, since the buffer may be overwritten later. */
  latin1(length: number): string {
    const start = this.#position;
    this.skip(length);
    return this.#bytes.toString('latin1', start, this.#position);
  }

  /** The next `length` bytes as UTF-8, also a copy; invalid sequences become U+FFFD. */
  utf8(length: number): string {
    const start = this.#position;
    this.skip(length);
    return this.#bytes.toString('utf8', start, this.#position);
  }
}

/** A Buffer view of the same memory. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
