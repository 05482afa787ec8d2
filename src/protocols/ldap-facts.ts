/**
 * Facts of the first LDAP request: type, and the bind's user or the search's base (RFC 4511 sections 4.2, 4.5 and
 * 4.12).
 */
import type { Facts, FactsAnswer } from '../model/facts.js';
import { asBuffer, Cursor } from './cursor.js';
import { withFacts } from './with-facts.js';

/** Upper bound on the bytes read, far above the names of any request. */
const openingBytesMax = 16_384;

const octetString = 0x04;
const simple = 0x80;
const sasl = 0xa3;

interface Request {
  readonly name: string;
  readonly read?: (request: Cursor) => Facts;
}

/** By tag. */
const requests: ReadonlyMap<number, Request> = new Map([
  [0x60, { name: 'bind', read: readBind }],
  [0x42, { name: 'unbind' }],
  [0x63, { name: 'search', read: (request: Cursor) => textFact('base', readText(request)) }],
  [0x66, { name: 'modify', read: (request: Cursor) => textFact('entry', readText(request)) }],
  [0x68, { name: 'add', read: (request: Cursor) => textFact('entry', readText(request)) }],
  [0x4a, { name: 'delete' }],
  [0x6c, { name: 'rename', read: (request: Cursor) => textFact('entry', readText(request)) }],
  [0x6e, { name: 'compare', read: (request: Cursor) => textFact('entry', readText(request)) }],
  [0x50, { name: 'abandon' }],
  [0x77, { name: 'extended', read: (request: Cursor) => textFact('oid', readText(request)) }],
]);

export function ldapFacts(bytes: Uint8Array): FactsAnswer {
  const message = new Cursor(asBuffer(bytes.subarray(0, openingBytesMax)));
  message.skip(1);
  readLength(message);
  message.skip(1);
  message.skip(message.u8()); // message id
  const request = requests.get(tagBehindUser(message));
  readLength(message);
  const facts: Facts = request === undefined ? {} : { request: request.name, ...request.read?.(message) };
  if (!message.overrun) return { verdict: 'facts', facts };
  if (bytes.length >= openingBytesMax) return { verdict: 'broken', facts: {} };
  return { verdict: 'more', bytesNeeded: bytes.length + 1, facts: {} };
}

/** RFC 1798 section 4.1: in a version 2 datagram the user's name precedes the request. */
function tagBehindUser(message: Cursor): number {
  const tag = message.u8();
  if (tag !== octetString) return tag;
  message.skip(message.u8());
  return message.u8();
}

/** An empty name is an anonymous bind and gives no fact. */
function readBind(request: Cursor): Facts {
  request.skip(1);
  let version = 0;
  for (let left = request.u8(); left > 0 && !request.overrun; left--) version = version * 256 + request.u8();
  const user = readText(request);
  const choice = request.u8();
  const facts = { version: String(version), ...textFact('user', user) };
  if (choice === simple) return withFacts(facts, { mechanism: 'simple' });
  if (choice !== sasl) return facts;
  readLength(request);
  return { ...facts, ...textFact('mechanism', readText(request)) };
}

const textFact = (name: string, text: string): Facts => (text === '' ? {} : { [name]: text });

/** An OCTET STRING, also under an implicit context-specific tag. */
function readText(cursor: Cursor): string {
  const tag = cursor.u8();
  const length = readLength(cursor);
  return (tag & 0x3f) === octetString || (tag & 0xc0) === 0x80 ? cursor.utf8(length) : '';
}

/** BER length (X.690 section 8.1.3). */
export function readLength(cursor: Cursor): number {
  const first = cursor.u8();
  let length = first < 0x80 ? first : 0;
  for (let left = first - 0x80; left > 0; left--) length = length * 256 + cursor.u8();
  return length;
}
