/**
 * A server that answers as the Docker Engine API does, and can be told what to say. No more of it than a read-only socket
 * proxy for containers and events.
 */
import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Identity } from './authority.js';

/** An engine at `tcp://`, which asks clients for a certificate of the same authority. */
export interface Secured {
  readonly port: number;
  readonly ca: string;
  readonly identity: Identity;
}

export class Engine {
  containers: unknown = [];
  version: string | null = '1.41';
  /** Paths that were asked for, without queries. */
  readonly asked: string[] = [];
  /** Common names of the certificates that clients have shown. */
  readonly shown: string[] = [];
  /** Answers a list instead. */
  listing: ((response: ServerResponse) => void) | null = null;
  readonly #streams = new Set<ServerResponse>();
  #server: Server | null = null;
  readonly socketPath: string;
  readonly #secured: Secured | null;

  constructor(socketPath: string, secured: Secured | null = null) {
    this.socketPath = socketPath;
    this.#secured = secured;
  }

  async start(): Promise<void> {
    const answer = (request: IncomingMessage, response: ServerResponse) => this.#answer(request, response);
    const secured = this.#secured;
    const server =
      secured === null
        ? createServer(answer)
        : createSecure(
            { ...secured.identity, ca: secured.ca, requestCert: true },
            (request: IncomingMessage, response) => {
              this.shown.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
              answer(request, response);
            },
          );
    this.#server = server;
    await new Promise<void>((ready) => server.listen(secured?.port ?? this.socketPath, ready));
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    this.#streams.clear();
    rmSync(this.socketPath, { force: true });
  }

  get lists(): number {
    return this.asked.filter((path) => path.endsWith('/containers/json')).length;
  }

  get isFollowed(): boolean {
    return this.#streams.size > 0;
  }

  tell(times = 1): void {
    for (const stream of this.#streams)
      for (let count = 0; count < times; count++) stream.write('{"Type":"container","Action":"start"}\n');
  }

  endStreams(): void {
    for (const stream of this.#streams) stream.end();
    this.#streams.clear();
  }

  #answer({ method, url = '' }: IncomingMessage, response: ServerResponse): void {
    const [path = ''] = url.split('?');
    this.asked.push(path);
    if (method !== 'GET' || !/^(?:\/v1\.\d+\/(?:containers\/json|events)|\/_ping)$/.test(path))
      response.writeHead(403).end('{"message":"not allowed"}');
    else if (path === '/_ping')
      response.writeHead(200, this.version === null ? {} : { 'Api-Version': this.version }).end('OK');
    else if (path.endsWith('/events')) {
      response.writeHead(200).flushHeaders();
      this.#streams.add(response);
    } else if (this.listing !== null) this.listing(response);
    else response.end(JSON.stringify(this.containers));
  }
}
