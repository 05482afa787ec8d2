/**
 * Whether somebody is the user that he says he is. One for each worker, whatever Plans come; who is a user is the Plan's.
 *
 * A name that nobody has costs what a wrong password does, and hashes are compared in constant time.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { sourceKey } from '../../base/network.js';
import type { ProxyUser } from '../../model/connect-proxy.js';
import { Brakes } from './brakes.js';
import { type Derive, deriveKey } from './scrypt.js';
import type { UserTable } from './table.js';
import { Turnstile } from './turnstile.js';
import { Verified } from './verified.js';

export const gateLimits = {
  /** Computations in a worker, each with the memory that its hash says. libuv has four threads, names need one too. */
  atOnce: 2,
  /** Guesses that are not judged yet. */
  ofSourceMax: 16,
  inAllMax: 64,
  /** The longest wait: all of them cost most. */
  answerMsMax: 30_000,
  passwordBytesMax: 1024,
} as const;

export interface Credentials {
  readonly name: string;
  readonly password: Uint8Array;
}

export type Judgement =
  | { readonly verdict: 'user'; readonly user: ProxyUser }
  | { readonly verdict: 'wrong' }
  /** Its source has guessed wrong too often and has to wait: it was not looked at. */
  | { readonly verdict: 'braked'; readonly waitMs: number }
  /** Too many guesses wait: it was not looked at. */
  | { readonly verdict: 'busy' };

export interface GateParts {
  readonly nowMs: () => number;
  readonly derive?: Derive;
}

interface Guess {
  readonly user: ProxyUser | undefined;
  /** Of name, password and the user's hash. */
  readonly digest: string;
  readonly source: string;
}

const WRONG: Judgement = { verdict: 'wrong' };
const BUSY: Judgement = { verdict: 'busy' };
const NO_PASSWORD = Buffer.alloc(0);
const SECRET_BYTES = 32;

export class UserGate {
  readonly #nowMs: () => number;
  readonly #derive: Derive;
  /** Memory has neither passwords nor what could be guessed against. */
  readonly #secret = randomBytes(SECRET_BYTES);
  readonly #verified = new Verified();
  readonly #brakes = new Brakes();
  readonly #turnstile = new Turnstile(gateLimits);

  constructor({ nowMs, derive = deriveKey }: GateParts) {
    this.#nowMs = nowMs;
    this.#derive = derive;
  }

  /** At once where nothing has to be computed; the promise never rejects. `source`: its address, empty on Unix sockets. */
  verify(users: UserTable, who: Credentials, source: string): Judgement | Promise<Judgement> {
    if (who.password.length > gateLimits.passwordBytesMax) return WRONG;
    const user = users.find(who.name);
    const digest = this.#digestOf(who, user?.hash ?? '').toString('base64');
    const guess = { user, digest, source: sourceKey(source) };
    const known = this.#known(guess);
    if (known !== null) return known;
    if (this.#turnstile.isFull(guess.source)) return BUSY;
    // The bytes may be the engine's, which are others in the next turn.
    const password = Buffer.from(who.password);
    return this.#turnstile
      .run(guess.source, async () => this.#known(guess) ?? this.#judge(users, who.name, password, guess))
      .finally(() => password.fill(0));
  }

  /** What needs no computation. The brakes come last: whoever shares a source with a guesser goes on. */
  #known({ user, digest, source }: Guess): Judgement | null {
    const nowMs = this.#nowMs();
    if (user !== undefined && this.#verified.has(digest, nowMs)) return { verdict: 'user', user };
    if (this.#brakes.wasLast(source, digest)) return WRONG;
    const waitMs = this.#brakes.waitMs(source, nowMs);
    return waitMs > 0 ? { verdict: 'braked', waitMs } : null;
  }

  async #judge(users: UserTable, name: string, password: Buffer, guess: Guess): Promise<Judgement> {
    const { user, digest, source } = guess;
    const known =
      user === undefined
        ? users.strangerOf(this.#digestOf({ name, password: NO_PASSWORD }, ''))
        : users.hashOf(user);
    const derived = await this.#derive(password, known.salt, known, known.hash.length).catch(() => null);
    if (derived === null) return BUSY; // memory is short
    const isRight = timingSafeEqual(derived, known.hash);
    if (!isRight || user === undefined) {
      this.#brakes.wrong(source, digest, this.#nowMs());
      return WRONG;
    }
    this.#verified.add(digest, this.#nowMs());
    return { verdict: 'user', user };
  }

  /** Lengths first: no two have one text. With the hash, so that another password of the user is not what was verified. */
  #digestOf({ name, password }: Credentials, hash: string): Buffer {
    const hmac = createHmac('sha256', this.#secret);
    return hmac.update(`${hash.length} ${name.length} ${hash} ${name} `).update(password).digest();
  }
}
