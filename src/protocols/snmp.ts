/** SNMP over UDP and TCP: the version and the version-specific data behind it. */
import type { FactsAnswer } from '../model/facts.js';
import type { Confirmation, Protocol, Recognizer } from '../model/protocol.js';
import { asBuffer } from './cursor.js';

/** SEQUENCE with a definite length, padded or not (X.690 section 8.1.3); INTEGER version; community or header data. */
const opening =
  '^\\x30(?:[\\x00-\\x7f]|\\x81[^]|\\x82[^]{2}|\\x83\\x00[^]{2}|\\x84\\x00{2}[^]{2})\\x02\\x01(?:[\\x00\\x01]\\x04|\\x03\\x30)';

/** RFC 3416 section 3: requests, notifications and the version 1 trap. Responses do not open a session. */
const openingPdus: ReadonlySet<number> = new Set([0xa0, 0xa1, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7]);

const octetString = 0x04;
/** INTEGER, length 1, the version. */
const versionBytes = 3;
/** Upper bound on the offset at which community or header data ends. */
const headBytesMax = 1024;

const versionNames: ReadonlyMap<number, string> = new Map([
  [0, '1'],
  [1, '2c'],
  [3, '3'],
]);

/** The message must fill the datagram. */
const datagram: Recognizer = {
  signature: { patterns: [opening] },
  confirm: (bytes): Confirmation => {
    const message = elementAt(bytes, 0);
    if (message === null || message.end !== bytes.length) return { verdict: 'no' };
    return confirmSnmp(bytes);
  },
  facts: snmpFacts,
};

export const snmp: Protocol = {
  id: 'snmp',
  transports: ['tcp', 'udp'],
  rank: 40,
  signature: { patterns: [opening] },
  confirm: confirmSnmp,
  datagram,
  factNames: ['version'],
  words: 'a BER SEQUENCE of the version (0, 1, 3) and a community with a request, or header data',
  source: 'RFC 3416, RFC 3412, RFC 3430, RFC 1157',
  facts: snmpFacts,
};

interface Element {
  readonly tag: number;
  /** Range of the contents. `end` may be beyond the bytes present, or infinite for unsupported length forms. */
  readonly start: number;
  readonly end: number;
}

/** BER element at `at` (X.690 section 8.1); null when its header is incomplete. */
function elementAt(bytes: Uint8Array, at: number): Element | null {
  const [tag, first] = [bytes[at], bytes[at + 1]];
  if (tag === undefined || first === undefined) return null;
  if (first < 0x80) return { tag, start: at + 2, end: at + 2 + first };
  const lengthBytes = first & 0x7f;
  const start = at + 2 + lengthBytes;
  if (lengthBytes === 0 || lengthBytes > 4) return { tag, start, end: Number.POSITIVE_INFINITY };
  if (bytes.length < start) return null;
  return { tag, start, end: start + asBuffer(bytes).readUIntBE(at + 2, lengthBytes) };
}

/** Checks the tag behind the head: a request PDU after a community, security parameters after header data. */
function confirmSnmp(bytes: Uint8Array): Confirmation {
  const message = elementAt(bytes, 0);
  const head = message && elementAt(bytes, message.start + versionBytes);
  if (!head) return { verdict: 'more', bytesNeeded: bytes.length + 1 };
  if (head.end >= message.end || head.end > headBytesMax) return { verdict: 'no' };
  const tag = bytes[head.end];
  if (tag === undefined) return { verdict: 'more', bytesNeeded: head.end + 1 };
  const tells = head.tag === octetString ? openingPdus.has(tag) : tag === octetString;
  return { verdict: tells ? 'match' : 'no' };
}

function snmpFacts(bytes: Uint8Array): FactsAnswer {
  const message = elementAt(bytes, 0);
  const version = message && bytes[message.start + versionBytes - 1];
  if (typeof version !== 'number') return { verdict: 'more', bytesNeeded: bytes.length + 1, facts: {} };
  const name = versionNames.get(version);
  return name === undefined
    ? { verdict: 'broken', facts: {} }
    : { verdict: 'facts', facts: { version: name } };
}
