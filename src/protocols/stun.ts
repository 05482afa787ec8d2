/** STUN and TURN: a request or an indication. As a datagram also the classic form, which has no magic cookie. */
import type { Confirmation, Protocol } from '../model/protocol.js';
import { bytesWhere } from './byte-class.js';
import { match, no } from './confirmation.js';
import { asBuffer, Cursor } from './cursor.js';

const headerBytes = 20;
const cookie = '\\x21\\x12\\xa4\\x42';
/** Attributes are padded, so is their sum. */
const length = `[^]${bytesWhere((byte) => byte % 4 === 0)}`;
/** Methods below 16, as a request or an indication: RFC 8489 has one of them, TURN (RFC 8656, 6062) eight. */
const type = '\\x00[\\x01-\\x0f\\x11-\\x1f]';

export const stun: Protocol = {
  id: 'stun',
  transports: ['tcp', 'udp'],
  rank: 10,
  signature: { patterns: [`^${type}${length}${cookie}`] },
  datagram: {
    // RFC 3489 section 11.1: a binding request whose transaction id may begin with anything.
    signature: {
      patterns: [`^${type}${length}${cookie}`, `^\\x00\\x01${length}`],
      checks: ['total == u16be(2) + 20'],
    },
    confirm: confirmDatagram,
  },
  words: 'a request or indication, LENGTH, magic cookie 2112A442; as a datagram also without cookie',
  source: 'RFC 8489 section 5, RFC 8656, RFC 3489 section 11',
};

/** Its attributes add up to its length. */
export function confirmDatagram(bytes: Uint8Array): Confirmation {
  const attributes = new Cursor(asBuffer(bytes), headerBytes);
  while (attributes.left > 0) {
    attributes.skip(2);
    const valueBytes = attributes.u16();
    attributes.skip(Math.ceil(valueBytes / 4) * 4);
  }
  return bytes.length < headerBytes || attributes.overrun ? no : match;
}
