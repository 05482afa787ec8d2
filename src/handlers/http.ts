/** A page that says how its own session was identified: for people HTML, for curl text, for programs JSON. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Handler, HandlerSession } from './handler.js';
import { htmlPage, jsonPage, type Page, textPage } from './http-pages.js';

export const httpLimits = {
  headerBytesMax: 8192,
  headersMax: 64,
  /** From the first byte of a request to the end of its headers. */
  headersTimeMsMax: 10_000,
  /** How often that is looked at. */
  checkMs: 1000,
  /** Between two requests. */
  keepAliveMs: 10_000,
  requestsPerConnectionMax: 1000,
};

const sessions = new WeakMap<Duplex, HandlerSession>();

export function createHttpHandler(limits: typeof httpLimits): Handler {
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headersTimeMsMax,
      requestTimeout: limits.headersTimeMsMax,
      connectionsCheckingInterval: limits.checkMs,
      keepAliveTimeout: limits.keepAliveMs,
    },
    serve,
  );
  server.maxHeadersCount = limits.headersMax;
  server.maxRequestsPerSocket = limits.requestsPerConnectionMax;
  // It is given connections that are open already, and never listens; but this event starts the check of timeouts.
  server.emit('listening');
  return (socket, session) => {
    sessions.set(socket, session);
    server.emit('connection', socket);
  };
}

export const http: Handler = createHttpHandler(httpLimits);

function serve(request: IncomingMessage, response: ServerResponse): void {
  if (hasBody(request)) {
    refuse(response, 413, 'this page takes no request body');
  } else if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    refuse(response, 405, 'GET and HEAD only');
  } else if (request.url?.split('?')[0] !== '/') {
    refuse(response, 404, 'there is one page here: /');
  } else {
    answer(request, response, sessions.get(request.socket) as HandlerSession);
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function answer(request: IncomingMessage, response: ServerResponse, session: HandlerSession): void {
  const page = choosePage(request.headers.accept ?? '')(session, request.headers['user-agent'] ?? '');
  response.setHeader('vary', 'accept');
  send(response, 200, page);
}

function choosePage(accept: string): (session: HandlerSession, userAgent: string) => Page {
  if (accept.includes('text/html')) return htmlPage;
  return accept.includes('application/json') ? jsonPage : textPage;
}

function refuse(response: ServerResponse, status: number, message: string): void {
  // A body that nobody will read must not be taken for the next request.
  if (status === 413) response.setHeader('connection', 'close');
  send(response, status, { type: 'text/plain; charset=utf-8', body: `${message}\n` });
}

function send(response: ServerResponse, status: number, { type, body }: Page): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    'x-content-type-options': 'nosniff',
  });
  response.end(body); // Node sends no body for HEAD
}
