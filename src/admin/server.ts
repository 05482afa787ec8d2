/**
 * The HTTP server of the control interface: admission, access, bodies and answers; what the routes do is in handlers/.
 * It must answer while the data plane is at its limits, and no client may exhaust the process or keep another one out.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { describeFailure } from '../base/failure.js';
import type { LogLine } from '../base/log.js';
import { plainAddress, UNIX_PEERS } from '../base/network.js';
import { type AccessRules, refusedAccess } from './access.js';
import { type Answer, refusal, send } from './answer.js';
import { BodyReader } from './body.js';
import type { Operations } from './control.js';
import { routes } from './handlers/index.js';
import { refuseMalformed } from './malformed.js';
import { type ApiRequest, findRoute, type Route } from './router.js';
import { problemsOf } from './schema.js';
import { resolved } from './schemas.js';
import { Visitors } from './visitors.js';

export const adminLimits = {
  /** Of these the newest is always let in. All clients of a loopback address are one source. */
  connectionsMax: 32,
  connectionsPerSourceMax: 24,
  headerBytesMax: 16 * 1024,
  urlCharactersMax: 4096,
  /** For the headers, and for the whole request. */
  headersMsMax: 5000,
  requestMsMax: 10_000,
  /** How often it is looked whether these are over; also in an idle daemon. */
  lookMs: 3000,
  /** Without progress, of a client that sends or reads. */
  idleMsMax: 5000,
  /** For the rest of a body that was refused. */
  lingerMsMax: 1000,
  /** Until a change, a list or a scrape is there. */
  answerMsMax: 120_000,
  /** One request at a time, and the next one on a new connection: pipelined ones would be answered into memory. */
  requestsPerConnectionMax: 1,
} as const;

export interface AdminServerOptions {
  readonly rules: AccessRules;
  readonly operations: Operations;
  /** Both are rate-limited, for clients cause them. */
  readonly refused: LogLine;
  readonly failed: LogLine;
}

export class AdminServer {
  rules: AccessRules;
  readonly #options: AdminServerOptions;
  readonly #visitors = new Visitors(adminLimits);
  readonly #bodies = new BodyReader();
  readonly #server: Server;

  constructor(options: AdminServerOptions) {
    this.rules = options.rules;
    this.#options = options;
    this.#server = createServer(
      {
        maxHeaderSize: adminLimits.headerBytesMax,
        headersTimeout: adminLimits.headersMsMax,
        requestTimeout: adminLimits.requestMsMax,
        connectionsCheckingInterval: adminLimits.lookMs,
      },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.maxHeadersCount = 0; // bounded by bytes: beyond a count Node drops headers silently
    this.#server.maxRequestsPerSocket = adminLimits.requestsPerConnectionMax;
    this.#server.setTimeout(adminLimits.idleMsMax);
    this.#server.on('connection', (socket) => this.#visitors.admit(socket));
    this.#server.on('clientError', refuseMalformed(adminLimits.headerBytesMax));
  }

  /** Connections closed so far to make room for newer ones. */
  get evicted(): number {
    return this.#visitors.evicted;
  }

  /** Serves on a listening descriptor, which it takes over. */
  listen(fd: number): void {
    // accept(2) failed, for example EMFILE: the client loses its connection, the server continues.
    this.#server.on('error', () => {});
    this.#server.listen({ fd });
  }

  /** Stops listening; requests under way are still answered. */
  release(): void {
    this.#server.close();
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#visitors.asked(request.socket);
    const answer = await this.#answerTo(request).catch((error: unknown) => this.#failed(request, error));
    if (response.destroyed) return;
    request.socket.setTimeout(adminLimits.idleMsMax);
    send(response, answer);
    // A socket closed with unread bytes is reset, and the client may never see the answer.
    if (!request.complete) await discard(request);
    response.end();
  }

  #failed({ method, url }: IncomingMessage, error: unknown): Answer {
    this.#options.failed(
      { method, url: url?.slice(0, URL_SHOWN_MAX), ...describeFailure(error) },
      'control request failed',
    );
    return refusal('failed', 'this failed here; the log says why');
  }

  async #answerTo(request: IncomingMessage): Promise<Answer> {
    const { method = '', url = '', socket } = request;
    if ((request.headersDistinct.host?.length ?? 0) > 1)
      return refusal('bad_request', 'there are two Host headers');
    const denied = refusedAccess(this.rules, request.headers, method);
    if (denied !== null) {
      this.#options.refused(
        { source: plainAddress(socket.remoteAddress ?? UNIX_PEERS), status: denied.status },
        'control request refused',
      );
      return denied;
    }
    if (url.length > adminLimits.urlCharactersMax) {
      return refusal('uri_too_long', `the URL has more than ${adminLimits.urlCharactersMax} characters`);
    }
    const [path = '', ...search] = url.split('?');
    const found = findRoute(routes, method, path);
    if (found.kind === 'nothing')
      return refusal('not_found', `there is nothing at ${path}; GET / lists what there is`);
    if (found.kind === 'malformed') return refusal('bad_request', 'the path has a malformed % escape');
    if (found.kind === 'method') return notAllowed(method, found.allow);
    const { route, params } = found;
    const query = queryOf(route, search.join('?'));
    if ('refused' in query) return query.refused;
    const body = await this.#bodyOf(route, request);
    if ('refused' in body) return body.refused;
    socket.setTimeout(adminLimits.answerMsMax);
    const ifMatch = request.headers['if-match'];
    return route.handle({ params, query: query.values, body: body.value, ifMatch }, this.#options.operations);
  }

  async #bodyOf({ body: described }: Route, request: IncomingMessage) {
    if (described === undefined) {
      request.resume();
      return { value: undefined };
    }
    const body = await this.#bodies.read(request);
    if ('refused' in body) return body;
    const [problem] = problemsOf(resolved(described.schema), body.value);
    return problem === undefined ? body : { refused: refusal('invalid', problem.message, problem.path) };
  }
}

const URL_SHOWN_MAX = 200;

/** Reads what is left of a body that was refused, for a while. */
async function discard(request: IncomingMessage): Promise<void> {
  request.resume();
  const late = AbortSignal.timeout(adminLimits.lingerMsMax);
  await once(request, 'close', { signal: late }).catch(() => {});
}

function notAllowed(method: string, allow: readonly string[]): Answer {
  const listed = allow.join(', ');
  return {
    ...refusal('method_not_allowed', `${method} is not possible here; ${listed} is`),
    headers: { allow: listed },
  };
}

type Query = { readonly values: ApiRequest['query'] } | { readonly refused: Answer };

/** Parameters are checked as text, or as the number that their schema wants. */
function queryOf({ query: known = {} }: Route, search: string): Query {
  const values: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(search)) {
    const schema = Object.hasOwn(known, name) ? known[name] : undefined;
    const listed = Object.keys(known).join(', ');
    const refuse = (why: string): Query => ({ refused: refusal('bad_request', why, name) });
    if (schema === undefined) {
      return refuse(listed === '' ? 'there are no parameters here' : `is not known here; there is ${listed}`);
    }
    if (Object.hasOwn(values, name)) return refuse('is given twice');
    const isNumber = schema.type === 'integer' && /^\d+$/.test(value);
    const [problem] = problemsOf(schema, isNumber ? Number(value) : value);
    if (problem !== undefined) return refuse(problem.message);
    values[name] = value;
  }
  return { values };
}
