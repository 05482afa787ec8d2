/** Answers of the HTTP servers as values. */
import type { ServerResponse } from 'node:http';
import { jsonLine } from '../base/text.js';
import type { Problem } from '../model/config.js';

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** In lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Codes of errors: stable names for programs; the status is the one that goes with it. */
export const errorStatus = {
  bad_request: 400,
  bad_json: 400,
  unauthorized: 401,
  foreign_host: 403,
  foreign_origin: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  exists: 409,
  superseded: 409,
  trusted: 409,
  changed_meanwhile: 412,
  body_too_large: 413,
  uri_too_long: 414,
  not_json: 415,
  invalid: 422,
  invalid_config: 422,
  headers_too_large: 431,
  failed: 500,
  busy: 503,
  shutting_down: 503,
  no_answer: 503,
} as const;

export type ErrorCode = keyof typeof errorStatus;

export interface ErrorBody {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    /** Key path or parameter. */
    readonly path?: string;
    /** Every problem, where there may be several; the first one is also in `message` and `path`. */
    readonly problems?: readonly Problem[];
  };
}

/** Names and errors that clients have sent reach the terminal of whoever asks with curl. */
export function json(status: number, body: object, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, contentType: 'application/json', body: jsonLine(body), headers };
}

export function refusal(code: ErrorCode, message: string, path?: string): Answer {
  const body: ErrorBody = { error: { code, message, ...(path !== undefined && path !== '' && { path }) } };
  return json(errorStatus[code], body);
}

/** Upper bound on problems in one answer. */
const PROBLEMS_SHOWN_MAX = 200;

export function refusedConfig(problems: readonly Problem[]): Answer {
  const [first] = problems;
  const path = first?.path ?? '';
  const message =
    problems.length === 1
      ? (first?.message ?? '')
      : `${problems.length} problems; the first: ${first?.message}`;
  const shown = problems.slice(0, PROBLEMS_SHOWN_MAX);
  const body: ErrorBody = {
    error: { code: 'invalid_config', message, ...(path !== '' && { path }), problems: shown },
  };
  return json(errorStatus.invalid_config, body);
}

/** Writes the answer and leaves the response open; its end closes the connection. */
export function send(response: ServerResponse, { status, contentType, body, headers }: Answer): void {
  response.shouldKeepAlive = false; // sends Connection: close
  response.writeHead(status, {
    ...headers,
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.write(body); // Node sends no body for HEAD
}
