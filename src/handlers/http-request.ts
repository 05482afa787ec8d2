/** Parses pipelined HTTP/1 request heads (RFC 9112). No bodies: the page accepts none. */

export interface HeadLimits {
  readonly headerBytesMax: number;
  readonly headersMax: number;
}

export interface Request {
  readonly method: string;
  readonly path: string;
  /** By lower-case name; values of a repeated header are joined with commas. */
  readonly headers: ReadonlyMap<string, string>;
  /** The client wants to keep the connection open. */
  readonly keepAlive: boolean;
  readonly hasBody: boolean;
}

/** Status for a malformed head; nothing after it can be parsed. */
export interface BadRequest {
  readonly status: 400 | 431 | 505;
}

const BAD: BadRequest = { status: 400 };
const TOO_LARGE: BadRequest = { status: 431 };

export class HeadReader {
  readonly #limits: HeadLimits;
  #held: Buffer = Buffer.alloc(0);

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  push(chunk: Buffer): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
  }

  /** No byte of the next request is buffered. */
  get empty(): boolean {
    return this.#held.length === 0;
  }

  /** The next request; null: its head is incomplete. */
  next(): Request | BadRequest | null {
    this.#skipEmptyLines();
    const { headerBytesMax, headersMax } = this.#limits;
    const text = this.#held.toString('latin1', 0, headerBytesMax);
    const end = /\r?\n\r?\n/.exec(text);
    if (end === null) return this.#held.length > headerBytesMax ? TOO_LARGE : null;
    this.#held = this.#held.subarray(end.index + end[0].length);
    const [line = '', ...fields] = text.slice(0, end.index).split(/\r?\n/);
    return fields.length > headersMax ? TOO_LARGE : readHead(line, fields);
  }

  /** RFC 9112 section 2.2: empty lines before a request are ignored. */
  #skipEmptyLines(): void {
    let at = 0;
    while (this.#held[at] === CR || this.#held[at] === LF) at += 1;
    if (at > 0) this.#held = this.#held.subarray(at);
  }
}

const CR = 0x0d;
const LF = 0x0a;

function readHead(line: string, fields: readonly string[]): Request | BadRequest {
  const request = /^([!#$%&'*+.^_`|~\w-]+) ([\x21-\x7e\x80-\xff]+) HTTP\/(\d)\.(\d)$/.exec(line);
  if (request === null) return BAD;
  const [, method = '', target = '', major, minor] = request;
  if (major !== '1') return { status: 505 };
  const headers = readFields(fields);
  // RFC 9112 section 3.2: Host is mandatory in HTTP/1.1.
  if (headers === null || (minor !== '0' && !headers.has('host'))) return BAD;
  const length = headers.get('content-length') ?? '0';
  if (!/^\d+$/.test(length)) return BAD;
  const connection = headers.get('connection')?.toLowerCase() ?? '';
  return {
    method,
    path: target.replace(/^https?:\/\/[^/?]*/i, '').split('?')[0] || '/',
    headers,
    keepAlive: minor === '0' ? connection.includes('keep-alive') : !connection.includes('close'),
    hasBody: headers.has('transfer-encoding') || Number(length) > 0,
  };
}

function readFields(fields: readonly string[]): Map<string, string> | null {
  const headers = new Map<string, string>();
  for (const field of fields) {
    const match = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(field);
    if (match === null) return null;
    const name = (match[1] as string).toLowerCase();
    const value = (match[2] as string).trimEnd();
    const known = headers.get(name);
    headers.set(name, known === undefined ? value : `${known}, ${value}`);
  }
  return headers;
}
