/** Heads of HTTP/1 requests, one after the other (RFC 9112), as far as a page needs them that takes no body. */

export interface HeadLimits {
  readonly headerBytesMax: number;
  readonly headersMax: number;
}

export interface Request {
  readonly method: string;
  readonly path: string;
  /** By name in lower case; of one that comes twice the values are joined. */
  readonly headers: ReadonlyMap<string, string>;
  /** The client would send another request. */
  readonly keepAlive: boolean;
  readonly hasBody: boolean;
}

/** Why a head can not be read; nothing after it can be either. */
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

  /** No byte of a next request is here. */
  get empty(): boolean {
    return this.#held.length === 0;
  }

  /** The next request; null: it is not whole yet. */
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

  /** RFC 9112 §2.2: empty lines before a request are ignored. */
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
  // RFC 9112 §3.2: a request of version 1.1 names its host.
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
