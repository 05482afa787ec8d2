/** A NAT before a client of datagrams, whose address outside changes when it is told to. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { within } from './wait.js';

interface Mark {
  readonly bytes: number;
  readonly reached: () => void;
}

/** For one client, on the loopback interface. */
export class Nat {
  /** Addresses that it has had outside. */
  readonly addresses: string[] = [];
  readonly #inside = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES });
  readonly #port: number;
  readonly #outside: Socket[] = [];
  #client: { readonly address: string; readonly port: number } | undefined;
  /** Bytes of answers that have come to the client. */
  #bytesDown = 0;
  /** Whether an answer has come to its present address. */
  #isAnswered = false;
  #mark: Mark | undefined;
  /** What waits to be passed on, in order; undefined while all passes at once. */
  #held: (() => void)[] | undefined;

  private constructor(port: number) {
    this.#port = port;
    this.#inside.on('message', (bytes, { address, port: from }) => {
      this.#client = { address, port: from };
      this.#pass(() => this.#outside.at(-1)?.send(bytes));
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
    next.on('message', (bytes) => this.#pass(() => this.#answer(bytes, next)));
    this.addresses.push(`127.0.0.1:${next.address().port}`);
    this.#outside.push(next);
    this.#isAnswered = false;
  }

  /**
   * When `bytes` have come to the client, and its present address has been answered, nothing passes until `step` is done:
   * so it is done in the middle of a transfer, however fast that is.
   */
  async holdAt(bytes: number, step: () => Promise<unknown>): Promise<void> {
    const mark = new Promise<void>((reached) => {
      this.#mark = { bytes, reached };
    });
    await within(`${bytes} bytes, and an answer to ${this.addresses.at(-1)}`, mark);
    await step();
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const pass of held) pass();
  }

  close(): void {
    for (const socket of [...this.#outside, this.#inside]) socket.close();
  }

  #pass(datagram: () => void): void {
    if (this.#held === undefined) datagram();
    else this.#held.push(datagram);
  }

  #answer(bytes: Buffer, came: Socket): void {
    this.#bytesDown += bytes.length;
    this.#isAnswered ||= came === this.#outside.at(-1);
    if (this.#client !== undefined) this.#inside.send(bytes, this.#client.port, this.#client.address);
    if (this.#mark === undefined || this.#bytesDown < this.#mark.bytes || !this.#isAnswered) return;
    this.#held = [];
    this.#mark.reached();
    this.#mark = undefined;
  }
}

const BUFFER_BYTES = 4 * 1024 * 1024;
