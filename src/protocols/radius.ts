/** RADIUS: a request of a network access server (NAS). */
import type { FactsAnswer } from '../model/facts.js';
import type { Confirmation, Protocol } from '../model/protocol.js';
import { asBuffer, Cursor } from './cursor.js';

const headerBytes = 20;
const userName = 1;
const attributeHeaderBytes = 2;

export const radius: Protocol = {
  id: 'radius',
  transports: ['udp'],
  rank: 40,
  signature: {
    patterns: ['^[\\x01\\x04\\x0c\\x28\\x2b][^][\\x00-\\x10][^]'],
    checks: ['u16be(2) == total', 'total >= 20', 'total <= 4096'],
  },
  confirm: (bytes): Confirmation => ({ verdict: userOf(bytes) === null ? 'no' : 'match' }),
  factNames: ['user'],
  words: 'a request (code 1, 4, 12, 40 or 43) whose length and attributes add up to the datagram',
  source: 'RFC 2865 section 3, RFC 2866, RFC 5176, RFC 5997',
  facts: radiusFacts,
};

function radiusFacts(bytes: Uint8Array): FactsAnswer {
  const length = bytes.length < headerBytes ? headerBytes : asBuffer(bytes).readUInt16BE(2);
  if (bytes.length < length) return { verdict: 'more', bytesNeeded: length, facts: {} };
  const user = userOf(bytes.subarray(0, length));
  if (user === null) return { verdict: 'broken', facts: {} };
  return { verdict: 'facts', facts: user === '' ? {} : { user } };
}

/** User-Name, or empty; null when the attributes (RFC 2865 section 5) do not add up. */
function userOf(bytes: Uint8Array): string | null {
  const cursor = new Cursor(asBuffer(bytes), headerBytes);
  let user = '';
  while (cursor.left > 0) {
    const type = cursor.u8();
    const length = cursor.u8();
    if (type === 0 || length < attributeHeaderBytes) return null;
    const value = cursor.latin1(length - attributeHeaderBytes);
    if (type === userName) user = value;
  }
  return cursor.overrun ? null : user;
}
