/** CoAP: a request over UDP; the capabilities and settings message (CSM) that opens a TCP connection. */
import { isUtf8 } from 'node:buffer';
import type { Facts, FactsAnswer } from '../model/facts.js';
import type { Confirmation, Protocol, Recognizer } from '../model/protocol.js';
import { asBuffer, Cursor } from './cursor.js';

/** RFC 7252 section 3: version, type and token length; code; message id. */
const headerBytes = 4;
const tokenLengthMask = 0x0f;
const payloadMarker = 0xff;

/** RFC 7252 section 12.1.1 and RFC 8132 section 2; index: code. */
const methods = ['', 'GET', 'POST', 'PUT', 'DELETE', 'FETCH', 'PATCH', 'iPATCH'] as const;

const uriHost = 3;
const uriPath = 11;
const contentFormat = 12;

interface OptionForm {
  readonly bytes: readonly [number, number];
  /** Repeatable option. */
  readonly repeats?: true;
  readonly text?: true;
}

/**
 * IANA registry: options of requests (RFC 7252 section 5.10, 7641, 7959, 7967, 8613, 8768, 9175, 9177, 9668 and OCF).
 */
const requestOptions: ReadonlyMap<number, OptionForm> = new Map([
  [1, { bytes: [0, 8], repeats: true }], // If-Match
  [uriHost, { bytes: [1, 255], text: true }],
  [4, { bytes: [1, 8], repeats: true }], // ETag
  [5, { bytes: [0, 0] }], // If-None-Match
  [6, { bytes: [0, 3] }], // Observe
  [7, { bytes: [0, 2] }], // Uri-Port
  [9, { bytes: [0, 255] }], // OSCORE
  [uriPath, { bytes: [0, 255], repeats: true, text: true }],
  [contentFormat, { bytes: [0, 2] }],
  [14, { bytes: [0, 4] }], // Max-Age
  [15, { bytes: [0, 255], repeats: true, text: true }], // Uri-Query
  [16, { bytes: [1, 1] }], // Hop-Limit
  [17, { bytes: [0, 2] }], // Accept
  [19, { bytes: [0, 3] }], // Q-Block1
  [21, { bytes: [0, 0] }], // EDHOC
  [23, { bytes: [0, 3] }], // Block2
  [27, { bytes: [0, 3] }], // Block1
  [28, { bytes: [0, 4] }], // Size2
  [31, { bytes: [0, 3] }], // Q-Block2
  [35, { bytes: [1, 1034], text: true }], // Proxy-Uri
  [39, { bytes: [1, 255], text: true }], // Proxy-Scheme
  [60, { bytes: [0, 4] }], // Size1
  [252, { bytes: [1, 40] }], // Echo
  [258, { bytes: [0, 1] }], // No-Response
  [292, { bytes: [0, 8], repeats: true }], // Request-Tag
  [2049, { bytes: [2, 2] }], // OCF-Accept-Content-Format-Version
  [2053, { bytes: [2, 2] }], // OCF-Content-Format-Version
]);

/** Options that describe or route a payload; without any of them it must be text. */
const payloadOptions: ReadonlySet<number> = new Set([9, uriPath, contentFormat, 15, 19, 27, 35]);

/** CSM options (RFC 8323 section 5.3, RFC 8974): Max-Message-Size, Block-Wise-Transfer, Extended-Token-Length. */
const settings: ReadonlyMap<number, OptionForm> = new Map([
  [2, { bytes: [1, 4] }],
  [4, { bytes: [0, 0] }],
  [6, { bytes: [1, 3] }],
]);

const datagram: Recognizer = {
  // Confirmable or non-confirmable, token up to 8 bytes, a method code.
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
  // Length, no token, code 7.01 (CSM), then a known option.
  signature: {
    patterns: [
      '^(?:[\\x10\\x20\\x30\\x40\\x50\\x60\\x70\\x80\\x90\\xa0\\xb0\\xc0]|\\xd0[^])\\xe1[\\x21-\\x24\\x40\\x61-\\x63]',
    ],
  },
  confirm: confirmSettings,
  datagram,
  factNames: ['method', 'path', 'host'],
  words: 'UDP: a request whose options are registered and add up; TCP: capabilities and settings (code 7.01)',
  source: 'RFC 7252 section 3, RFC 8323 sections 3.2 and 5.3',
};

/** RFC 8323 section 3.2: the options must fill the announced length. */
function confirmSettings(bytes: Uint8Array): Confirmation {
  const cursor = new Cursor(asBuffer(bytes));
  const length = extended(cursor, cursor.u8() >> 4);
  cursor.skip(1); // code
  if (cursor.left < length) return { verdict: 'more', bytesNeeded: bytes.length + length - cursor.left };
  const message = readOptions(cursor.sub(length));
  return { verdict: message !== null && areSettings(message) ? 'match' : 'no' };
}

/** Method, path and host; null when the datagram is not a request. */
function requestFacts(bytes: Uint8Array): Facts | null {
  const [first = 0, code = 0] = bytes;
  const cursor = new Cursor(asBuffer(bytes), headerBytes);
  if (!cursor.skip(first & tokenLengthMask)) return null;
  const message = readOptions(cursor);
  if (message === null || !isRequest(message)) return null;
  const { options } = message;
  const path = options.filter(({ number }) => number === uriPath).map(({ value }) => `/${value}`);
  const facts: Facts = { method: methods[code] ?? '', path: path.join('') || '/' };
  const host = options.find(({ number }) => number === uriHost);
  if (host) facts.host = host.value.toLowerCase();
  return facts;
}

interface Option {
  readonly number: number;
  /** Latin-1: one character per byte. */
  readonly value: string;
}

interface Message {
  readonly options: readonly Option[];
  readonly payload: string;
}

/** RFC 7252 section 3.1: options up to the payload or the end; null when malformed. */
function readOptions(cursor: Cursor): Message | null {
  const options: Option[] = [];
  let number = 0;
  while (cursor.left > 0) {
    const head = cursor.u8();
    if (head === payloadMarker) {
      return cursor.left > 0 ? { options, payload: cursor.latin1(cursor.left) } : null;
    }
    number += extended(cursor, head >> 4);
    const value = cursor.latin1(extended(cursor, head & 0x0f));
    if (cursor.overrun || number > 0xffff) return null;
    options.push({ number, value });
  }
  return { options, payload: '' };
}

/**
 * Only registered options, within their length and repetition limits; a payload only where an option describes it or
 * it is text.
 */
function isRequest({ options, payload }: Message): boolean {
  const areRegistered = options.every((option, index) => {
    const form = requestOptions.get(option.number);
    return form !== undefined && isOfForm(option, form) && !(isRepeated(options, index) && !form.repeats);
  });
  return (
    areRegistered &&
    (payload === '' || options.some(({ number }) => payloadOptions.has(number)) || isText(payload))
  );
}

/** No repetitions. Unknown options must be elective, that is even (RFC 8323 section 5.2). */
function areSettings({ options, payload }: Message): boolean {
  return (
    payload === '' &&
    options.every((option, index) => {
      const form = settings.get(option.number);
      return !isRepeated(options, index) && (form ? isOfForm(option, form) : option.number % 2 === 0);
    })
  );
}

/** Options are sorted by number. */
const isRepeated = (options: readonly Option[], index: number): boolean =>
  options[index - 1]?.number === options[index]?.number;

const isOfForm = ({ value }: Option, { bytes: [min, max], text }: OptionForm): boolean =>
  value.length >= min && value.length <= max && (!text || isText(value));

/** Tab, LF, CR. */
const textControls: readonly number[] = [0x09, 0x0a, 0x0d];

/** UTF-8 without control characters other than `textControls`. */
function isText(value: string): boolean {
  const bytes = Buffer.from(value, 'latin1');
  return (
    isUtf8(bytes) && bytes.every((byte) => (byte >= 0x20 && byte !== 0x7f) || textControls.includes(byte))
  );
}

/** RFC 7252 section 3.1: 13 and 14 announce one or two extra bytes; 15 is reserved. */
function extended(cursor: Cursor, nibble: number): number {
  if (nibble === 13) return 13 + cursor.u8();
  if (nibble === 14) return 269 + cursor.u16();
  return nibble === 15 ? Number.POSITIVE_INFINITY : nibble;
}
