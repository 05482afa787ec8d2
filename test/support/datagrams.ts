/** Datagram sockets of tests: what came is kept datagram by datagram, in order, with who sent it. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { freePort } from './ports.js';
import { eventually } from './wait.js';

export interface Datagram {
  readonly bytes: Buffer;
  /** `127.0.0.1:4000` or `[::1]:4000`. */
  readonly from: string;
}

/** One socket, bound; a client as well as an endpoint. */
export class DatagramPeer {
  readonly received: Datagram[] = [];
  /** Codes of errors that the kernel has told of, such as ECONNREFUSED of a connected socket. */
  readonly errors: string[] = [];
  /** Local address, as the other side sees it. */
  readonly address: string;
  readonly port: number;
  /** Its flows begin later, in ms since the epoch. */
  readonly since = Date.now();
  #asked = 0;

  /** `target`: where `send` sends to without an address of its own. */
  constructor(
    readonly socket: Socket,
    readonly target: { readonly host: string; readonly port: number } | null = null,
  ) {
    const { address, port } = socket.address();
    this.address = hostPort(address, port);
    this.port = port;
    socket.on('message', (bytes, from) =>
      this.received.push({ bytes, from: hostPort(from.address, from.port) }),
    );
    socket.on('error', (error: NodeJS.ErrnoException) => this.errors.push(error.code ?? error.message));
  }

  /** What came, as text. */
  get texts(): string[] {
    return this.received.map(({ bytes }) => bytes.toString());
  }

  /** Resolves when the kernel has it. `to`: an address as in `from`. */
  send(bytes: Uint8Array | string, to?: string): Promise<void> {
    const { host, port } = to === undefined ? this.#target() : parse(to);
    return new Promise((resolve, reject) =>
      this.socket.send(bytes, port, host, (error) => (error ? reject(error) : resolve())),
    );
  }

  /** Waits for the nth datagram (from 0). */
  datagram(n: number): Promise<Datagram> {
    return eventually(
      `datagram ${n} at ${this.address} (${this.received.length} came)`,
      () => this.received[n],
    );
  }

  /**
   * Waits for something to come back that no `ask` before has returned. `again`: where the datagram may be lost, it is sent
   * until then, and may have several answers.
   */
  async ask(bytes: Uint8Array | string, { again = false } = {}): Promise<Datagram> {
    let nextMs = 0;
    const answer = await eventually(`an answer at ${this.address}`, async () => {
      const found = this.received[this.#asked];
      if (found !== undefined) return found;
      if (Date.now() < nextMs) return undefined;
      nextMs = again ? Date.now() + RESEND_MS : Number.POSITIVE_INFINITY;
      await this.send(bytes);
      return undefined;
    });
    this.#asked = this.received.length;
    return answer;
  }

  /** The same socket, with somebody else to send to; what comes is kept anew. */
  towards(target: { readonly host: string; readonly port: number }): DatagramPeer {
    return new DatagramPeer(this.socket, target);
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.socket.close(resolve));
  }

  #target(): { readonly host: string; readonly port: number } {
    if (this.target === null) throw new Error(`${this.address} has nobody to send to`);
    return this.target;
  }
}

/** As resolvers do. */
const RESEND_MS = 1000;

export interface ClientOptions {
  /** Where it sends to. */
  readonly host?: string;
  /** Its own address; loopback has many. */
  readonly from?: string;
  readonly fromPort?: number;
}

/** A client that sends to `port`, and hears whoever answers: not connected. */
export async function datagramClient(
  port: number,
  { host = '127.0.0.1', from = isIPv6(host) ? '::1' : '127.0.0.1', fromPort = 0 }: ClientOptions = {},
): Promise<DatagramPeer> {
  return new DatagramPeer(await bound(from, fromPort), { host, port });
}

export interface DatagramEndpoint {
  readonly peer: DatagramPeer;
  readonly port: number;
  readonly target: string;
  /** Who has sent something, each once, in the order of their first datagrams. */
  readonly senders: readonly string[];
  close(): Promise<void>;
}

export type ServeDatagram = (datagram: Datagram, reply: (bytes: Uint8Array | string) => void) => void;

/** A server that passes each datagram to `serve`. */
export async function listenUdp(
  serve: ServeDatagram = () => {},
  host = '127.0.0.1',
  wanted?: number,
): Promise<DatagramEndpoint> {
  const peer = new DatagramPeer(await bound(host, wanted ?? (await freePort())));
  peer.socket.on('message', (bytes, { address, port }) => {
    const reply = (answer: Uint8Array | string) => peer.socket.send(answer, port, address);
    serve({ bytes, from: hostPort(address, port) }, reply);
  });
  return {
    peer,
    port: peer.port,
    target: peer.address,
    get senders() {
      return [...new Set(peer.received.map(({ from }) => from))];
    },
    close: () => peer.close(),
  };
}

/** Sends everything back. */
export const echoDatagrams: ServeDatagram = ({ bytes }, reply) => reply(bytes);

/** Answers with a name before the text: who has answered, and whom. */
export const namedEcho =
  (name: string): ServeDatagram =>
  ({ bytes }, reply) =>
    reply(`${name}:${bytes}`);

async function bound(host: string, port: number): Promise<Socket> {
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', recvBufferSize: RECEIVE_BYTES });
  socket.bind(port, host);
  await once(socket, 'listening');
  return socket;
}

/** The system may give less. */
const RECEIVE_BYTES = 4 * 1024 * 1024;

const hostPort = (host: string, port: number): string =>
  isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;

function parse(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}
