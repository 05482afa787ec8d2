/**
 * STUN and TURN: a request or indication, over TCP also in ICE framing. Datagrams may have the classic form without
 * magic cookie.
 */
import type { Confirmation, Protocol } from '../model/protocol.js';
import { bytesWhere } from './byte-class.js';
import { match, no } from './confirmation.js';
import { asBuffer, Cursor } from './cursor.js';

const headerBytes = 20;
const cookie = '\\x21\\x12\\xa4\\x42';
const magicCookie = 0x2112a442;
/** Attributes are padded to 4 bytes, so the length is a multiple of 4. */
const length = `[^]${bytesWhere((byte) => byte % 4 === 0)}`;
/** Methods below 16, request or indication: RFC 8489 defines one, TURN (RFC 8656, 6062) eight. */
const type = '\\x00[\\x01-\\x0f\\x11-\\x1f]';

/** RFC 4571 section 2: 16-bit length, then the message; connectivity checks are well below 256 bytes. */
const framed = `\\x00[\\x14-\\xff]${type}\\x00[^]`;

export const stun: Protocol = {
  id: 'stun',
  transports: ['tcp', 'udp'],
  rank: 10,
  signature: {
    patterns: [`^${type}${length}${cookie}`, `^${framed}${cookie}`],
  },
  datagram: {
    signature: {
      patterns: [
        // The length is not constrained: some clients exclude padding from it, and the cookie is certain enough.
        `^${type}[^]{2}${cookie}`,
        // RFC 3489 section 11.1: a binding request without cookie; its transaction id is arbitrary.
        `^\\x00\\x01${length}`,
      ],
      checks: ['total == u16be(2) + 20'],
    },
    confirm: confirmDatagram,
  },
  words:
    'a request or indication, LENGTH, magic cookie 2112A442, perhaps in a frame; as a datagram also without cookie',
  source: 'RFC 8489 section 5, RFC 8656, RFC 4571 and 6544, RFC 3489 section 11',
};

/** Without a cookie the attributes must add up to the length. */
export function confirmDatagram(bytes: Uint8Array): Confirmation {
  if (bytes.length < headerBytes) return no;
  const message = asBuffer(bytes);
  if (message.readUInt32BE(4) === magicCookie) return match;
  const attributes = new Cursor(message, headerBytes);
  while (attributes.left > 0) {
    attributes.skip(2);
    const valueBytes = attributes.u16();
    attributes.skip(Math.ceil(valueBytes / 4) * 4);
  }
  return attributes.overrun ? no : match;
}
