/**
 * Calls to etcd (v3) by its JSON gateway: keys, transactions, leases, watches. With a user it logs in when it first has
 * to, and again when its token is no longer taken. Every call has a deadline; every failure is an EtcdFailure.
 */
import { visible } from '../../base/text.js';
import { EtcdFailure, isOfLogin } from './failure.js';
import { type Call, Transport, type TransportOptions } from './transport.js';
import {
  encoded,
  idIn,
  type Json,
  type Listing,
  listIn,
  listingIn,
  numberIn,
  objectIn,
  rangeOf,
  revisionIn,
  type WatchMessage,
  watchMessageIn,
} from './wire.js';

export const clientLimits = {
  /** After a log-in that etcd has refused, before the next: it computes a slow hash for each. */
  logInMs: 2000,
} as const;

export interface EtcdOptions extends TransportOptions {
  readonly user?: { readonly name: string; readonly password: string };
}

export interface Lease {
  /** An int64 as text. */
  readonly id: string;
  /** What etcd has granted, which may be more than what was asked for. */
  readonly ttlS: number;
}

/** What must hold for a transaction. */
export type Comparison =
  | { readonly key: string; readonly exists: false }
  | { readonly key: string; readonly modRevision: number };

export type Operation =
  | { readonly put: string; readonly value: string | Uint8Array; readonly lease?: string }
  | { readonly delete: string }
  | { readonly get: string };

export interface Transacted {
  /** All comparisons held, and `success` was done; else `failure` was. */
  readonly succeeded: boolean;
  readonly revision: number;
  /** What each `get` of what was done has found, in order. */
  readonly found: readonly Listing[];
}

export interface Watch {
  /** @throws EtcdFailure when it is cut; ends when it is closed or canceled, or its member stops in order. */
  readonly messages: AsyncIterable<WatchMessage>;
  /** Idempotent. */
  close(): void;
}

export class EtcdClient {
  readonly #transport: Transport;
  readonly #user: EtcdOptions['user'];
  #token: string | undefined;
  /** The log-in under way, which all calls share. */
  #loggingIn: Promise<string> | null = null;
  /** What etcd has said to the last log-in; null: it has given a token. */
  #refused: { readonly failure: EtcdFailure; readonly atMs: number } | null = null;

  constructor({ user, ...options }: EtcdOptions) {
    this.#transport = new Transport(options);
    this.#user = user;
  }

  async get(key: string): Promise<Listing> {
    return listingIn(await this.#call('/v3/kv/range', { key: encoded(key) }, `read ${key}`));
  }

  /** Keys with this prefix in their order, at most `limit`; as the majority knows them, not only the one that is asked. */
  async list(prefix: string, limit: number): Promise<Listing> {
    return listingIn(
      await this.#call('/v3/kv/range', { ...rangeOf(prefix), limit: String(limit) }, `read ${prefix}`),
    );
  }

  /** The store's revision after it. */
  async put(key: string, value: string | Uint8Array, lease?: string): Promise<number> {
    return revisionIn(await this.#call('/v3/kv/put', putOf({ put: key, value, lease }), `write ${key}`));
  }

  /** How many keys there were. */
  async delete(key: string): Promise<number> {
    return numberIn((await this.#call('/v3/kv/deleterange', { key: encoded(key) }, `write ${key}`)).deleted);
  }

  /** How many keys there were. */
  async deletePrefix(prefix: string): Promise<number> {
    return numberIn((await this.#call('/v3/kv/deleterange', rangeOf(prefix), `write ${prefix}`)).deleted);
  }

  /** Never sent twice: after a failure of kind `late` or `unreachable` it may have been done. */
  async transact(
    compare: readonly Comparison[],
    success: readonly Operation[],
    failure: readonly Operation[] = [],
  ): Promise<Transacted> {
    const body = {
      compare: compare.map(comparisonOf),
      success: success.map(operationOf),
      failure: failure.map(operationOf),
    };
    const answer = await this.#call('/v3/kv/txn', body, `write ${compare[0]?.key ?? 'keys'}`, false);
    const found = listIn(answer.responses)
      .map((response) => objectIn(response).response_range)
      .filter((range) => range !== undefined)
      .map((range) => listingIn(objectIn(range)));
    return { succeeded: answer.succeeded === true, revision: revisionIn(answer), found };
  }

  async grant(ttlS: number): Promise<Lease> {
    const answer = await this.#call('/v3/lease/grant', { TTL: String(ttlS) }, 'take leases');
    return { id: idIn(answer.ID), ttlS: numberIn(answer.TTL) };
  }

  /** Seconds it lives from now; null: it has expired or been revoked. */
  async keepAlive(lease: string): Promise<number | null> {
    const answer = await this.#call('/v3/lease/keepalive', { ID: lease }, 'take leases');
    // A stream of one answer, so what it says is in `result`; a lease that is gone has no TTL.
    const ttlS = numberIn(objectIn(answer.result).TTL);
    return ttlS > 0 ? ttlS : null;
  }

  /** Null: it is gone. */
  async timeToLive(lease: string): Promise<{ readonly leftS: number; readonly grantedS: number } | null> {
    const answer = await this.#call('/v3/lease/timetolive', { ID: lease }, 'ask for leases');
    const leftS = numberIn(answer.TTL);
    return leftS < 0 ? null : { leftS, grantedS: numberIn(answer.grantedTTL) };
  }

  /** Deletes what is under it. A lease that is gone is as good as revoked. */
  async revoke(lease: string): Promise<void> {
    try {
      await this.#call('/v3/lease/revoke', { ID: lease }, 'end leases');
    } catch (error) {
      if (!(error instanceof EtcdFailure) || error.kind !== 'missing') throw error;
    }
  }

  /** Changes of keys with this prefix, from this revision on. Resolves when etcd has taken it. */
  async watch(prefix: string, startRevision: number): Promise<Watch> {
    const create = { ...rangeOf(prefix), start_revision: String(startRevision), progress_notify: true };
    const path = '/v3/watch';
    const ask = (token: Call['token']) =>
      this.#transport.stream({ path, body: { create_request: create }, token, isRepeatable: true });
    const { messages, close } = await this.#loggedIn(ask, `read ${prefix}`);
    return { messages: this.#watched(messages, close), close };
  }

  /** Calls that wait fail, watches end. */
  close(): void {
    this.#transport.close();
  }

  /** `what`: what the user must be allowed to. */
  #call(path: string, body: Json, what: string, isRepeatable = true): Promise<Json> {
    return this.#loggedIn((token) => this.#transport.call({ path, body, token, isRepeatable }), what);
  }

  /** Tokens end with time, with a restart of etcd, and with a change of users. */
  async #loggedIn<Answer>(ask: (token: Call['token']) => Promise<Answer>, what: string): Promise<Answer> {
    const token = this.#user && (this.#token ?? (await this.#logIn()));
    try {
      return await ask(token);
    } catch (error) {
      if (!(error instanceof EtcdFailure)) throw error;
      if (error.kind === 'denied') throw this.#denied(error, what);
      if (error.kind !== 'login' || token === undefined) throw error;
      this.#forget(token);
      return ask(this.#token ?? (await this.#logIn()));
    }
  }

  #denied({ message }: EtcdFailure, what: string): EtcdFailure {
    const user = this.#user === undefined ? 'who does not log in' : `user \`${this.#user.name}\``;
    return new EtcdFailure('denied', `${message}: ${user} may not ${visible(what)}: grant it by a role`);
  }

  /** Another call may have got a new one meanwhile. */
  #forget(token: string | undefined): void {
    if (this.#token === token) this.#token = undefined;
  }

  #logIn(): Promise<string> {
    if (this.#refused !== null && performance.now() - this.#refused.atMs < clientLimits.logInMs)
      return Promise.reject(this.#refused.failure);
    this.#loggingIn ??= this.#authenticate().finally(() => {
      this.#loggingIn = null;
    });
    return this.#loggingIn;
  }

  async #authenticate(): Promise<string> {
    const path = '/v3/auth/authenticate';
    const body = { name: this.#user?.name, password: this.#user?.password };
    this.#refused = null;
    try {
      const { token } = await this.#transport.call({ path, body, isRepeatable: true });
      if (typeof token !== 'string') throw new EtcdFailure('refused', 'etcd: a log-in without a token');
      this.#token = token;
      return token;
    } catch (error) {
      if (error instanceof EtcdFailure && error.kind === 'login')
        this.#refused = { failure: error, atMs: performance.now() };
      throw error;
    }
  }

  /** Ends with the message that says that it is canceled. A token that has ended is no news: the next watch has another. */
  async *#watched(messages: AsyncIterable<Json>, close: () => void): AsyncGenerator<WatchMessage> {
    const token = this.#token;
    try {
      for await (const each of messages) {
        const message = watchMessageIn(each);
        if (message.type === 'canceled' && isOfLogin(message.reason)) return this.#forget(token);
        yield message;
        if (message.type === 'canceled') return;
      }
    } finally {
      close();
    }
  }
}

const putOf = ({
  put,
  value,
  lease,
}: {
  put: string;
  value: string | Uint8Array;
  lease?: string | undefined;
}) => ({
  key: encoded(put),
  value: encoded(value),
  ...(lease === undefined ? {} : { lease }),
});

function operationOf(operation: Operation): Json {
  if ('put' in operation) return { request_put: putOf(operation) };
  if ('delete' in operation) return { request_delete_range: { key: encoded(operation.delete) } };
  return { request_range: { key: encoded(operation.get) } };
}

function comparisonOf(comparison: Comparison): Json {
  const key = encoded(comparison.key);
  return 'exists' in comparison
    ? { key, target: 'CREATE', result: 'EQUAL', create_revision: '0' }
    : { key, target: 'MOD', result: 'EQUAL', mod_revision: String(comparison.modRevision) };
}
