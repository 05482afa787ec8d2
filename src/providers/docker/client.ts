/**
 * The Docker Engine API as far as it is needed: who runs, and that something has changed. Over a Unix socket, TCP or
 * TLS; a read-only socket proxy that allows `/_ping`, `/containers` and `/events` is enough, and podman speaks it too.
 * https://docs.docker.com/reference/api/engine/
 */
import { Agent, type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { isIP } from 'node:net';
import { visible } from '../../base/text.js';
import type { DockerConfig } from '../../model/config.js';

export const clientLimits = {
  /** From a request to the end of its answer; of events to the head of the answer. */
  answerMs: 10_000,
  /** Of a list of containers: some 8,000 with 4 KB each. */
  listBytesMax: 32 * 1024 ** 2,
  /** Of any other answer, and of what is shown of an error. */
  smallBytesMax: 64 * 1024,
  /** TCP keepalive on the stream of events, which may be silent for hours. */
  keepaliveMs: 30_000,
} as const;

type ClientLimits = Readonly<Record<keyof typeof clientLimits, number>>;

/** The newest that is known here, of Docker 28. */
const VERSION = '1.48';
/** From this one on containers can be listed as they are here (Docker 1.12, 2016). */
const VERSION_MIN = '1.24';

/** What may change who is reached, and how. Health checks make hundreds of `exec` events, which do not. */
const EVENTS = {
  type: ['container', 'network'],
  event: [
    ...['start', 'die', 'pause', 'unpause', 'rename', 'update'],
    ...['destroy', 'health_status', 'connect', 'disconnect'],
    // podman's words for `die` and `destroy`: its filter knows no others.
    ...['died', 'remove'],
  ],
};

const LISTED = { status: ['running', 'paused'] };

export class EngineClient {
  readonly #place: DockerConfig['place'];
  readonly #limits: ClientLimits;
  readonly #agent = new Agent({ keepAlive: false });
  /** `/v1.48`; null: not negotiated yet. */
  #prefix: string | null = null;

  constructor(place: DockerConfig['place'], limits: Partial<ClientLimits> = {}) {
    this.#place = place;
    this.#limits = { ...clientLimits, ...limits };
  }

  /** Those that run or are paused, as the API says them. Rejects when there is no whole, well-formed answer. */
  async containers(signal?: AbortSignal): Promise<readonly unknown[]> {
    const path = `/containers/json?filters=${filterOf(LISTED)}`;
    const list = parsed(await this.#read(path, this.#limits.listBytesMax, signal));
    if (!Array.isArray(list)) throw new Error('the answer to a list of containers is no list');
    return list;
  }

  /**
   * Resolves when events are being delivered, so that a list that is asked for then misses nothing. What they say is
   * not looked at: `heard` is called for each piece that arrives. `ended` settles when they end, with the reason.
   */
  async events(heard: () => void, signal: AbortSignal): Promise<{ readonly ended: Promise<string> }> {
    const request = await this.#request(`/events?filters=${filterOf(EVENTS)}`, signal);
    request.setSocketKeepAlive(true, this.#limits.keepaliveMs);
    const response = await this.#answer(request);
    const ended = new Promise<string>((resolve) => {
      response.on('error', (error) => resolve(error.message));
      response.on('end', () => resolve('the stream of events has ended'));
      response.on('close', () => resolve('the stream of events was closed'));
    });
    response.on('data', heard);
    return { ended };
  }

  /** The newest version that both know; an engine that has been replaced may know another one. */
  async negotiate(signal?: AbortSignal): Promise<string> {
    this.#prefix = '';
    const response = await this.#answer(await this.#request('/_ping', signal));
    const said = response.headers['api-version'];
    // Its body may have no end.
    response.destroy();
    const version = typeof said === 'string' && /^1\.\d{1,4}$/.test(said) ? said : VERSION_MIN;
    if (minor(version) < minor(VERSION_MIN))
      throw new Error(`the engine speaks version ${version} of its API: at least ${VERSION_MIN} is needed`);
    const agreed = minor(version) < minor(VERSION) ? version : VERSION;
    this.#prefix = `/v${agreed}`;
    return agreed;
  }

  async #read(path: string, bytesMax: number, signal?: AbortSignal): Promise<string> {
    const deadline = AbortSignal.timeout(this.#limits.answerMs);
    const both = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    const response = await this.#answer(await this.#request(path, both));
    return textOf(response, bytesMax);
  }

  async #request(path: string, signal?: AbortSignal): Promise<ClientRequest> {
    if (this.#prefix === null) await this.negotiate(signal);
    const options = {
      path: `${this.#prefix}${path}`,
      headers: { Host: 'docker', Accept: 'application/json' },
      signal,
    };
    const place = this.#place;
    if ('socketPath' in place)
      return plainRequest({ ...options, agent: this.#agent, socketPath: place.socketPath });
    const { host, port, tls } = place;
    if (tls === null) return plainRequest({ ...options, agent: this.#agent, host, port });
    // An address is no name of a server (RFC 6066 §3); the certificate is compared with it all the same.
    const servername = isIP(host) === 0 ? host : '';
    return tlsRequest({ ...options, ...tls, agent: false, host, port, servername });
  }

  /** The head of a good answer; of another one what it says is read within the same time. */
  #answer(request: ClientRequest): Promise<IncomingMessage> {
    const { answerMs, smallBytesMax } = this.#limits;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => request.destroy(new Error(`no answer within ${answerMs} ms`)), answerMs);
      const settled = (settle: () => void) => {
        clearTimeout(late);
        settle();
      };
      const failed = (error: Error) => settled(() => reject(error));
      request.on('error', failed);
      // An answer that switches protocols (101) ends a request without an error.
      request.on('close', () => failed(new Error('the connection was closed without an answer')));
      request.on('response', (response) => {
        const { statusCode = 0 } = response;
        if (statusCode === 200) return settled(() => resolve(response));
        const refuse = (text: string) =>
          failed(new Error(`the engine answers ${statusCode}${messageIn(text)}`));
        textOf(response, smallBytesMax).then(refuse, () => refuse(''));
      });
      request.end();
    });
  }
}

const filterOf = (filters: object): string => encodeURIComponent(JSON.stringify(filters));

const minor = (version: string): number => Number(version.split('.')[1]);

/** Rejects when the body is cut short, or is longer than that. */
async function textOf(response: IncomingMessage, bytesMax: number): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > bytesMax) throw new Error(`the answer is longer than ${bytesMax} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('the answer is no JSON');
  }
}

/** Errors of the API are `{"message":"…"}`. One line. */
function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text);
    return typeof message === 'string' ? `: ${visible(message.slice(0, 200))}` : '';
  } catch {
    return '';
  }
}
