/** Decoder for HPACK's Huffman code (RFC 7541 section 5.2). */
import { codeLengths } from './hpack-tables.js';

const endOfString = 256;

/** The code is canonical: codes of one length are consecutive, ordered by symbol. */
interface Length {
  /** The lowest code of this length. */
  readonly first: number;
  /** Symbols of this length, ordered by code. */
  readonly symbols: readonly number[];
}

const lengths = canonicalCode(Math.max(...codeLengths));

/** Index: code length in bits; no code has 0 bits. */
function canonicalCode(longest: number): readonly Length[] {
  let first = 0;
  return Array.from({ length: longest + 1 }, (_, bits) => {
    const symbols = [...codeLengths.keys()].filter((symbol) => codeLengths[symbol] === bits);
    const length = { first, symbols };
    first = (first + symbols.length) * 2;
    return length;
  });
}

/** The decoded Latin-1 string; null when the code is invalid. */
export function decodeHuffman(bytes: Uint8Array): string | null {
  const decoded: number[] = [];
  let code = 0;
  let bits = 0;
  for (let at = 0; at < bytes.length * 8; at++) {
    code = code * 2 + (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
    bits++;
    const length = lengths[bits];
    const symbol = length?.symbols[code - length.first];
    if (symbol === undefined) continue;
    if (symbol === endOfString) return null;
    decoded.push(symbol);
    [code, bits] = [0, 0];
  }
  return isPadding(code, bits) ? Buffer.from(decoded).toString('latin1') : null;
}

/** Padding: fewer than eight leading bits of EOS, which are ones. */
const isPadding = (code: number, bits: number): boolean => bits < 8 && code === 2 ** bits - 1;
