/** Reliable UDP for a program: sockets over links, without a daemon. Options are checked as those of a file are. */

import { lookup } from 'node:dns/promises';
import { EventEmitter } from 'node:events';
import type { Native } from '../addon.js';
import { parseListen } from '../base/address.js';
import { parseDuration } from '../base/duration.js';
import type { Endpoint } from '../kcp/endpoint.js';
import { KcpError } from '../kcp/error.js';
import { Refusals, refusalWords } from '../kcp/refusals.js';
import type { KcpSocket } from '../kcp/socket.js';
import type { InetAddress } from '../model/address.js';
import type { NoiseProfile } from '../model/kcp.js';
import { documentOf } from './document.js';
import { AnyportError, invalidConfig } from './error.js';
import { type Lines, linesTo } from './logger.js';
import { check, configProblem, loadAddon } from './open.js';
import type { Duration, KcpProfileOptions, LibraryLogger } from './options.js';

/** Of both ends of a connection; what they mean is in docs/configuration.md under `kcp`, in the file's spelling. */
export interface KcpOptions extends Omit<KcpProfileOptions, 'wire' | 'kcptun'> {
  /** Like net.Socket's: whether an end of the other side leaves this one open. Default: false. */
  readonly allowHalfOpen?: boolean;
  /** Takes log lines: with `statusLog` one about each connection every so often, and refused clients at a server. */
  readonly logger?: LibraryLogger;
  /** Base of a relative `privateKeyFile`. Default: the working directory. */
  readonly directory?: string;
}

export interface KcpConnectOptions extends KcpOptions {
  readonly host: string;
  readonly port: number;
  /** How long to try. Default: 5 s. */
  readonly timeout?: Duration;
}

/** How `close` treats connections: with `drain` they have so long to end by themselves. */
export interface KcpCloseOptions {
  readonly drain?: Duration;
}

/** Emits 'close' when it is closed. */
export interface KcpServer extends EventEmitter {
  /**
   * `4000`, `:4000`, `127.0.0.1:0`, `[::1]:4000`. Resolves with the address it has. Rejects with an AnyportError:
   * `invalid_config`, `listen_failed`, `unsupported`, `closed`.
   */
  listen(address: string | number): Promise<{ readonly host: string; readonly port: number }>;
  /** Connections that are open. */
  readonly sockets: readonly KcpSocket[];
  /** Takes no new connections, ends those there are, and gives everything back. */
  close(options?: KcpCloseOptions): Promise<void>;
}

const CONNECT_MS = 5000;
const NAME = 'options';

/** A server of reliable UDP; `onSocket` is called with each connection, once its client has proven that it knows the secret. */
export function createKcpServer(options: KcpOptions, onSocket: (socket: KcpSocket) => void): KcpServer {
  return new Server(options, onSocket);
}

/**
 * Connects to a server of reliable UDP. Rejects with a KcpError (`connect_timeout`, `connect_failed`) or an AnyportError
 * (`invalid_config`, `unsupported`).
 */
export async function connectKcp(options: KcpConnectOptions): Promise<KcpSocket> {
  const { host, port, timeout = CONNECT_MS, allowHalfOpen = false, logger, ...rest } = options;
  const timeoutMs = durationOf('timeout', timeout);
  const profile = await profileOf(rest);
  const address = await addressOf(host, port);
  const lines = linesTo(logger, 'info');
  const endpoint = await openEndpoint({ side: 'client', profile, allowHalfOpen }, () => {}, lines);
  try {
    const socket = await endpoint.connect(address, timeoutMs);
    const stop = logStatus(endpoint, profile, lines);
    socket.once('close', () => {
      stop();
      endpoint.closeNow();
    });
    return socket;
  } catch (error) {
    endpoint.closeNow();
    throw error;
  }
}

class Server extends EventEmitter implements KcpServer {
  readonly #options: KcpOptions;
  readonly #onSocket: (socket: KcpSocket) => void;
  readonly #lines: Lines;
  #endpoint: Endpoint | null = null;
  #stopStatus = () => {};
  #closing: Promise<void> | null = null;

  constructor(options: KcpOptions, onSocket: (socket: KcpSocket) => void) {
    super();
    this.#options = options;
    this.#onSocket = onSocket;
    this.#lines = linesTo(options.logger, 'info');
  }

  async listen(address: string | number): Promise<InetAddress> {
    const at = listenAddress(address);
    const { allowHalfOpen = false, logger: _, ...rest } = this.#options;
    const profile = await profileOf(rest);
    if (this.#endpoint !== null) throw new AnyportError('listen_failed', 'this server listens already');
    const parts = { side: 'server' as const, profile, allowHalfOpen };
    const endpoint = await openEndpoint(parts, this.#onSocket, this.#lines);
    try {
      if (this.#closing !== null) throw new AnyportError('closed', 'this server is closed');
      const bound = endpoint.bind(at);
      this.#endpoint = endpoint;
      this.#stopStatus = logStatus(endpoint, profile, this.#lines);
      return bound;
    } catch (cause) {
      endpoint.closeNow();
      if (cause instanceof AnyportError) throw cause;
      throw new AnyportError('listen_failed', `${String(address)}: ${messageOf(cause)}`, { cause });
    }
  }

  get sockets(): readonly KcpSocket[] {
    return this.#endpoint === null ? [] : [...this.#endpoint.sockets];
  }

  close(options: KcpCloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(durationOf('drain', options.drain ?? 0));
    return this.#closing;
  }

  async #close(drainMs: number): Promise<void> {
    const endpoint = this.#endpoint;
    if (endpoint !== null && drainMs > 0) await endpoint.drain(drainMs);
    await endpoint?.close();
    this.#stopStatus();
    this.emit('close');
  }
}

// ---- options

type ProfileOptions = Omit<KcpOptions, 'allowHalfOpen' | 'logger'>;

/** Secrets are stretched on the reader's thread, for some 60 ms: programs that connect again and again wait once. */
const PROFILES_MAX = 16;
const profiles = new Map<string, Promise<NoiseProfile>>();

function profileOf(options: ProfileOptions): Promise<NoiseProfile> {
  const key = JSON.stringify(options);
  const known = profiles.get(key);
  if (known !== undefined) return known;
  const profile = readProfile(options);
  profiles.set(key, profile);
  profile.catch(() => profiles.delete(key));
  const [oldest] = profiles.keys();
  if (profiles.size > PROFILES_MAX && oldest !== undefined) profiles.delete(oldest);
  return profile;
}

async function readProfile({ directory = process.cwd(), ...options }: ProfileOptions): Promise<NoiseProfile> {
  const listeners = [{ name: NAME, address: ':0' }];
  const document = documentOf({ kcp: { [NAME]: options }, listeners } as never, null);
  const loaded = await check(document, { directory, locals: null, logs: true });
  if (!loaded.ok) throw invalidConfig(loaded.problems.map(configProblem).map(unprefixed));
  const profile = loaded.config.kcp.find(({ name }) => name === NAME);
  if (profile?.security.wire !== 'anyport')
    throw new AnyportError('invalid_config', '`wire` is for the daemon');
  return profile as NoiseProfile;
}

const PREFIX = `kcp.${NAME}`;

/** The caller has written the profile alone. */
const unprefixed = ({ path, message }: { readonly path: string; readonly message: string }) => ({
  path: path.startsWith(PREFIX) ? path.slice(PREFIX.length).replace(/^\./, '') : path,
  message,
});

function durationOf(path: string, value: Duration): number {
  const ms = typeof value === 'number' ? value : parseDuration(value);
  if (ms !== null && Number.isFinite(ms) && ms >= 0) return Math.round(ms);
  throw invalidConfig([{ path, message: `expected a duration such as \`5s\`, got \`${value}\`` }]);
}

function listenAddress(address: string | number): InetAddress {
  const found = parseListen(typeof address === 'number' ? `:${address}` : address);
  const [first] = found ?? [];
  if (found?.length === 1 && first?.kind === 'inet') return { host: first.host, port: first.port };
  const message = `expected one UDP address such as \`:4000\` or \`127.0.0.1:4000\`, got \`${address}\``;
  throw invalidConfig([{ path: 'listen', message }]);
}

async function addressOf(host: string, port: number): Promise<InetAddress> {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw invalidConfig([{ path: 'port', message: `expected 1 to 65535, got \`${port}\`` }]);
  try {
    const { address } = await lookup(host);
    return { host: address, port };
  } catch (cause) {
    throw new KcpError('connect_failed', `${host}: ${messageOf(cause)}`, { cause });
  }
}

// ---- endpoints

async function openEndpoint(
  parts: {
    readonly side: 'client' | 'server';
    readonly profile: NoiseProfile;
    readonly allowHalfOpen: boolean;
  },
  onSocket: (socket: KcpSocket) => void,
  { log }: Lines,
): Promise<Endpoint> {
  const native: Native = await loadAddon();
  const { Endpoint } = await import('../kcp/endpoint.js');
  const refusals = new Refusals();
  return new Endpoint({
    ...parts,
    native,
    onSocket,
    onRefused(refusal, { host }) {
      if (!refusals.isNews(host, Date.now())) return;
      log.warn({ source: host, refusal, why: refusalWords[refusal] }, 'kcp: client refused');
    },
  });
}

/** A line about each connection, as `status_log` of the daemon. Returns what ends it. */
function logStatus(endpoint: Endpoint, { statusLogMs }: NoiseProfile, { log }: Lines): () => void {
  if (statusLogMs === 0) return () => {};
  const timer = setInterval(() => {
    for (const { link, ...figures } of endpoint.links())
      log.info({ session: endpoint.sessionOf(link), ...figures }, 'kcp link');
  }, statusLogMs);
  timer.unref();
  return () => clearInterval(timer);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
