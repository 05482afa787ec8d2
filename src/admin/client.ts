/** Client of the control interface: one request a connection, over a Unix socket or TCP, bounded in time and size. */
import { type IncomingMessage, request } from 'node:http';

export const clientLimits = {
  /** Longer than the server takes to answer. */
  timeMsMax: 130_000,
  /** The longest list of sessions, or a configuration. */
  bytesMax: 32 * 1024 ** 2,
} as const;

export type ControlAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export interface Reply {
  readonly status: number;
  /** Parsed JSON; text of any other type. */
  readonly body: unknown;
}

/** Rejects when nobody answers: with the error of the socket. */
export async function ask(
  address: ControlAddress,
  token: string,
  { method, path, body }: { readonly method: string; readonly path: string; readonly body?: unknown },
): Promise<Reply> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    connection: 'close',
    ...(token !== '' && { authorization: `Bearer ${token}` }),
    ...(payload !== undefined && {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(payload),
    }),
  };
  const signal = AbortSignal.timeout(clientLimits.timeMsMax);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request({ ...targetOf(address), method, path, headers, signal }, resolve);
    sent.on('error', reject);
    sent.end(payload);
  });
  const text = await textOf(response);
  const isJson = /^application\/json\b/.test(response.headers['content-type'] ?? '');
  return { status: response.statusCode ?? 0, body: isJson ? JSON.parse(text) : text };
}

/** A wildcard address is reached by loopback. The Host header of a Unix socket is of no meaning. */
function targetOf(address: ControlAddress) {
  if ('path' in address) {
    const { path } = address;
    return { socketPath: path.startsWith('@') ? `\0${path.slice(1)}` : path, host: 'localhost' };
  }
  const { host, port } = address;
  if (host === '0.0.0.0') return { host: '127.0.0.1', port };
  return { host: host === '::' ? 'localhost' : host, port };
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > clientLimits.bytesMax)
      throw new Error(`the answer is longer than ${clientLimits.bytesMax} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}
