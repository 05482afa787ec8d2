/**
 * LDAP: the envelope of a first request. The tag behind the message id tells it from SNMP. As a datagram (CLDAP) only
 * a search, with which Windows clients locate domain controllers.
 */
import type { Confirmation, Protocol, Recognizer } from '../model/protocol.js';
import { match, more, no } from './confirmation.js';
import { asBuffer, Cursor } from './cursor.js';
import { ldapFacts, readLength } from './ldap-facts.js';

const length = '(?:[\\x00-\\x7f]|\\x81[^]|\\x82[^]{2}|\\x83[^]{3}|\\x84[^]{4})';
const messageId =
  '\\x02(?:\\x01[\\x00-\\x7f]|\\x02[\\x00-\\x7f][^]|\\x03[\\x00-\\x7f][^]{2}|\\x04[\\x00-\\x7f][^]{3})';

/** For requests without elements: empty, or a bare value. */
const anything = -1;

/** Request tag → tag of its first element. */
const requests: ReadonlyMap<number, number> = new Map([
  [0x60, 0x02], // bind: version
  [0x42, anything], // unbind
  [0x63, 0x04], // search: base
  [0x66, 0x04], // modify: entry
  [0x68, 0x04], // add: entry
  [0x4a, anything], // delete
  [0x6c, 0x04], // rename: entry
  [0x6e, 0x04], // compare: entry
  [0x50, anything], // abandon
  [0x77, 0x80], // extended: request name
]);

/** RFC 4511 section 4.5.1, plus subordinateSubtree. */
const scopesMax = 3;
const aliasesMax = 3;

const search = 0x63;
const octetString = 0x04;

/** Version 2: the user's name precedes the search (RFC 1798 section 4.1). */
const datagram: Recognizer = {
  signature: { patterns: [`^\\x30${length}${messageId}(?:\\x63${length}|\\x04[\\x00-\\x7f])`] },
  confirm: (bytes): Confirmation => ({ verdict: isSearch(asBuffer(bytes)) ? 'match' : 'no' }),
  facts: ldapFacts,
};

export const ldap: Protocol = {
  id: 'ldap',
  transports: ['tcp', 'udp'],
  rank: 40,
  signature: {
    patterns: [`^\\x30${length}${messageId}[\\x60\\x42\\x63\\x66\\x68\\x4a\\x6c\\x6e\\x50\\x77]${length}`],
  },
  confirm: confirmLdap,
  datagram,
  factNames: ['request', 'version', 'user', 'mechanism', 'base', 'entry', 'oid'],
  words:
    '30 LENGTH, 02 message id, a request (60, 63, 77 …) whose length fits; as a datagram a search (CLDAP)',
  source: 'RFC 4511 section 4.1.1, X.690, RFC 1798, MS-ADTS section 6.3.3',
  facts: ldapFacts,
};

/** The request must lie within the message and start with the right element. */
export function confirmLdap(bytes: Uint8Array): Confirmation {
  const cursor = new Cursor(asBuffer(bytes));
  cursor.skip(1);
  const messageEnd = endOf(cursor);
  cursor.skip(1);
  cursor.skip(cursor.u8());
  const first = requests.get(cursor.u8());
  const requestEnd = endOf(cursor);
  if (cursor.overrun) return more(bytes.length + 1);
  if (first === undefined || requestEnd > messageEnd) return no;
  if (first === anything) return match;
  if (requestEnd === cursor.position) return no;
  const tag = cursor.u8();
  if (cursor.overrun) return more(bytes.length + 1);
  return tag === first ? match : no;
}

/**
 * The message must fill the datagram; the request must be a search with valid scope and alias values; controls may
 * follow.
 */
function isSearch(bytes: Buffer): boolean {
  const cursor = new Cursor(bytes);
  cursor.skip(1);
  if (endOf(cursor) !== bytes.length) return false;
  cursor.skip(1);
  cursor.skip(cursor.u8()); // message id
  let tag = cursor.u8();
  if (tag === octetString) {
    cursor.skip(cursor.u8());
    tag = cursor.u8();
  }
  const end = endOf(cursor);
  if (tag !== search || end > bytes.length || cursor.u8() !== octetString) return false;
  cursor.skip(endOf(cursor) - cursor.position); // base
  return isChoice(cursor, scopesMax) && isChoice(cursor, aliasesMax) && !cursor.overrun;
}

/** A one-byte ENUMERATED. */
const isChoice = (cursor: Cursor, max: number): boolean =>
  cursor.u8() === 0x0a && cursor.u8() === 1 && cursor.u8() <= max;

/** Reads a length; returns the offset at which its value ends. */
function endOf(cursor: Cursor): number {
  const length = readLength(cursor);
  return cursor.position + length;
}
