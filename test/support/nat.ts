/** A NAT before a client of datagrams, whose address outside changes when it is told to. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** For one client, on the loopback interface. */
export class Nat {
  /** Bytes of answers that have come to the client. */
  bytesDown = 0;
  /** Addresses that it has had outside. */
  readonly addresses: string[] = [];
  readonly #inside = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES });
  readonly #port: number;
  readonly #outside: Socket[] = [];
  #client: { readonly address: string; readonly port: number } | undefined;

  private constructor(port: number) {
    this.#port = port;
    this.#inside.on('message', (bytes, { address, port: from }) => {
      this.#client = { address, port: from };
      this.#outside.at(-1)?.send(bytes);
    });
  }

  /** To `port`. */
  static async open(port: number): Promise<Nat> {
    const nat = new Nat(port);
    nat.#inside.bind(0, '127.0.0.1');
    await once(nat.#inside, 'listening');
    await nat.rebind();
    return nat;
  }

  /** Where the client sends to. */
  get port(): number {
    return this.#inside.address().port;
  }

  /**
   * From now on the client comes from another address. What still comes to the one before reaches it: a client that only
   * listens would otherwise never show that it has moved.
   */
  async rebind(): Promise<void> {
    const next = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES });
    next.connect(this.#port, '127.0.0.1');
    await once(next, 'connect');
    next.on('error', () => {}); // nobody is there any more, or not yet
    next.on('message', (bytes) => {
      this.bytesDown += bytes.length;
      if (this.#client !== undefined) this.#inside.send(bytes, this.#client.port, this.#client.address);
    });
    this.addresses.push(`127.0.0.1:${next.address().port}`);
    this.#outside.push(next);
  }

  close(): void {
    for (const socket of [...this.#outside, this.#inside]) socket.close();
  }
}

const BUFFER_BYTES = 4 * 1024 * 1024;
