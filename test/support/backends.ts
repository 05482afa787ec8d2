/** Endpoints that answer each request with their name, and that can go away and come back on the same port. */
import { createServer, type Server, type Socket } from 'node:net';
import { freePort } from './ports.js';
import { dial } from './tcp.js';

/** A request that is identified at once. */
export const ping = '*1\r\n$4\r\nPING\r\n';

export class Backend {
  /** Sessions that sent a request, and connections in all (checks among them). */
  asked = 0;
  connections = 0;
  /** Overrides what is done with a connection. */
  behave: ((socket: Socket) => void) | null = null;
  readonly target: string;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;

  constructor(
    readonly name: string,
    readonly port: number,
  ) {
    this.target = `127.0.0.1:${port}`;
  }

  async start(): Promise<this> {
    const server = createServer((socket) => this.#serve(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
    return this;
  }

  /** As a process that is killed: nobody listens, and its connections are reset. */
  kill(): void {
    this.#server?.close();
    this.#server = null;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Takes no connection any more; those it has go on. */
  stopListening(): void {
    this.#server?.close();
    this.#server = null;
  }

  #serve(socket: Socket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    if (this.behave !== null) return this.behave(socket);
    socket.once('data', () => {
      this.asked += 1;
    });
    socket.on('data', () => socket.write(`+${this.name}\r\n`));
  }
}

export const startBackend = async (name: string): Promise<Backend> =>
  new Backend(name, await freePort()).start();

/** Who answers a new session; null: it was closed or reset without an answer. */
export async function whoAnswers(port: number, from?: string): Promise<string | null> {
  const client = await dial(port, from);
  client.send(ping);
  const answered = new Promise<string | null>((resolve) => {
    client.socket.on('data', () => resolve(/\+(.*)\r\n/.exec(client.received.toString())?.[1] ?? null));
    void client.ended.then(() => resolve(null));
  });
  const name = await answered;
  client.socket.destroy();
  return name;
}
