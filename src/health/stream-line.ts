/** A line over TCP or a Unix socket, and TLS on it. */
import { connect, isIP, type Socket } from 'node:net';
import { createSecureContext, type SecureContext, type TLSSocket, connect as tlsConnect } from 'node:tls';
import type { SocketAddress } from '../model/address.js';
import { faultOf } from './fault.js';
import { Inbox } from './inbox.js';
import { type Line, LineFault, lineLimits, type TlsAsk, type TlsFacts, type Until } from './line.js';

/** Contexts kept for further probes: one for each set of authorities. */
const CONTEXTS_MAX = 64;

export class StreamLine implements Line {
  readonly signal: AbortSignal;
  readonly #inbox = new Inbox();
  #socket: Socket;
  #sentBytes = 0;
  readonly #onAbort = () => this.close();

  private constructor(socket: Socket, signal: AbortSignal) {
    this.#socket = socket;
    this.signal = signal;
    this.#listen(socket);
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Connected; rejects with a LineFault. */
  static open(this: void, address: SocketAddress, signal: AbortSignal, source?: string): Promise<StreamLine> {
    return new Promise((resolve, reject) => {
      const from = source === undefined ? {} : { localAddress: source };
      const socket = connect({ ...placeOf(address), ...from, allowHalfOpen: true, noDelay: true });
      const give = () => socket.destroy();
      signal.addEventListener('abort', give, { once: true });
      socket.once('error', (error) => reject(faultOf(error)));
      socket.once('close', () => reject(new LineFault('closed the connection')));
      socket.once('connect', () => {
        signal.removeEventListener('abort', give);
        socket.removeAllListeners();
        resolve(new StreamLine(socket, signal));
      });
    });
  }

  write(bytes: Uint8Array | string): void {
    this.#sentBytes += bytes.length;
    if (this.#sentBytes > lineLimits.sentBytesMax)
      throw new LineFault(`the check sends more than ${lineLimits.sentBytesMax} bytes`);
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  read(until: Until): Promise<Buffer> {
    this.#flow();
    return this.#inbox.read(until);
  }

  /** The conversation that has led to the endpoint is over: limits count from here. */
  begin(): void {
    this.#sentBytes = 0;
    this.#inbox.begin();
  }

  startTls(ask: TlsAsk): Promise<TlsFacts> {
    // Clear text that claims to be from behind the handshake (CVE-2011-0411).
    if (!this.#inbox.isEmpty) return Promise.reject(new LineFault('sent clear text before the handshake'));
    const plain = this.#socket;
    plain.removeAllListeners();
    plain.on('error', () => {}); // also reported by the TLS socket
    const name = ask.serverName;
    const secure = tlsConnect({
      socket: plain,
      host: name,
      ...(isIP(name) === 0 && { servername: name }),
      ...(ask.alpn && { ALPNProtocols: [...ask.alpn] }),
      secureContext: contextOf(ask.ca),
      rejectUnauthorized: false,
    });
    this.#socket = secure;
    this.#listen(secure);
    return new Promise((resolve, reject) => {
      secure.once('secureConnect', () => resolve(factsOf(secure)));
      secure.once('error', (error) => reject(faultOf(error)));
      secure.once('close', () => reject(new LineFault('closed the connection in the handshake')));
    });
  }

  close(): void {
    this.signal.removeEventListener('abort', this.#onAbort);
    this.#inbox.fail(new LineFault('is not asked any more'));
    this.#socket.destroy();
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.#inbox.put(chunk);
      if (this.#inbox.isFull) socket.pause();
    });
    socket.on('end', () => this.#inbox.end());
    socket.on('error', (error) => this.#inbox.fail(faultOf(error)));
    socket.on('close', () => this.#inbox.end());
    socket.pause();
  }

  /** Nothing is read before a check asks for it: the first bytes may be a handshake. */
  #flow(): void {
    if (!this.#inbox.isFull) this.#socket.resume();
  }
}

/** In the abstract namespace a name begins with NUL. */
const placeOf = (address: SocketAddress): SocketAddress =>
  'path' in address ? { path: address.path.replace(/^@/, '\0') } : address;

const contexts = new Map<string, SecureContext>();

/** Made once, because it takes a millisecond. */
function contextOf(ca = ''): SecureContext {
  const known = contexts.get(ca);
  if (known !== undefined) return known;
  if (contexts.size === CONTEXTS_MAX) contexts.clear();
  const made = createSecureContext(ca === '' ? {} : { ca });
  contexts.set(ca, made);
  return made;
}

function factsOf(secure: TLSSocket): TlsFacts {
  return {
    certificateFault: secure.authorized ? null : codeText(secure.authorizationError),
    certificate: secure.getPeerCertificate(),
    alpn: secure.alpnProtocol || null,
    version: secure.getProtocol(),
  };
}

/** A string, though typed as an Error; of an Error the message would quote the certificate. */
function codeText(error: Error | string | null): string {
  if (typeof error === 'string') return error;
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'CERT_UNTRUSTED';
}
