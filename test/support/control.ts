/** The control interface of a daemon under test: every answer is compared with the OpenAPI document. */
import { type IncomingHttpHeaders, request } from 'node:http';
import { z } from 'zod';
import type { ControlAddress } from '../../src/admin/client.js';
import { routes } from '../../src/admin/handlers/index.js';
import { openApi } from '../../src/admin/openapi.js';
import { findRoute } from '../../src/admin/router.js';
import { schemas } from '../../src/admin/schemas.js';
import { type Daemon, type StartOptions, startDaemon, type TestConfig } from './daemon.js';
import { freePort } from './ports.js';

export interface Told {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: shapes are checked against the OpenAPI document.
  readonly body: any;
}

export interface AskOptions {
  /** Sent as JSON; a Buffer as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const document = openApi(routes, '0');

/** `METHOD PATH STATUS` of every answer that was compared. */
export const answersSeen = new Set<string>();

export class ControlSite {
  readonly #address: ControlAddress;

  constructor(address: ControlAddress) {
    this.#address = address;
  }

  async ask(method: string, path: string, options: AskOptions = {}): Promise<Told> {
    const told = await send(this.#address, method, path, options);
    compare(method, path, told);
    return told;
  }

  get(path: string): Promise<Told> {
    return this.ask('GET', path);
  }
}

export function send(
  address: ControlAddress,
  method: string,
  path: string,
  { body, headers = {} }: AskOptions = {},
): Promise<Told> {
  const payload = body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const type = payload === undefined ? {} : { 'content-type': 'application/json' };
  const target = 'path' in address ? { socketPath: address.path } : address;
  return new Promise((resolve, reject) => {
    const sent = request(
      { ...target, method, path, headers: { ...type, ...headers }, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const isJson = /json/.test(response.headers['content-type'] ?? '') && text !== '';
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: isJson ? JSON.parse(text) : text,
          });
        });
      },
    );
    sent.on('error', reject);
    sent.end(payload);
  });
}

/** Throws where an answer is not as described. */
function compare(method: string, url: string, { status, headers, body }: Told): void {
  const found = findRoute(routes, method, url.split('?')[0] ?? '');
  if (found.kind !== 'route') return matches(schemas.Error, body, `${method} ${url}`);
  const { path } = found.route;
  const name = `${method} ${path} ${status}`;
  const response = document.paths[path]?.[found.route.method.toLowerCase()]?.responses[status];
  if (response === undefined) throw new Error(`${name} is not described: ${JSON.stringify(body)}`);
  const content = response.content[headers['content-type'] ?? ''];
  if (content === undefined) throw new Error(`${name}: the type ${headers['content-type']} is not described`);
  for (const header of Object.keys(response.headers ?? {})) {
    if (headers[header] === undefined)
      throw new Error(`${name}: the header ${header} is described and not there`);
  }
  if (method !== 'HEAD') matches(content.schema, body, name);
  answersSeen.add(`${found.route.method} ${path} ${status}`);
}

function matches(schema: object, body: unknown, name: string): void {
  const text = JSON.stringify({ ...schema, $defs: schemas }).replaceAll('#/components/schemas/', '#/$defs/');
  const checked = z.fromJSONSchema(JSON.parse(text)).safeParse(body);
  if (!checked.success) throw new Error(`${name} is not as described: ${checked.error.message}`);
}

/** A daemon with a control interface on a loopback port, and the site of that. */
export async function startControlled(
  config: TestConfig,
  options: StartOptions = {},
): Promise<{ daemon: Daemon; site: ControlSite; port: number }> {
  const port = await freePort();
  const admin = { listen: `127.0.0.1:${port}` };
  const daemon = await startDaemon({ admin, ...config }, options);
  return { daemon, site: new ControlSite({ host: '127.0.0.1', port }), port };
}
