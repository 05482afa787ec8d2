/** CoAP: a request over UDP; over TCP the settings that open every connection. */
import type { Facts, FactsAnswer } from '../model/facts.js';
import type { Confirmation, Protocol, Recognizer } from '../model/protocol.js';
import { asBuffer, Cursor } from './cursor.js';

/** RFC 7252 section 3: version, type and token length; code; message id. */
const headerBytes = 4;
const tokenLengthMask = 0x0f;
const payloadMarker = 0xff;

/** RFC 7252 section 12.1.1 and RFC 8132 section 2, by code. */
const methods = ['', 'GET', 'POST', 'PUT', 'DELETE', 'FETCH', 'PATCH', 'iPATCH'] as const;

const uriHost = 3;
const uriPath = 11;
/** IANA's option numbers: a request with another one comes from no client that is in use. */
const requestOptions: ReadonlySet<number> = new Set(
  '1 3 4 5 6 7 8 9 11 12 14 15 16 17 19 20 23 27 28 31 35 39 60 252 258 292'.split(' ').map(Number),
);

const datagram: Recognizer = {
  // A request with or without acknowledgement, a token of at most 8 bytes, a method.
  signature: { patterns: ['^[\\x40-\\x48\\x50-\\x58][\\x01-\\x07][^]{2}'] },
  confirm: (bytes): Confirmation => ({ verdict: requestFacts(bytes) === null ? 'no' : 'match' }),
  facts: (bytes): FactsAnswer => {
    const facts = requestFacts(bytes);
    return facts === null ? { verdict: 'broken', facts: {} } : { verdict: 'facts', facts };
  },
};

export const coap: Protocol = {
  id: 'coap',
  transports: ['tcp', 'udp'],
  rank: 40,
  // Length, no token, code 7.01; then one of the settings that there are.
  signature: {
    patterns: [
      '^(?:[\\x10\\x20\\x30\\x40\\x50\\x60\\x70\\x80\\x90\\xa0\\xb0\\xc0]|\\xd0[^])\\xe1[\\x20-\\x24\\x40\\x60-\\x63]',
    ],
  },
  confirm: confirmSettings,
  datagram,
  factNames: ['method', 'path', 'host'],
  words: 'UDP: a request whose options are registered and add up; TCP: capabilities and settings (code 7.01)',
  source: 'RFC 7252 section 3, RFC 8323 sections 3.2 and 5.3',
};

/** RFC 8323 section 3.2: the options fill the announced length. */
function confirmSettings(bytes: Uint8Array): Confirmation {
  const cursor = new Cursor(asBuffer(bytes));
  const length = extended(cursor, cursor.u8() >> 4);
  cursor.skip(1); // code
  if (cursor.left < length) return { verdict: 'more', bytesNeeded: bytes.length + length - cursor.left };
  const options = readOptions(cursor.sub(length));
  return { verdict: options === null ? 'no' : 'match' };
}

/** What is asked for, and of whom; null when the datagram is no request. */
function requestFacts(bytes: Uint8Array): Facts | null {
  const [first = 0, code = 0] = bytes;
  const cursor = new Cursor(asBuffer(bytes), headerBytes);
  if (!cursor.skip(first & tokenLengthMask)) return null;
  const options = readOptions(cursor);
  if (options === null || !options.every(({ number }) => requestOptions.has(number))) return null;
  const path = options.filter(({ number }) => number === uriPath).map(({ value }) => `/${value}`);
  const facts: Facts = { method: methods[code] ?? '', path: path.join('') || '/' };
  const host = options.find(({ number }) => number === uriHost);
  if (host) facts.host = host.value.toLowerCase();
  return facts;
}

interface Option {
  readonly number: number;
  readonly value: string;
}

/** RFC 7252 section 3.1, up to a payload or the end; null when they do not add up. */
function readOptions(cursor: Cursor): Option[] | null {
  const options: Option[] = [];
  let number = 0;
  while (cursor.left > 0) {
    const head = cursor.u8();
    if (head === payloadMarker) return cursor.left > 0 ? options : null;
    number += extended(cursor, head >> 4);
    const value = cursor.latin1(extended(cursor, head & 0x0f));
    if (cursor.overrun || number > 0xffff) return null;
    options.push({ number, value });
  }
  return options;
}

/** RFC 7252 section 3.1: 13 and 14 announce one or two bytes more, 15 is reserved. */
function extended(cursor: Cursor, nibble: number): number {
  if (nibble === 13) return 13 + cursor.u8();
  if (nibble === 14) return 269 + cursor.u16();
  return nibble === 15 ? Number.POSITIVE_INFINITY : nibble;
}
