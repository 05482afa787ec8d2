/**
 * Both ends of a handshake, from a profile to the keys of a link. No socket, no log, and the clock is an argument: what a
 * server thinks of a hello is a value.
 */
import assert from 'node:assert/strict';
import type { KcpCipher, KcpProfile, NoiseProfile } from '../model/kcp.js';
import {
  type Offer,
  prologueOf,
  readAnswer,
  readHello,
  readTerms,
  type Terms,
  writeAnswer,
  writeHello,
  writeTerms,
} from './hello.js';
import { transportKey } from './keys.js';
import { Handshake, type PatternName } from './noise.js';
import type { RecentHellos } from './recent-hellos.js';
import { type KeyPair, keyPairOf, randomSecret } from './x25519.js';

const SESSION_BYTES = 16;

/** A profile with wire `anyport`, its keys ready for use. */
export interface Identity {
  readonly offer: Offer;
  readonly psk: Buffer | undefined;
  /** The pair at a server, the public key at a client. */
  readonly server: KeyPair | Buffer | undefined;
  readonly profile: Pick<KcpProfile, 'mtu' | 'sendWindow' | 'receiveWindow' | 'fec'>;
}

/** `side`: of the link; a profile may serve both. */
export function identityOf(side: 'client' | 'server', profile: NoiseProfile): Identity {
  const { cipher, psk, serverKey, privateKey } = profile.security;
  const known = side === 'server' ? privateKey : serverKey;
  const bytes = known === null ? undefined : Buffer.from(known, 'hex');
  return {
    offer: { cipher, pattern: patternOf(psk !== null, bytes !== undefined) },
    psk: psk === null ? undefined : Buffer.from(psk, 'hex'),
    server: bytes === undefined || side === 'client' ? bytes : keyPairOf(bytes),
    profile,
  };
}

const patternOf = (hasSecret: boolean, knowsServer: boolean): PatternName => {
  if (!hasSecret) return 'NN';
  return knowsServer ? 'NKpsk0' : 'NNpsk0';
};

/** What a link begins with. */
export interface Agreed {
  /** Of the cipher: 32 bytes, of which a shorter key is the beginning. */
  readonly send: Buffer;
  readonly receive: Buffer;
  readonly cipher: KcpCipher;
  /** Of the other end. */
  readonly peer: Terms;
  /** Of the link, at both ends alike: 32 hexadecimal digits. */
  readonly session: string;
}

/** What a client knows besides. */
export interface ClientAgreed extends Agreed {
  /** Of the link, by which the server says that it does not know it any more. */
  readonly token: Buffer;
}

/** Why a server does not answer. */
export type Refusal =
  | 'malformed'
  /** Of another version of the protocol. */
  | 'version'
  | 'cipher'
  | 'pattern'
  /** The client does not know the secret, or takes the server for another one. */
  | 'secret'
  /** The client's clock differs by more than `helloAgeMsMax`. */
  | 'clock'
  /** It has come before. */
  | 'repeated';

export type Acceptance =
  | { readonly ok: true; readonly answer: Buffer; readonly agreed: Agreed }
  | { readonly ok: false; readonly refusal: Refusal };

const refuse = (refusal: Refusal): Acceptance => ({ ok: false, refusal });

/** A hello as it has come, and the token of the link that it would begin. */
export interface Greeting {
  readonly bytes: Buffer;
  readonly token: Uint8Array;
}

/** A server's answer to a hello. `recent`: what has come before, by which repetitions are known. */
export function accept(
  { bytes, token }: Greeting,
  identity: Identity,
  recent: RecentHellos,
  nowMs: number,
): Acceptance {
  const hello = readHello(bytes);
  if (hello.kind !== 'hello') return refuse(hello.kind);
  const { offer, psk, server, profile } = identity;
  if (hello.cipher !== offer.cipher) return refuse('cipher');
  if (hello.pattern !== offer.pattern) return refuse('pattern');
  const handshake = new Handshake('server', {
    pattern: offer.pattern,
    prologue: prologueOf(offer),
    psk,
    server,
  });
  const payload = handshake.read(hello.message);
  const peer = payload && readTerms(payload);
  if (peer === null) return refuse('secret');
  const seen = recent.judge(hello.message, peer.timeMs, nowMs);
  if (seen !== 'new') return refuse(seen);
  const answer = handshake.write(writeAnswer(termsOf(profile, peer.conv, nowMs), token));
  if (answer === null) return refuse('malformed');
  return { ok: true, answer, agreed: agreedOn(handshake, offer.cipher, peer) };
}

/** A client's side: made with its hello, and asked with each answer until one is genuine. */
export class Call {
  readonly hello: Buffer;
  readonly #identity: Identity;
  readonly #ephemeral = randomSecret();
  readonly #terms: Buffer;

  /** `conv`: 32 random bits. */
  constructor(identity: Identity, conv: number, nowMs: number) {
    this.#identity = identity;
    this.#terms = writeTerms(termsOf(identity.profile, conv, nowMs));
    this.hello = writeHello(identity.offer, this.#begun().message);
  }

  /** Null: it is not of the server that is meant, who may yet answer. */
  answered(answer: Buffer): ClientAgreed | null {
    const { handshake } = this.#begun();
    const payload = handshake.read(answer);
    const said = payload && readAnswer(payload);
    if (said === null) return null;
    return { ...agreedOn(handshake, this.#identity.offer.cipher, said.terms), token: said.token };
  }

  /** The handshake with its first message said: anew for each answer, because a forged one spoils it. */
  #begun(): { readonly handshake: Handshake; readonly message: Buffer } {
    const { offer, psk, server } = this.#identity;
    const handshake = new Handshake('client', {
      pattern: offer.pattern,
      prologue: prologueOf(offer),
      psk,
      server,
      ephemeral: this.#ephemeral,
    });
    const message = handshake.write(this.#terms);
    assert(message !== null, 'the key of the server is checked with the configuration');
    return { handshake, message };
  }
}

function termsOf(
  { mtu, sendWindow, receiveWindow, fec }: Identity['profile'],
  conv: number,
  timeMs: number,
): Terms {
  return { conv, mtu, sendWindow, receiveWindow, fec, timeMs };
}

function agreedOn(handshake: Handshake, cipher: KcpCipher, peer: Terms): Agreed {
  const { send, receive } = handshake.split();
  return {
    send: transportKey(send, cipher),
    receive: transportKey(receive, cipher),
    cipher,
    peer,
    session: handshake.hash.toString('hex', 0, SESSION_BYTES),
  };
}
