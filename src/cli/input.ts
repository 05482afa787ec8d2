/** Where commands get bytes from: a file, or standard input. */
import { open } from 'node:fs/promises';
import { BAD_USAGE, Failure } from './failure.js';

/** More than any protocol needs to be identified; the rest of a longer file is not read. */
const INPUT_BYTES_MAX = 1024 * 1024;

/** `-` is standard input. */
export async function openInput(file: string): Promise<NodeJS.ReadableStream> {
  if (file === '-') return process.stdin;
  try {
    return (await open(file)).createReadStream();
  } catch (error) {
    throw new Failure(`can not read ${file}: ${(error as Error).message}`, BAD_USAGE);
  }
}

export async function readBytes(file: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of await openInput(file)) {
      chunks.push(Buffer.from(chunk));
      length += chunk.length;
      if (length >= INPUT_BYTES_MAX) break;
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`can not read ${file}: ${(error as Error).message}`, BAD_USAGE);
  }
  return Buffer.concat(chunks).subarray(0, INPUT_BYTES_MAX);
}

/** Bytes written as pairs of hexadecimal digits; white space between them is for the reader, so is `0x` before them. */
export function parseHex(text: string): Buffer {
  const digits = text.replace(/(?<!\S)0x(?=\S)|\s+/gi, '');
  const wrong = /[^0-9A-Fa-f]/.exec(digits);
  if (wrong) throw new Failure(`not hexadecimal: ${JSON.stringify(wrong[0])}`, BAD_USAGE);
  if (digits.length % 2 !== 0) throw new Failure('not hexadecimal: an odd number of digits', BAD_USAGE);
  return Buffer.from(digits, 'hex');
}
