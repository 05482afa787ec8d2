/** MySQL and MariaDB: the client's handshake response, or its SSLRequest. */
import type { Protocol } from '../model/protocol.js';
import { bytesWhere } from './byte-class.js';

/** Capability CLIENT_PROTOCOL_41, set by every client since 4.1. */
const withProtocol41 = bytesWhere((byte) => (byte & 0x02) !== 0);

/** Payload length (second byte), sequence number 1, capabilities, maximum packet size, character set, filler. */
const header = `[^]\\x00\\x01[^]${withProtocol41}[^]{2}[^]{4}[^]\\x00{19}`;

/** User name, or an empty one with a password or further data: otherwise NRPE would match. */
const user = '(?:[\\x20-\\xff]|\\x00(?:[\\x01-\\xff]|\\x00[\\x20-\\xff]))';

export const mysql: Protocol = {
  id: 'mysql',
  transports: ['tcp'],
  rank: 47,
  serverFirst: true,
  signature: {
    patterns: [`^\\x20${header}`, `^[^]${header}[^]{4}${user}`],
    checks: ['u16le(0) >= 32'],
  },
  words: 'LENGTH, packet 1: a handshake response or a TLS request, protocol 4.1',
  source: 'MySQL client/server protocol, HandshakeResponse41 and SSLRequest',
};
