/** Links of two endpoints in one process, whose handshake is made of keys that both know. Needs the build. */
import { Socket } from 'node:net';
import type { EngineKcpProfile, KcpAgreed, KcpEndpoint, KcpEvent } from '../../src/addon/kcp.js';
import { native } from '../../src/addon.js';
import { Peer } from '../support/tcp.js';
import { eventually } from '../support/wait.js';

export const kcpProfile: EngineKcpProfile = {
  id: 7,
  mode: { nodelay: 0, intervalMs: 30, resend: 2, nc: 1 },
  fec: { data: 0, parity: 0, adaptive: false },
  mtu: 1350,
  sendWindow: 1024,
  receiveWindow: 1024,
  heartbeatMs: 3000,
  deadAfterMs: 15_000,
  idleMs: 0,
  linksMax: 0,
  streamsMax: 16_384,
  singleStream: false,
  resetKey: new Uint8Array(32).fill(3),
  kcptun: null,
};

/** Numbers of ciphers in a hello. */
export const ciphers = { none: 0, chacha20: 1, aes: 2, xsalsa20: 3 } as const;

const keyOf = (end: 'client' | 'server') => new Uint8Array(32).fill(end === 'client' ? 1 : 2);
const other = (end: 'client' | 'server') => (end === 'client' ? 'server' : 'client');

/** What the server of a test answers: its token, and what nobody reads. */
export const answerWith = (token: Uint8Array): Uint8Array => Buffer.concat([token, Buffer.alloc(32, 9)]);

/** What the client of a test has come to, with such an answer. */
export const establishedBy = (answer: Uint8Array, cipher: number = ciphers.chacha20) => ({
  ...agreedBy('client', cipher),
  reset: answer.subarray(0, 16),
});

export function agreedBy(end: 'client' | 'server', cipher: number = ciphers.chacha20): KcpAgreed {
  const peer = { conv: 42, mtu: 1350, receiveWindow: 1024 };
  return { send: keyOf(end), receive: keyOf(other(end)), cipher, peer };
}

export function hello(): Uint8Array {
  const bytes = new Uint8Array(512);
  bytes[0] = 0xa9;
  return bytes;
}

/** A stream as a socket, whose peer's end and reset are told by the endpoint. */
export class KcpStream extends Peer {
  constructor(
    readonly stream: number,
    fd: number,
  ) {
    super(new Socket({ fd, allowHalfOpen: true, readable: true, writable: true }));
  }
}

export interface EndpointOptions {
  readonly profile?: Partial<EngineKcpProfile>;
  readonly cipher?: number;
  /** What the server does with a stream; default: nothing. */
  readonly serve?: (stream: KcpStream) => void;
  /** What is done with a hello; default: it is accepted. */
  readonly answer?: (event: Extract<KcpEvent, { kind: 'hello' }>, endpoint: KcpEndpoint) => void;
}

export class TestEndpoint {
  readonly endpoint: KcpEndpoint;
  readonly seen: KcpEvent[] = [];
  readonly streams: KcpStream[] = [];
  readonly resets = new Set<number>();
  #options: EndpointOptions;

  constructor(options: EndpointOptions = {}) {
    this.#options = options;
    const profile = { ...kcpProfile, ...options.profile };
    this.endpoint = new native.KcpEndpoint({ profile, onEvent: (event) => this.#on(event) });
  }

  listen(host = '127.0.0.1'): number {
    const address = this.endpoint.bind({ host, port: 0 });
    return 'port' in address ? address.port : 0;
  }

  /** A link that is up. */
  async connect(port: number, host = '127.0.0.1'): Promise<number> {
    const link = this.endpoint.connect({ host, port }, 5000);
    await eventually('the link', () => this.of('up').some((event) => event.link === link));
    return link;
  }

  open(link: number): KcpStream {
    const { stream, fd } = this.endpoint.open(link);
    const opened = new KcpStream(stream, fd);
    this.streams.push(opened);
    return opened;
  }

  of<Kind extends KcpEvent['kind']>(kind: Kind): Extract<KcpEvent, { kind: Kind }>[] {
    return this.seen.filter((event): event is Extract<KcpEvent, { kind: Kind }> => event.kind === kind);
  }

  /** The stream that the peer has opened as the so-manieth. */
  async accepted(index = 0): Promise<KcpStream> {
    await eventually(`stream ${index}`, () => this.streams.length > index);
    return this.streams[index] as KcpStream;
  }

  close(): void {
    this.endpoint.close();
    for (const { socket } of this.streams) socket.destroy();
  }

  #on(event: KcpEvent): void {
    this.seen.push(event);
    const { cipher, answer, serve } = this.#options;
    if (event.kind === 'hello') {
      if (answer) answer(event, this.endpoint);
      else
        this.endpoint.accept(event.handle, {
          ...agreedBy('server', cipher),
          answer: answerWith(event.token),
        });
    } else if (event.kind === 'begin') {
      this.endpoint.send(event.link, hello());
    } else if (event.kind === 'answer') {
      this.endpoint.establish(event.link, establishedBy(event.bytes, cipher));
    } else if (event.kind === 'stream') {
      const stream = new KcpStream(event.stream, event.fd);
      this.streams.push(stream);
      serve?.(stream);
    } else if (event.kind === 'reset') {
      this.resets.add(event.stream);
    }
  }
}
