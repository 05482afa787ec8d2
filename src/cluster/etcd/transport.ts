/**
 * HTTP to several endpoints of one etcd cluster: one that does not answer is followed by the next, and the one that has
 * answered is asked first from then on. Knows no message of etcd but its errors.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIPv6, type LookupFunction } from 'node:net';
import { timeText } from '../../base/figures.js';
import type { ClientTls } from '../../model/client-tls.js';
import { connectionFault } from './connection-fault.js';
import { EtcdFailure, failureOf, grpcCodes } from './failure.js';
import { type Json, numberIn, objectIn } from './wire.js';

export const transportLimits = {
  /** For a call, all endpoints together. The loss of a leader stalls calls for about 6 s. */
  callMs: 9000,
  /** The call's time is shared by as many endpoints; each has a third at least, so that one that hangs leaves time for others. */
  attemptsShared: 3,
  /** etcd takes 1.5 MiB (--max-request-bytes); base64 adds a third. */
  requestBytesMax: 2 * 1024 * 1024,
  /** 10,000 keys with 1 KiB of value are about 15 MiB in base64. */
  answerBytesMax: 32 * 1024 * 1024,
  /** Of one message of a stream. */
  messageBytesMax: 32 * 1024 * 1024,
  connectionsMax: 16,
  /** Silence on a connection after which the kernel asks whether the other end lives. */
  keepAliveMs: 10_000,
} as const;

/** All addresses of a name. */
export type LookUp = (host: string) => Promise<readonly string[]>;

export interface TransportOptions {
  /** `http://host:port` or `https://host:port`, at least one. */
  readonly endpoints: readonly string[];
  /** Of names in them; absent: getaddrinfo, which a name that hangs can stop for all others. */
  readonly lookUp?: LookUp;
  readonly tls?: ClientTls;
  readonly callMs?: number;
}

export interface Call {
  readonly path: string;
  readonly body: Json;
  /** Text of the header Authorization: etcd's token, without a scheme. */
  readonly token?: string | undefined;
  /** To do it twice is to do it once: sent again to the next endpoint even if the last one may have done it. */
  readonly isRepeatable: boolean;
}

/** The answer of a stream so far; ends by itself, or by `close`. */
export interface Stream {
  readonly messages: AsyncIterable<Json>;
  /** Idempotent; `messages` end. */
  close(): void;
}

interface Place {
  readonly url: URL;
  readonly tls: ClientTls;
  readonly agent: HttpAgent | HttpsAgent;
}

export class Transport {
  readonly #places: readonly Place[];
  readonly #callMs: number;
  readonly #streams = new Set<() => void>();
  /** Index of the endpoint that is asked first. */
  #first = 0;
  #isClosed = false as boolean;

  constructor({ endpoints, tls = {}, lookUp, callMs = transportLimits.callMs }: TransportOptions) {
    if (endpoints.length === 0) throw new Error('etcd without endpoints');
    const { connectionsMax, keepAliveMs } = transportLimits;
    const lookup = lookUp && lookupBy(lookUp);
    const pool = {
      ...{ keepAlive: true, keepAliveMsecs: keepAliveMs, maxSockets: connectionsMax },
      ...(lookup && { lookup }),
    };
    this.#callMs = callMs;
    this.#places = endpoints.map((text) => {
      const url = new URL(text);
      const agent = url.protocol === 'https:' ? new HttpsAgent({ ...pool, ...tls }) : new HttpAgent(pool);
      return { url, tls, agent };
    });
  }

  /** The answer's JSON. @throws EtcdFailure */
  call(call: Call): Promise<Json> {
    return this.#eachPlace(call, async (place, timeoutMs) => {
      const { answer, close } = await this.#send(place, call, timeoutMs);
      const text = await bodyOf(answer, timeoutMs, close, place.url.host);
      return checked(answer, text, place.url.host);
    });
  }

  /** Resolves with the head of the answer; messages are lines of JSON. @throws EtcdFailure */
  stream(call: Call): Promise<Stream> {
    return this.#eachPlace(call, async (place, timeoutMs) => {
      const { answer, close } = await this.#send(place, call, timeoutMs);
      const host = place.url.host;
      if (answer.statusCode !== 200) checked(answer, await bodyOf(answer, timeoutMs, close, host), host);
      answer.socket.setKeepAlive(true, transportLimits.keepAliveMs);
      const life = { isOver: false };
      const end = () => {
        life.isOver = true;
        close();
      };
      this.#streams.add(end);
      answer.once('close', () => this.#streams.delete(end));
      return { messages: messagesOf(answer, host, life), close: end };
    });
  }

  /** Calls that wait fail, streams end. */
  close(): void {
    this.#isClosed = true;
    for (const close of this.#streams) close();
    for (const { agent } of this.#places) agent.destroy();
  }

  /** One round over the endpoints; what all say is said by the last. */
  async #eachPlace<Answer>(
    { isRepeatable }: Call,
    ask: (place: Place, timeoutMs: number) => Promise<Answer>,
  ): Promise<Answer> {
    const endMs = performance.now() + this.#callMs;
    const shares = Math.min(this.#places.length, transportLimits.attemptsShared);
    for (let tried = 1; ; tried += 1) {
      if (this.#isClosed) throw new EtcdFailure('closed', 'the client is closed');
      const index = this.#first;
      const leftMs = endMs - performance.now();
      try {
        return await ask(this.#places[index] as Place, Math.max(1, Math.min(leftMs, this.#callMs / shares)));
      } catch (error) {
        if (!(error instanceof EtcdFailure) || !isElsewhereBetter(error)) throw error;
        // Another call may have moved on meanwhile.
        if (this.#first === index) this.#first = (index + 1) % this.#places.length;
        const isLast = tried >= this.#places.length || performance.now() >= endMs;
        if (isLast || !(isRepeatable || error.unsent)) throw error;
      }
    }
  }

  #send(place: Place, { path, body, token }: Call, timeoutMs: number): Promise<Sent> {
    const text = JSON.stringify(body);
    if (Buffer.byteLength(text) > transportLimits.requestBytesMax)
      throw new EtcdFailure('too_large', `a request of more than ${transportLimits.requestBytesMax} bytes`);
    return send(place, path, text, token, timeoutMs);
  }
}

/** As sockets of Node.js ask for it. */
function lookupBy(lookUp: LookUp): LookupFunction {
  return (host, { all }, done) => {
    const answer = (addresses: readonly string[]) => {
      const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
      const [first] = found;
      if (all) done(null, found);
      else done(null, first?.address ?? '', first?.family ?? 0);
    };
    lookUp(host).then(answer, (error) => done(error, []));
  };
}

const isElsewhereBetter = ({ kind }: EtcdFailure): boolean =>
  kind === 'unreachable' || kind === 'untrusted' || kind === 'late';

interface Sent {
  readonly answer: IncomingMessage;
  close(): void;
}

function send(
  { url, tls, agent }: Place,
  path: string,
  text: string,
  token: string | undefined,
  timeoutMs: number,
): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)({
      agent,
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port || (url.protocol === 'https:' ? 443 : 80),
      path: `${url.pathname.replace(/\/$/, '')}${path}`,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        // A member that has lost its leader ends its watches, instead of being silent.
        'grpc-metadata-hasleader': 'true',
        'content-length': Buffer.byteLength(text),
        ...(token === undefined ? {} : { authorization: token }),
      },
    });
    let isConnected = false;
    const close = () => request.destroy();
    const timer = setTimeout(() => {
      reject(lateAt(url.host, timeoutMs));
      close();
    }, timeoutMs);
    request.once('socket', (socket) => {
      isConnected = !socket.connecting;
      // Sockets are used again: a listener that never fires would stay.
      if (isConnected) return;
      socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
        isConnected = true;
      });
    });
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(connectionFault(error, url, tls, !isConnected));
    });
    request.once('response', (answer) => {
      clearTimeout(timer);
      resolve({ answer, close });
    });
    request.end(text);
  });
}

const lateAt = (host: string, ms: number): EtcdFailure =>
  new EtcdFailure('late', `etcd at ${host}: no answer within ${timeText(ms)}`);

/** The whole text of an answer, within limits of time and size. */
async function bodyOf(
  answer: IncomingMessage,
  timeoutMs: number,
  close: () => void,
  host: string,
): Promise<string> {
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    close();
  }, timeoutMs);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > transportLimits.answerBytesMax) throw tooLarge(host, transportLimits.answerBytesMax);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof EtcdFailure) throw error;
    if (isLate) throw lateAt(host, timeoutMs);
    throw new EtcdFailure('unreachable', `etcd at ${host}: ${(error as Error).message}`);
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const tooLarge = (host: string, bytes: number): EtcdFailure =>
  new EtcdFailure('too_large', `etcd at ${host}: an answer of more than ${bytes} bytes`);

function checked(answer: IncomingMessage, text: string, host: string): Json {
  const message = parsed(text);
  const fault = message === null ? null : faultIn(message);
  if (fault !== null) throw failureOf(fault.code, fault.words, host);
  if (answer.statusCode === 400 && text.startsWith(COMMON_NAME.says))
    throw new EtcdFailure('refused', `etcd at ${host}: ${COMMON_NAME.words}`);
  if (answer.statusCode !== 200 || message === null || !isOfEtcd(message))
    throw new EtcdFailure(
      'unreachable',
      `etcd at ${host}: status ${answer.statusCode}, and no answer of etcd's JSON gateway`,
    );
  return message;
}

/** Every answer has a header with a revision, if only in its one part (keep-alive). The list of another server would replace what is known. */
const isOfEtcd = ({ header, result }: Json): boolean =>
  numberIn(objectIn(header ?? objectIn(result).header).revision) > 0;

/** With users and --client-cert-auth it would be two identities: etcd's gateway takes only certificates that name nobody. */
const COMMON_NAME = {
  says: 'CommonName of client sending a request against gateway',
  words:
    'while it has users it takes no client certificate with a common name: issue the one of `distributed.tls.cert` without CN, such as for /O=anyport',
} as const;

/** Errors of calls are flat, those of streams are in `error` (grpc-gateway). */
function faultIn(message: Json): { readonly code: number; readonly words: string } | null {
  const { error, message: said, code } = message;
  if (typeof error === 'string')
    return { code: numberIn(code), words: typeof said === 'string' ? said : error };
  if (typeof error !== 'object' || error === null) return null;
  const inner = objectIn(error);
  return {
    code: numberIn(inner.grpc_code ?? inner.code) || grpcCodes.unavailable,
    words: String(inner.message ?? 'the stream has failed'),
  };
}

function parsed(text: string): Json | null {
  try {
    return objectIn(JSON.parse(text));
  } catch {
    return null;
  }
}

const NEWLINE = 0x0a;

/** Lines of JSON, `{"result": …}` each. They end when we have cut the stream, and fail when another has. */
async function* messagesOf(
  answer: IncomingMessage,
  host: string,
  life: { readonly isOver: boolean },
): AsyncGenerator<Json> {
  try {
    for await (const line of linesOf(answer, host)) {
      const message = parsed(line);
      if (message === null)
        throw new EtcdFailure('unreachable', `etcd at ${host}: a stream that is not JSON`);
      const fault = faultIn(message);
      if (fault !== null) throw failureOf(fault.code, fault.words, host);
      yield objectIn(message.result);
    }
  } catch (error) {
    if (life.isOver) return;
    if (error instanceof EtcdFailure) throw error;
    throw new EtcdFailure('unreachable', `etcd at ${host}: the stream was cut: ${(error as Error).message}`);
  }
}

async function* linesOf(answer: IncomingMessage, host: string): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const line = Buffer.concat([...parts, chunk.subarray(from, end)]).toString('utf8');
      parts = [];
      bytes = 0;
      from = end + 1;
      if (line.trim() !== '') yield line;
    }
    bytes += chunk.length - from;
    if (bytes > transportLimits.messageBytesMax) throw tooLarge(host, transportLimits.messageBytesMax);
    parts.push(chunk.subarray(from));
  }
}
