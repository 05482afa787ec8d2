/** One request of HTTP/1.1, whose status and body are judged. */
import { isIPv6 } from 'node:net';
import type { CheckContext, HealthCheck, Outcome, Zod } from '../check.js';
import { listField, textField } from '../fields.js';
import { judgeHttp, type StatusRange } from '../http-answer.js';
import { judged } from '../judged.js';
import type { Line } from '../line.js';
import { secure, type TlsOptions, tlsFields } from '../secured.js';

export interface RequestOptions {
  readonly method: string;
  readonly path: string;
  readonly host?: string | undefined;
  readonly status: readonly StatusRange[];
  readonly body?: string | undefined;
}

const METHOD = /^[A-Z]{1,20}$/;
const TARGET = /^(?:\/[\x21-\x7e]{0,1023}|\*)$/;
const HOST = /^[A-Za-z0-9._-]{1,253}(?::\d{1,5})?$|^\[[0-9A-Fa-f:.]{2,45}\](?::\d{1,5})?$/;
const BODY_CHARS_MAX = 1024;

const STATUS = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/;
const CLASS = /^([1-5])xx$/;
const STATUS_WORDS = 'statuses such as `200`, `"200-399"` or `2xx`';

/** Null: no such range. */
export function parseStatus(written: string | number): StatusRange | null {
  const text = String(written);
  const first = CLASS.exec(text)?.[1];
  if (first !== undefined) return { from: Number(first) * 100, to: Number(first) * 100 + 99 };
  const [, from, to = from] = STATUS.exec(text) ?? [];
  if (from === undefined || Number(to) < Number(from)) return null;
  return { from: Number(from), to: Number(to) };
}

function statusItem(zod: Zod) {
  const wrong = { error: () => `expected ${STATUS_WORDS}` };
  return zod
    .union([zod.string(wrong), zod.number(wrong)], wrong)
    .refine((written) => parseStatus(written) !== null, wrong)
    .transform((written) => parseStatus(written) ?? { from: 0, to: 0 });
}

export const requestFields = (zod: Zod) => ({
  method: textField(zod, 'Method of the request', 'a method such as `HEAD`', (text) =>
    METHOD.test(text),
  ).default('GET'),
  path: textField(zod, 'Target of the request', 'a path such as `/health`', (text) =>
    TARGET.test(text),
  ).default('/'),
  host: textField(
    zod,
    "`Host` of the request; without it the endpoint's",
    'a host such as `www.example.com`',
    (text) => HOST.test(text),
  ).optional(),
  status: listField(zod, statusItem(zod), 'Statuses that are well', STATUS_WORDS).prefault('200-399'),
  body: textField(
    zod,
    'Text that the answer must contain within its first 4 KiB',
    `text of 1 to ${BODY_CHARS_MAX} characters`,
    (text) => text.length > 0 && text.length <= BODY_CHARS_MAX,
  ).optional(),
});

export const http: HealthCheck<RequestOptions & TlsOptions> = {
  words: 'answers a request with a good status',
  over: 'tcp',
  options: (zod) => ({ ...requestFields(zod), ...tlsFields(zod) }),
  run: askHttp,
};

export async function askHttp(
  line: Line,
  options: RequestOptions & TlsOptions,
  context: CheckContext,
): Promise<Outcome> {
  const refused = await secure(line, options, context, ['http/1.1']);
  if (refused !== null) return refused;
  line.write(requestText(options, context));
  const wanted = { status: options.status, body: options.body ?? null };
  return judged(line, (bytes, isLast) => judgeHttp(bytes, isLast, wanted));
}

function requestText(
  { method, path, host, tls }: RequestOptions & TlsOptions,
  context: CheckContext,
): string {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${host ?? authorityOf(context, tls ? 443 : 80)}`,
    'User-Agent: anyport-check',
    'Accept: */*',
    'Connection: close',
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function authorityOf({ serverName, port }: CheckContext, usualPort: number): string {
  const host = isIPv6(serverName) ? `[${serverName}]` : serverName;
  return port === usualPort || port === 0 ? host : `${host}:${port}`;
}
