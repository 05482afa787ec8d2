/**
 * A conversation of a probe with an endpoint that may be hostile: what it sends is bounded, and every fault is a
 * LineFault in our words.
 */
import type { PeerCertificate } from 'node:tls';

export const lineLimits = {
  /** What an endpoint may answer, all reads together. */
  answerBytesMax: 4096,
  /** What a check may send. */
  sentBytesMax: 65_536,
  /** Datagrams that wait for a read. */
  datagramsMax: 16,
} as const;

/** The endpoint did not answer as it should; the message says how. */
export class LineFault extends Error {}

/**
 * How many of the bytes are the answer, or null while more is needed. `isLast`: no more will come, because the endpoint
 * has finished or the limit is reached; null is a fault then. A datagram is judged by itself, and passed over for null.
 */
export type Until = (bytes: Buffer, isLast: boolean) => number | null;

export interface TlsAsk {
  /** Name for SNI and for the certificate; an address is only compared with the certificate. */
  readonly serverName: string;
  readonly alpn?: readonly string[];
  /** PEM; absent: the system's authorities. */
  readonly ca?: string;
}

/** What a handshake has shown. An untrusted certificate is no fault of the line: the check decides. */
export interface TlsFacts {
  /** OpenSSL's name for what is wrong with the certificate or its name (`CERT_HAS_EXPIRED`); null: nothing. */
  readonly certificateFault: string | null;
  readonly certificate: PeerCertificate;
  /** Protocol chosen; null: none. */
  readonly alpn: string | null;
  /** `TLSv1.3` */
  readonly version: string | null;
}

export interface Line {
  /** Aborted when the probe is over: too late, called off, or answered. */
  readonly signal: AbortSignal;
  /** Sends, or, over UDP, sends one datagram. Rejected bytes show in the next read. */
  write(bytes: Uint8Array | string): void;
  /** Takes the answer off what has arrived; the rest is for the next read. */
  read(until: Until): Promise<Buffer>;
  /** From here on in TLS: at the beginning, or after a STARTTLS. TCP only. */
  startTls(ask: TlsAsk): Promise<TlsFacts>;
  /** Idempotent. The caller closes, too. */
  close(): void;
}

// ---- common forms of `until`

/** So many bytes. */
export const bytesOf =
  (length: number): Until =>
  (bytes) =>
    bytes.length >= length ? length : null;

/** To the end of this text, included. */
export const through =
  (end: string): Until =>
  (bytes) => {
    const at = bytes.indexOf(end, 0, 'latin1');
    return at < 0 ? null : at + end.length;
  };

/** One line, with its line feed. */
export const aLine: Until = through('\n');

/** All that comes until the endpoint finishes or the limit is reached. */
export const everything: Until = (bytes, isLast) => (isLast ? bytes.length : null);

/** A whole datagram. */
export const anyDatagram: Until = (bytes) => bytes.length;
