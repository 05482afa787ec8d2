/** A handler serving one end of a real connection, as it does in a worker. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Handler, HandlerSession } from '../../src/handlers/handler.js';

export const session: HandlerSession = {
  id: '0-17',
  transport: 'tcp',
  listener: 'front',
  protocol: 'http',
  source: '192.0.2.7:50123',
  facts: { host: 'localhost', path: '/<script>' },
  identifyMs: 0.25,
  decidedAtByte: 16,
  worker: 1,
};

export class Pair {
  readonly #server: Server;
  readonly #clients: Socket[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async serve(handler: Handler, served: HandlerSession = session): Promise<Pair> {
    const server = createServer({ allowHalfOpen: true }, (socket) => handler(socket, served));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Pair(server);
  }

  async connect(): Promise<Socket> {
    const { port } = this.#server.address() as { port: number };
    const client = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    this.#clients.push(client);
    await once(client, 'connect');
    return client;
  }

  /** Sends the chunks, one per turn, and reads until the handler ends its side. */
  async exchange(...chunks: (string | Buffer)[]): Promise<string> {
    const client = await this.connect();
    for (const chunk of chunks) {
      client.write(chunk);
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.end();
    return (await readAll(client)).toString('latin1');
  }

  close(): void {
    for (const client of this.#clients) client.destroy();
    this.#server.close();
  }
}

export async function readAll(client: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of client) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
