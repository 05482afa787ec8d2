/** A wire between clients of datagrams and their server that notes what passes, and can be cut. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const BUFFER_BYTES = 4 * 1024 * 1024;

export class Tap {
  /** Sizes of payloads, each way, until `forget`. */
  readonly up: number[] = [];
  readonly down: number[] = [];
  isCut = false as boolean;
  readonly #inside = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES });
  /** Client's port → what its server sees. */
  readonly #outside = new Map<number, Promise<Socket>>();
  readonly #to: number;

  private constructor(to: number) {
    this.#to = to;
    this.#inside.on('message', async (bytes, { port }) => {
      this.up.push(bytes.length);
      if (this.isCut) return;
      const outside = this.#outside.get(port) ?? this.#open(port);
      this.#outside.set(port, outside);
      (await outside).send(bytes);
    });
  }

  /** To `port`, on the loopback interface. */
  static async open(port: number): Promise<Tap> {
    const tap = new Tap(port);
    tap.#inside.bind(0, '127.0.0.1');
    await once(tap.#inside, 'listening');
    return tap;
  }

  async #open(client: number): Promise<Socket> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES });
    socket.on('error', () => {}); // nobody is there any more
    socket.on('message', (bytes) => {
      this.down.push(bytes.length);
      if (!this.isCut) this.#inside.send(bytes, client, '127.0.0.1');
    });
    socket.connect(this.#to, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  }

  get port(): number {
    return this.#inside.address().port;
  }

  forget(): void {
    this.up.length = this.down.length = 0;
  }

  async close(): Promise<void> {
    this.#inside.close();
    for (const outside of this.#outside.values()) (await outside).close();
  }
}
