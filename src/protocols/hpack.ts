/** HPACK decoder for the first header block of a connection (RFC 7541). */
import { type Header, staticTable } from './hpack-tables.js';
import { decodeHuffman } from './huffman.js';

/** Default dynamic table size: the client has not seen the server's SETTINGS (RFC 7541 section 4.1). */
const tableSizeMax = 4096;
const entryOverhead = 32;

/** Upper bound on integers, far above any string length (RFC 7541 section 5.1 leaves it to the implementation). */
const integerMax = 0xffff;

/** Representations: pattern of the first byte and prefix bits of its integer (RFC 7541 section 6). */
const indexed = { mask: 0x80, prefix: 7 };
const incremental = { mask: 0x40, prefix: 6 };
const sizeUpdate = { mask: 0x20, prefix: 5 };
const literal = { prefix: 4 };
const huffmanString = { mask: 0x80, prefix: 7 };

/** The headers in order; null when the block is malformed. */
export function decodeHeaders(block: Uint8Array): Header[] | null {
  return new Decoder(block).headers();
}

class Decoder {
  readonly #block: Uint8Array;
  readonly #dynamic: Header[] = [];
  #dynamicSize = 0;
  #dynamicMax = tableSizeMax;
  #position = 0;
  #broken: boolean = false;

  constructor(block: Uint8Array) {
    this.#block = block;
  }

  headers(): Header[] | null {
    const headers: Header[] = [];
    while (this.#position < this.#block.length) {
      const header = this.#entry(this.#block[this.#position] ?? 0);
      if (this.#broken) return null;
      if (header) headers.push(header);
    }
    return headers;
  }

  /** A header; null for a dynamic table size update. */
  #entry(first: number): Header | null {
    if (first & indexed.mask) return this.#lookUp(this.#integer(indexed.prefix));
    if (first & incremental.mask) return this.#insert(this.#literal(incremental.prefix));
    if (first & sizeUpdate.mask) return this.#resize(this.#integer(sizeUpdate.prefix));
    return this.#literal(literal.prefix);
  }

  #literal(prefix: number): Header {
    const index = this.#integer(prefix);
    const name = index === 0 ? this.#string() : this.#lookUp(index)[0];
    return [name, this.#string()];
  }

  #lookUp(index: number): Header {
    const header = staticTable[index - 1] ?? this.#dynamic[index - 1 - staticTable.length];
    return header ?? this.#fail(['', '']);
  }

  #insert(header: Header): Header {
    this.#dynamic.unshift(header);
    this.#dynamicSize += sizeOf(header);
    this.#evict();
    return header;
  }

  #resize(size: number): null {
    if (size > tableSizeMax) this.#broken = true;
    this.#dynamicMax = size;
    this.#evict();
    return null;
  }

  #evict(): void {
    while (this.#dynamicSize > this.#dynamicMax) {
      const oldest = this.#dynamic.pop();
      if (oldest) this.#dynamicSize -= sizeOf(oldest);
    }
  }

  /** RFC 7541 section 5.1: prefix, then continuation bytes of seven bits. */
  #integer(prefixBits: number): number {
    const prefixMax = 2 ** prefixBits - 1;
    let value = this.#byte() & prefixMax;
    if (value < prefixMax) return value;
    for (let scale = 1; value <= integerMax; scale *= 128) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    return this.#fail(0);
  }

  #string(): string {
    const isHuffman = ((this.#block[this.#position] ?? 0) & huffmanString.mask) !== 0;
    const length = this.#integer(huffmanString.prefix);
    const bytes = this.#block.subarray(this.#position, this.#position + length);
    if (bytes.length < length) return this.#fail('');
    this.#position += length;
    const text = isHuffman ? decodeHuffman(bytes) : Buffer.from(bytes).toString('latin1');
    return text ?? this.#fail('');
  }

  #byte(): number {
    return this.#block[this.#position++] ?? this.#fail(0);
  }

  #fail<T>(value: T): T {
    this.#broken = true;
    return value;
  }
}

const sizeOf = ([name, value]: Header): number => name.length + value.length + entryOverhead;
