/** NTP: a request of a client or peer, or a control query (ntpq, ntpdc). */
import type { Confirmation, Protocol } from '../model/protocol.js';
import { asBuffer } from './cursor.js';

const headerBytes = 48;
/**
 * No authenticator; a key id alone (crypto-NAK); key id with MD5, SHA-1 or SHA-256 digest (RFC 5905 section 7.3, RFC
 * 8573).
 */
const authenticatorBytes: ReadonlySet<number> = new Set([0, 4, 20, 24, 36]);
/** RFC 7822 section 3 */
const extensionBytesMin = 16;
const controlHeaderBytes = 12;
const privateHeaderBytes = 8;
const controlMode = 6;
const privateMode = 7;

/** First bytes for these modes and leap indicators, versions 1-4. */
const firstBytes = (modes: readonly number[], leaps: readonly number[]): string => {
  const bytes = leaps.flatMap((leap) =>
    [1, 2, 3, 4].flatMap((version) => modes.map((mode) => (leap << 6) | (version << 3) | mode)),
  );
  return `[${bytes.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}]`;
};

export const ntp: Protocol = {
  id: 'ntp',
  transports: ['udp'],
  rank: 40,
  signature: {
    patterns: [
      // Stratum; poll (signed); precision: unset, negative, or 32 from clients that hide it; delay and dispersion
      // well below 256 s.
      `^${firstBytes([1, 3], [0, 1, 2, 3])}[\\x00-\\x10][\\x00-\\x18\\xf0-\\xff][\\x00\\x20\\x80-\\xff][\\x00\\xff][^]{3}\\x00`,
      // Mode 6 request: opcode, sequence, status 0, association, offset 0, count.
      `^${firstBytes([controlMode], [0, 3])}[\\x01-\\x1f][^]{2}\\x00{2}[^]{2}\\x00{2}[\\x00\\x01][^]`,
      // Mode 7 request: sequence, implementation, opcode, error 0, count, size.
      `^${firstBytes([privateMode], [0])}[^][\\x00\\x02\\x03][\\x00-\\x2d]\\x00[^]\\x00[^]`,
    ],
  },
  confirm: confirmNtp,
  words: 'a client or symmetric active message of 48 bytes with extensions and digest, or a control request',
  source: 'RFC 5905 section 7.3, RFC 7822, RFC 9327',
};

/** The lengths must add up to the datagram. */
function confirmNtp(bytes: Uint8Array): Confirmation {
  const datagram = asBuffer(bytes);
  const mode = (bytes[0] ?? 0) & 0x07;
  const adds = mode === controlMode ? controlAdds : mode === privateMode ? privateAdds : extensionsAdd;
  return { verdict: adds(datagram) ? 'match' : 'no' };
}

/** RFC 7822 section 3: extension fields, then an authenticator. */
function extensionsAdd(datagram: Buffer): boolean {
  let position = headerBytes;
  while (position <= datagram.length) {
    if (authenticatorBytes.has(datagram.length - position)) return true;
    if (datagram.length - position < extensionBytesMin) return false;
    const length = datagram.readUInt16BE(position + 2);
    if (length < extensionBytesMin || length % 4 !== 0) return false;
    position += length;
  }
  return false;
}

/** RFC 9327 section 2: data padded to words, then optionally an authenticator. */
function controlAdds(datagram: Buffer): boolean {
  if (datagram.length < controlHeaderBytes) return false;
  const rest = datagram.length - controlHeaderBytes - datagram.readUInt16BE(10);
  return rest >= 0 && (rest < 4 || authenticatorBytes.has(rest - (rest % 4)));
}

/** Items of equal size, padded by ntpdc. */
function privateAdds(datagram: Buffer): boolean {
  if (datagram.length < privateHeaderBytes || datagram.length % 4 !== 0) return false;
  const [count, size] = [datagram.readUInt16BE(4) & 0x0fff, datagram.readUInt16BE(6) & 0x0fff];
  return datagram.length >= privateHeaderBytes + count * size;
}
