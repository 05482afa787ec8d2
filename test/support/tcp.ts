/** Raw TCP peers: received bytes collected, and how the other side ended. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from './ports.js';
import { eventually, within } from './wait.js';

export type Ending = 'fin' | 'reset';

/** One end of a connection. */
export class Peer {
  #chunks: Buffer[] = [];
  #length = 0;
  /** How the other side ended; undefined while open. */
  ending: Ending | undefined;
  readonly ended: Promise<Ending>;
  /** Local address, as the other side sees it. */
  readonly address: string;

  /** `since`: from before it connected, in ms since the epoch. */
  constructor(
    readonly socket: Socket,
    readonly since = Date.now(),
  ) {
    this.address = `${socket.localAddress}:${socket.localPort}`;
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
    });
    this.ended = new Promise((resolve) => {
      const end = (ending: Ending) => {
        this.ending ??= ending;
        resolve(this.ending);
      };
      socket.once('end', () => end('fin'));
      socket.on('error', () => end('reset'));
    });
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get length(): number {
    return this.#length;
  }

  send(bytes: Uint8Array | string): this {
    this.socket.write(bytes);
    return this;
  }

  /** Half-close: sends FIN; the other direction stays open. */
  finish(): this {
    this.socket.end();
    return this;
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Waits until `count` bytes have been received in total. */
  async bytes(count: number): Promise<Buffer> {
    await eventually(`${count} bytes (${this.#length} came)`, () => this.#length >= count);
    return this.received;
  }

  /** Waits for the other side's end. */
  async end(): Promise<Ending> {
    return within('the end of the connection', this.ended);
  }
}

/** Connects a client. `from`: a loopback address, to spread thousands of clients over several. */
export async function dial(port: number, from = '127.0.0.1'): Promise<Peer> {
  const since = Date.now();
  const socket = connect({ port, host: '127.0.0.1', localAddress: from, allowHalfOpen: true, noDelay: true });
  await within(`a connection to ${port}`, once(socket, 'connect'));
  return new Peer(socket, since);
}

export interface Upstream {
  readonly port: number;
  readonly target: string;
  /** Connections so far, oldest first. */
  readonly peers: readonly Peer[];
  /** Waits for the nth connection (from 0). */
  peer(n: number): Promise<Peer>;
  close(): Promise<void>;
}

/** A server that passes each connection to `serve`. */
export async function listenTcp(
  serve: (peer: Peer) => void = () => {},
  host = '127.0.0.1',
  wanted?: number,
): Promise<Upstream> {
  const peers: Peer[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const peer = new Peer(socket);
    peers.push(peer);
    serve(peer);
  });
  const port = wanted ?? (await freePort());
  server.listen({ port, host, backlog: 4096 });
  await once(server, 'listening');
  return {
    port,
    target: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    peers,
    peer: (n) => eventually(`connection ${n} at the upstream`, () => peers[n]),
    close: () => closeServer(server, peers),
  };
}

async function closeServer(server: Server, peers: readonly Peer[]): Promise<void> {
  server.close();
  for (const peer of peers) peer.socket.destroy();
  await once(server, 'close');
}

/** Whether whoever accepts there echoes; a connection that ends instead does not. */
export async function echoes(port: number): Promise<boolean> {
  try {
    const client = (await dial(port)).send('hello');
    await eventually('an answer or an end', () => client.length >= 5 || client.ending !== undefined);
    client.socket.destroy();
    return client.length >= 5;
  } catch {
    return false;
  }
}

/** Echoes everything. */
export const echo = (peer: Peer): void => {
  peer.socket.pipe(peer.socket);
  peer.socket.on('error', () => {});
};
