/**
 * Incremental parser for Redis requests (RESP2 arrays of bulk strings, inline commands), and an encoder for replies.
 * https://redis.io/docs/latest/develop/reference/protocol-spec/
 */

export const respLimits = {
  /** A request still incomplete at this size is refused. */
  requestBytesMax: 16_384,
  argumentsMax: 1024,
} as const;

export type Command = readonly Buffer[];

/** `problem`: a protocol error; the connection can not continue. */
export type Parsed = { readonly command: Command } | { readonly problem: string };

export class RespParser {
  #cursor = new Cursor(Buffer.alloc(0));

  push(chunk: Buffer): void {
    const rest = this.#cursor.rest();
    this.#cursor = new Cursor(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]));
  }

  /** The next command; null: incomplete. */
  next(): Parsed | null {
    const cursor = this.#cursor;
    try {
      for (let command = readCommand(cursor); command !== null; command = readCommand(cursor)) {
        cursor.keep();
        if (command.length > 0) return { command };
      }
    } catch (error) {
      if (!(error instanceof RespError)) throw error;
      return { problem: error.message };
    }
    cursor.back();
    return cursor.rest().length > respLimits.requestBytesMax ? { problem: 'too big a request' } : null;
  }
}

class RespError extends Error {}

/**
 * Reads lines and counted strings; null: more bytes needed. Position and commit mark are separate, so that an
 * incomplete command is read again from its start.
 */
class Cursor {
  readonly #bytes: Buffer;
  #at = 0;
  #kept = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Commits what was read. */
  keep(): void {
    this.#kept = this.#at;
  }

  /** Back to the last commit. */
  back(): void {
    this.#at = this.#kept;
  }

  rest(): Buffer {
    return this.#bytes.subarray(this.#kept);
  }

  line(): string | null {
    const end = this.#bytes.indexOf('\n', this.#at);
    if (end === -1) return null;
    const line = this.#bytes.toString('latin1', this.#at, end);
    this.#at = end + 1;
    return line.endsWith('\r') ? line.slice(0, -1) : line;
  }

  counted(count: number): Buffer | null {
    const end = this.#at + count;
    if (this.#bytes.length < end + 2) return null;
    if (this.#bytes.toString('latin1', end, end + 2) !== '\r\n') {
      throw new RespError('expected CRLF after a bulk string');
    }
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end + 2;
    return bytes;
  }
}

/** An empty array or line is an empty command, which Redis ignores. */
function readCommand(cursor: Cursor): Command | null {
  const line = cursor.line();
  if (line === null) return null;
  if (!line.startsWith('*')) return readInline(line);
  const count = readCount(line.slice(1), respLimits.argumentsMax, 'multibulk');
  const command: Buffer[] = [];
  while (command.length < count) {
    const argument = readBulk(cursor);
    if (argument === null) return null;
    command.push(argument);
  }
  return command;
}

function readBulk(cursor: Cursor): Buffer | null {
  const line = cursor.line();
  if (line === null) return null;
  if (!line.startsWith('$')) throw new RespError(`expected '$', got '${line.slice(0, 1)}'`);
  return cursor.counted(readCount(line.slice(1), respLimits.requestBytesMax, 'bulk'));
}

function readCount(digits: string, max: number, what: string): number {
  const count = Number(digits);
  if (/^\d+$/.test(digits) && count <= max) return count;
  throw new RespError(`invalid ${what} length`);
}

function readInline(line: string): Command {
  const words = line.split(' ').filter((word) => word !== '');
  return words.slice(0, respLimits.argumentsMax).map((word) => Buffer.from(word, 'latin1'));
}

export const reply = {
  simple: (text: string) => Buffer.from(`+${text}\r\n`),
  error: (text: string) => Buffer.from(`-ERR ${text.replace(/[\r\n]/g, ' ')}\r\n`),
  bulk: (bytes: Uint8Array) => Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, CRLF]),
  array: (replies: readonly Buffer[]) => Buffer.concat([Buffer.from(`*${replies.length}\r\n`), ...replies]),
  integer: (value: number) => Buffer.from(`:${value}\r\n`),
  /** RESP3 only. */
  map: (replies: readonly Buffer[]) => Buffer.concat([Buffer.from(`%${replies.length / 2}\r\n`), ...replies]),
} as const;

const CRLF = Buffer.from('\r\n');
