/** Input of commands: a file, or standard input. */
import { constants, createReadStream, openSync, statSync } from 'node:fs';
import { Socket } from 'node:net';
import { addAbortSignal, type Readable } from 'node:stream';
import { reasonOf } from '../config/text.js';
import { BAD_USAGE, Failure } from './failure.js';

/** More than any protocol needs; a longer file is not read further. */
const INPUT_BYTES_MAX = 1024 * 1024;

/** Chunks of the input; `-` is standard input. Throws a Failure when it can not be read, or no longer may. */
export async function* chunksOf(file: string, signal?: AbortSignal): AsyncGenerator<Buffer> {
  try {
    const input = file === '-' ? process.stdin : opened(file);
    if (signal !== undefined) addAbortSignal(signal, input);
    for await (const chunk of input) yield Buffer.from(chunk);
  } catch (error) {
    throw new Failure(`can not read ${file}: ${reasonOf(error as NodeJS.ErrnoException)}`, BAD_USAGE);
  }
}

/** A FIFO that nobody writes to yet would block one of the few threads that open files, and an exit with it. */
function opened(file: string): Readable {
  if (!statSync(file).isFIFO()) return createReadStream(file);
  return new Socket({ fd: openSync(file, constants.O_RDONLY | constants.O_NONBLOCK), writable: false });
}

export async function readBytes(file: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunksOf(file)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= INPUT_BYTES_MAX) break;
  }
  return Buffer.concat(chunks).subarray(0, INPUT_BYTES_MAX);
}

/** Parses pairs of hexadecimal digits; white space and `0x` at the start of a word are ignored. */
export function parseHex(text: string): Buffer {
  const digits = text.replace(/(?<!\S)0x(?=\S)|\s+/gi, '');
  const wrong = /[^0-9A-Fa-f]/.exec(digits);
  if (wrong) throw new Failure(`not hexadecimal: ${JSON.stringify(wrong[0])}`, BAD_USAGE);
  if (digits.length % 2 !== 0) throw new Failure('not hexadecimal: an odd number of digits', BAD_USAGE);
  return Buffer.from(digits, 'hex');
}
