/** A line over UDP, connected, so that only the endpoint is heard and a closed port is an error. */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { SocketAddress } from '../model/address.js';
import { faultOf } from './fault.js';
import { DatagramInbox } from './inbox.js';
import { type Line, LineFault, lineLimits, type TlsFacts, type Until } from './line.js';

export class DatagramLine implements Line {
  readonly signal: AbortSignal;
  readonly #inbox = new DatagramInbox();
  readonly #socket: Socket;
  readonly #onAbort = () => this.close();
  #sentBytes = 0;
  #closed = false as boolean;

  private constructor(
    socket: Socket,
    signal: AbortSignal,
    private readonly greeting: Uint8Array | null,
  ) {
    this.#socket = socket;
    this.signal = signal;
    socket.on('message', (datagram) => this.#inbox.put(datagram));
    socket.on('error', (error) => this.#inbox.fail(faultOf(error)));
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  static async open(
    this: void,
    address: SocketAddress,
    signal: AbortSignal,
    source?: string,
    /** Before every datagram. */
    greeting: Uint8Array | null = null,
  ): Promise<DatagramLine> {
    if ('path' in address) throw new LineFault('is a unix socket, which takes no datagrams here');
    const { host, port } = address;
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        const reach = () => socket.connect(port, host, resolve);
        if (source === undefined) reach();
        else socket.bind({ address: source, port: 0 }, reach);
      });
    } catch (error) {
      socket.close();
      throw faultOf(error);
    }
    socket.removeAllListeners('error');
    const line = new DatagramLine(socket, signal, greeting);
    if (signal.aborted) line.close();
    return line;
  }

  write(bytes: Uint8Array | string): void {
    this.#sentBytes += bytes.length;
    if (this.#sentBytes > lineLimits.sentBytesMax)
      throw new LineFault(`the check sends more than ${lineLimits.sentBytesMax} bytes`);
    if (this.#closed) return;
    const parts = this.greeting === null ? [bytes] : [this.greeting, bytes];
    this.#socket.send(parts, (error) => {
      if (error !== null && error !== undefined) this.#inbox.fail(faultOf(error));
    });
  }

  read(until: Until): Promise<Buffer> {
    return this.#inbox.read(until);
  }

  async startTls(): Promise<TlsFacts> {
    throw new Error('TLS needs a stream');
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.signal.removeEventListener('abort', this.#onAbort);
    this.#inbox.fail(new LineFault('is not asked any more'));
    this.#socket.close();
  }
}
