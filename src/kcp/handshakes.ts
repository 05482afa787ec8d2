/** Handshakes of the links of an engine or an endpoint: answers its events, and keeps those that are under way. */
import { randomBytes } from 'node:crypto';
import type { KcpAgreed, KcpEstablished, KcpEvent } from '../addon/kcp.js';
import { type Agreed, accept, Call, type Identity, type Refusal } from './handshake.js';
import { cipherNumber } from './keys.js';
import { RecentHellos } from './recent-hellos.js';

export type EventOf<Kind extends KcpEvent['kind']> = Extract<KcpEvent, { kind: Kind }>;

/** What the engine is answered; false: there is no such link any more. */
export interface HandshakePort {
  accept(handle: number, agreed: KcpAgreed & { readonly answer: Uint8Array }): boolean;
  refuse(handle: number): boolean;
  send(link: number, hello: Uint8Array): boolean;
  establish(link: number, agreed: KcpEstablished): boolean;
  fail(link: number): boolean;
}

export class Handshakes {
  readonly #port: HandshakePort;
  /** A link has its keys; `session`: its id, 32 hexadecimal digits, equal at both ends. */
  readonly #agreed: (link: number, session: string) => void;
  readonly #recent = new RecentHellos();
  /** Links of our own whose server has not answered. */
  readonly #calls = new Map<number, Call>();

  constructor(port: HandshakePort, agreed: (link: number, session: string) => void) {
    this.#port = port;
    this.#agreed = agreed;
  }

  /** Answers a client. Why it was refused; null: it was not. */
  greet({ handle, bytes, token }: EventOf<'hello'>, identity: Identity): Refusal | null {
    const result = accept({ bytes: asBuffer(bytes), token }, identity, this.#recent, Date.now());
    if (!result.ok) {
      this.#port.refuse(handle);
      return result.refusal;
    }
    const { answer, agreed } = result;
    if (this.#port.accept(handle, { answer, ...keysOf(agreed) })) this.#agreed(handle, agreed.session);
    return null;
  }

  /** Says hello to a server. */
  call({ link }: EventOf<'begin'>, identity: Identity): void {
    const call = new Call(identity, randomBytes(4).readUInt32LE(), Date.now());
    if (this.#port.send(link, call.hello)) this.#calls.set(link, call);
  }

  /** A server has answered. */
  answered({ link, bytes }: EventOf<'answer'>): void {
    const agreed = this.#calls.get(link)?.answered(asBuffer(bytes)) ?? null;
    if (agreed === null) {
      this.#port.fail(link);
      return;
    }
    this.#calls.delete(link);
    if (this.#port.establish(link, { ...keysOf(agreed), reset: agreed.token }))
      this.#agreed(link, agreed.session);
  }

  /** The link has gone. */
  forget(link: number): void {
    this.#calls.delete(link);
  }

  close(): void {
    this.#calls.clear();
  }
}

/** The memory of an event is the engine's only during the call, and a handshake keeps nothing of it. */
const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const keysOf = ({ send, receive, cipher, peer }: Agreed): KcpAgreed => ({
  send,
  receive,
  cipher: cipherNumber(cipher),
  peer: { conv: peer.conv, mtu: peer.mtu, receiveWindow: peer.receiveWindow },
});
