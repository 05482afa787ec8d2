/** A server on a Unix socket that answers as the Docker Engine API does, and can be told what to say. */
import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export class Engine {
  containers: unknown = [];
  version: string | null = '1.41';
  /** Paths that were asked for, without queries. */
  readonly asked: string[] = [];
  /** Answers a list instead. */
  listing: ((response: ServerResponse) => void) | null = null;
  readonly #streams = new Set<ServerResponse>();
  #server: Server | null = null;
  readonly socketPath: string;

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => this.#answer(request, response));
    this.#server = server;
    await new Promise<void>((ready) => server.listen(this.socketPath, ready));
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

  #answer({ url = '' }: IncomingMessage, response: ServerResponse): void {
    const [path = ''] = url.split('?');
    this.asked.push(path);
    if (path === '/_ping')
      response.writeHead(200, this.version === null ? {} : { 'Api-Version': this.version }).end('OK');
    else if (path.endsWith('/events')) {
      response.writeHead(200).flushHeaders();
      this.#streams.add(response);
    } else if (this.listing !== null) this.listing(response);
    else response.end(JSON.stringify(this.containers));
  }
}
