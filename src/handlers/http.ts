/**
 * A page that shows how its own session was identified: HTML, text or JSON, by the Accept header. Pipelined requests
 * are answered one at a time.
 */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { converse, type Speaker } from './conversation.js';
import type { Handler, HandlerSession } from './handler.js';
import { htmlPage, jsonPage, type Page, textPage } from './http-pages.js';
import { type BadRequest, HeadReader, type Request } from './http-request.js';

export const httpLimits = {
  headerBytesMax: 8192,
  headersMax: 64,
  /** From the first byte of a request to the end of its headers. */
  headersTimeMsMax: 10_000,
  /** Idle time between two requests. */
  keepAliveMs: 10_000,
  requestsPerConnectionMax: 1000,
};

export function createHttpHandler(limits: typeof httpLimits): Handler {
  return (socket, session) => {
    const conversation = new Conversation(session, limits);
    conversation.wake = converse(socket, conversation);
    conversation.watch(socket);
  };
}

export const http: Handler = createHttpHandler(httpLimits);

class Conversation implements Speaker {
  readonly #session: HandlerSession;
  readonly #limits: typeof httpLimits;
  readonly #reader: HeadReader;
  #requests = 0;
  /** What the timer is for: the first byte of a request, or the rest of its head. */
  #awaits: 'nothing' | 'request' | 'rest' = 'nothing';
  #timer: NodeJS.Timeout | undefined;
  #late = false as boolean;
  over = false;
  wake: () => void = () => {};

  constructor(session: HandlerSession, limits: typeof httpLimits) {
    this.#session = session;
    this.#limits = limits;
    this.#reader = new HeadReader(limits);
  }

  watch(socket: Duplex): void {
    socket.once('close', () => clearTimeout(this.#timer));
    this.#await('request');
  }

  push(chunk: Buffer): void {
    this.#reader.push(chunk);
  }

  next(): Buffer | null {
    if (this.#late) return this.#last(408);
    const request = this.#reader.next();
    if (request === null) {
      this.#await(this.#reader.empty ? 'request' : 'rest');
      return null;
    }
    this.#await('nothing');
    if ('status' in request) return this.#last(request.status);
    this.#requests += 1;
    // The body is not read, so its bytes must not be parsed as the next request: close.
    const last = request.hasBody || this.#requests >= this.#limits.requestsPerConnectionMax;
    this.over = last || !request.keepAlive;
    return this.#answer(request);
  }

  #await(what: 'nothing' | 'request' | 'rest'): void {
    if (this.#awaits === what) return;
    this.#awaits = what;
    clearTimeout(this.#timer);
    if (what === 'nothing') return;
    const { headersTimeMsMax, keepAliveMs } = this.#limits;
    this.#timer = setTimeout(() => this.#timeout(), what === 'rest' ? headersTimeMsMax : keepAliveMs);
  }

  /** 408 for a request in progress; an idle connection is closed without a reply. */
  #timeout(): void {
    this.#late = this.#awaits === 'rest';
    this.over = !this.#late;
    this.wake();
  }

  #last(status: BadRequest['status'] | 408): Buffer {
    this.over = true;
    const text = `${STATUS_CODES[status]?.toLowerCase()}\n`;
    return encode({ status, page: plain(text), close: true, headOnly: false });
  }

  #answer(request: Request): Buffer {
    const close = this.over;
    const headOnly = request.method === 'HEAD';
    return encode({ ...respond(request, this.#session), close, headOnly });
  }
}

interface Answer {
  readonly status: number;
  readonly page: Page;
  readonly headers?: Readonly<Record<string, string>>;
}

function respond(request: Request, session: HandlerSession): Answer {
  const { method, path, headers, hasBody } = request;
  if (hasBody) return { status: 413, page: plain('this page takes no request body\n') };
  if (method !== 'GET' && method !== 'HEAD') {
    return { status: 405, page: plain('GET and HEAD only\n'), headers: { allow: 'GET, HEAD' } };
  }
  if (path !== '/') return { status: 404, page: plain('there is one page here: /\n') };
  const page = choosePage(headers.get('accept') ?? '')(session, headers.get('user-agent') ?? '');
  return { status: 200, page, headers: { vary: 'accept' } };
}

function choosePage(accept: string): (session: HandlerSession, userAgent: string) => Page {
  if (accept.includes('text/html')) return htmlPage;
  return accept.includes('application/json') ? jsonPage : textPage;
}

const plain = (body: string): Page => ({ type: 'text/plain; charset=utf-8', body });

function encode({ status, page, headers, close, headOnly }: Answer & { close: boolean; headOnly: boolean }) {
  const fields = {
    ...headers,
    'content-type': page.type,
    'content-length': Buffer.byteLength(page.body),
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    'x-content-type-options': 'nosniff',
    date: new Date().toUTCString(),
    connection: close ? 'close' : 'keep-alive',
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n`;
  return Buffer.from(headOnly ? head : head + page.body);
}
