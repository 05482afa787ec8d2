/** MySQL and MariaDB: the client's answer to the server's greeting, or its request for TLS. */
import type { Protocol } from '../model/protocol.js';
import { bytesWhere } from './byte-class.js';

/** CLIENT_PROTOCOL_41, which every client since 4.1 sets. */
const withProtocol41 = bytesWhere((byte) => (byte & 0x02) !== 0);

/** The length's second byte, sequence number 1, capabilities, packet size, character set, zeros. */
const header = `[^]\\x00\\x01[^]${withProtocol41}[^]{2}[^]{4}[^]\\x00{19}`;

/** Nobody's name is empty, nor is there a password: something else follows, or this is not MySQL but NRPE. */
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
