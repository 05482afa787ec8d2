/**
 * The Noise protocol framework (revision 34) with 25519, ChaChaPoly and SHA256: the handshakes of KCP links, in two
 * messages. Pure but for the ephemeral key.
 */
import assert from 'node:assert/strict';
import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import { KEY_BYTES, type KeyPair, keyPairOf, randomSecret, sharedSecret } from './x25519.js';

export const TAG_BYTES = 16;
const CIPHER = 'chacha20-poly1305';
const NOTHING = Buffer.alloc(0);

type Token = 'e' | 'ee' | 'es' | 'psk';

interface Pattern {
  /** The client knows the server's key before (`<- s`). */
  readonly serverKey: boolean;
  readonly messages: readonly (readonly Token[])[];
}

/** §7.5 and §9.4; order is the numbering on the wire. */
export const patterns = {
  NN: { serverKey: false, messages: [['e'], ['e', 'ee']] },
  NNpsk0: {
    serverKey: false,
    messages: [
      ['psk', 'e'],
      ['e', 'ee'],
    ],
  },
  NKpsk0: {
    serverKey: true,
    messages: [
      ['psk', 'e', 'es'],
      ['e', 'ee'],
    ],
  },
} as const satisfies Record<string, Pattern>;

export type PatternName = keyof typeof patterns;

const tokensOf = (pattern: PatternName): readonly Token[] => patterns[pattern].messages.flat();
const usesPsk = (pattern: PatternName): boolean => tokensOf(pattern).includes('psk');

/** A key and its nonce (§5.1). */
class CipherState {
  readonly #key: Buffer;
  #nonce = 0n;

  constructor(key: Buffer) {
    this.#key = key;
  }

  seal(plaintext: Uint8Array, associated: Uint8Array): Buffer {
    const cipher = createCipheriv(CIPHER, this.#key, this.#next(), { authTagLength: TAG_BYTES });
    cipher.setAAD(associated, { plaintextLength: plaintext.length });
    return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }

  /** Null: it is not genuine. */
  open(sealed: Buffer, associated: Uint8Array): Buffer | null {
    const end = sealed.length - TAG_BYTES;
    if (end < 0) return null;
    const decipher = createDecipheriv(CIPHER, this.#key, this.#next(), { authTagLength: TAG_BYTES });
    decipher.setAAD(associated, { plaintextLength: end });
    decipher.setAuthTag(sealed.subarray(end));
    const plaintext = decipher.update(sealed.subarray(0, end));
    try {
      return Buffer.concat([plaintext, decipher.final()]);
    } catch {
      return null;
    }
  }

  #next(): Buffer {
    const nonce = Buffer.alloc(12);
    nonce.writeBigUInt64LE(this.#nonce, 4);
    this.#nonce += 1n;
    return nonce;
  }
}

/** Chaining key and hash of what was said (§5.2). */
class SymmetricState {
  #chainingKey: Buffer;
  #cipher: CipherState | null = null;
  hash: Buffer;

  constructor(protocolName: string) {
    const name = Buffer.from(protocolName);
    this.hash = name.length > KEY_BYTES ? sha256(name) : Buffer.concat([name], KEY_BYTES);
    this.#chainingKey = this.hash;
  }

  mixHash(data: Uint8Array): void {
    this.hash = sha256(this.hash, data);
  }

  mixKey(material: Uint8Array): void {
    const [chainingKey, key] = this.#derive(material, 2);
    this.#chainingKey = chainingKey as Buffer;
    this.#cipher = new CipherState(key as Buffer);
  }

  mixKeyAndHash(material: Uint8Array): void {
    const [chainingKey, hashed, key] = this.#derive(material, 3);
    this.#chainingKey = chainingKey as Buffer;
    this.mixHash(hashed as Buffer);
    this.#cipher = new CipherState(key as Buffer);
  }

  encrypt(plaintext: Uint8Array): Buffer {
    const sealed = this.#cipher?.seal(plaintext, this.hash) ?? Buffer.from(plaintext);
    this.mixHash(sealed);
    return sealed;
  }

  decrypt(sealed: Buffer): Buffer | null {
    const plaintext = this.#cipher === null ? sealed : this.#cipher.open(sealed, this.hash);
    this.mixHash(sealed);
    return plaintext;
  }

  /** Keys of the client's and of the server's messages. */
  split(): readonly [Buffer, Buffer] {
    const [first, second] = this.#derive(NOTHING, 2);
    return [first as Buffer, second as Buffer];
  }

  #derive(material: Uint8Array, outputs: number): Buffer[] {
    const bytes = hkdfSync('sha256', material, this.#chainingKey, NOTHING, outputs * KEY_BYTES);
    return Array.from({ length: outputs }, (_, index) => Buffer.from(bytes, index * KEY_BYTES, KEY_BYTES));
  }
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

export interface HandshakeOptions {
  readonly pattern: PatternName;
  readonly prologue: Uint8Array;
  /** 32 bytes; of patterns with `psk`. */
  readonly psk?: Uint8Array | undefined;
  /** The server's static key where the pattern has one: its pair at the server, the public half at the client. */
  readonly server?: KeyPair | Uint8Array | undefined;
  /** 32 bytes; by default random. Published vectors fix it. */
  readonly ephemeral?: Uint8Array | undefined;
}

/** One side of a handshake: write and read in turn, then split. A handshake in which a step has failed is of no more use. */
export class Handshake {
  readonly #options: HandshakeOptions;
  readonly #isClient: boolean;
  readonly #state: SymmetricState;
  #ephemeral: KeyPair | null = null;
  #remote: Buffer | null = null;
  #step = 0;

  constructor(side: 'client' | 'server', options: HandshakeOptions) {
    const { pattern, prologue, psk, server } = options;
    assert(!usesPsk(pattern) || psk?.length === KEY_BYTES, 'the pattern needs a psk of 32 bytes');
    this.#options = options;
    this.#isClient = side === 'client';
    this.#state = new SymmetricState(`Noise_${pattern}_25519_ChaChaPoly_SHA256`);
    this.#state.mixHash(prologue);
    if (!patterns[pattern].serverKey) return;
    assert(server !== undefined, 'the pattern needs the key of the server');
    this.#state.mixHash('public' in server ? server.public : server);
  }

  /** Null: the other side has sent a point of low order. */
  write(payload: Uint8Array): Buffer | null {
    const parts: Buffer[] = [];
    for (const token of this.#tokens()) {
      if (token === 'e') parts.push(this.#writeEphemeral());
      else if (!this.#mix(token)) return null;
    }
    return Buffer.concat([...parts, this.#state.encrypt(payload)]);
  }

  /** The payload; null: the message is not genuine. */
  read(message: Buffer): Buffer | null {
    let rest = message;
    for (const token of this.#tokens()) {
      if (token === 'e') {
        if (rest.length < KEY_BYTES) return null;
        this.#readEphemeral(rest.subarray(0, KEY_BYTES));
        rest = rest.subarray(KEY_BYTES);
      } else if (!this.#mix(token)) return null;
    }
    return this.#state.decrypt(rest);
  }

  /** After the last message. */
  split(): { readonly send: Buffer; readonly receive: Buffer } {
    const [up, down] = this.#state.split();
    return this.#isClient ? { send: up, receive: down } : { send: down, receive: up };
  }

  /** Of all that was said; both sides have the same, and no other handshake has it. */
  get hash(): Buffer {
    return this.#state.hash;
  }

  #tokens(): readonly Token[] {
    const tokens = patterns[this.#options.pattern].messages[this.#step];
    assert(tokens !== undefined, 'the handshake has no more messages');
    this.#step += 1;
    return tokens;
  }

  #writeEphemeral(): Buffer {
    this.#ephemeral = keyPairOf(this.#options.ephemeral ?? randomSecret());
    this.#mixEphemeral(this.#ephemeral.public);
    return this.#ephemeral.public;
  }

  #readEphemeral(key: Buffer): void {
    this.#remote = key;
    this.#mixEphemeral(key);
  }

  /** With a psk an ephemeral key is a key too, which makes its encryption different every time (§9.2). */
  #mixEphemeral(key: Buffer): void {
    this.#state.mixHash(key);
    if (usesPsk(this.#options.pattern)) this.#state.mixKey(key);
  }

  /** False: low order. */
  #mix(token: Exclude<Token, 'e'>): boolean {
    if (token === 'psk') {
      this.#state.mixKeyAndHash(this.#options.psk as Uint8Array);
      return true;
    }
    const secret = token === 'ee' ? this.#agree(this.#ephemeral, this.#remote) : this.#agreeWithServer();
    if (secret !== null) this.#state.mixKey(secret);
    return secret !== null;
  }

  /** Between the client's ephemeral key and the server's static one. */
  #agreeWithServer(): Buffer | null {
    const { server } = this.#options;
    if (server === undefined) return null;
    if (this.#isClient) return this.#agree(this.#ephemeral, 'public' in server ? server.public : server);
    assert('public' in server, 'the server needs its own pair');
    return this.#agree(server, this.#remote);
  }

  #agree(own: KeyPair | null, other: Uint8Array | null): Buffer | null {
    assert(own !== null && other !== null);
    return sharedSecret(own.private, other);
  }
}
