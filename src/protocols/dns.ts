/** DNS: a query, NOTIFY or UPDATE, validated to its end. Over TCP a two-byte length precedes it. */
import type { Confirmation, Protocol } from '../model/protocol.js';
import { bytesWhere } from './byte-class.js';
import { match, more, no } from './confirmation.js';
import { asBuffer, Cursor } from './cursor.js';
import { dnsFacts } from './dns-facts.js';

const headerBytes = 12;
const lengthBytes = 2;
/** Upper bound on the bytes validated; only large updates are longer. */
const walkBytesMax = 4096;
/** RFC 1035 section 2.3.4 */
const nameBytesMax = 255;

const labelBytesMax = 63;
const pointer = 0xc0;

const status = 2;
/** IN, CH, HS, NONE, ANY; multicast DNS also sets the top bit. */
const classes: ReadonlySet<number> = new Set([1, 3, 4, 254, 255]);
const unicastBit = 0x8000;

/** NetBIOS name: length, 32 letters for 16 bytes, terminator. */
const netbiosNameBytes = 34;
const netbiosTypes: ReadonlySet<number> = new Set([0x20, 0x21]);

/** QUERY, STATUS, NOTIFY, UPDATE: QR and TC clear (RFC 1035 section 4.1.1, RFC 1996, RFC 2136). */
const opcode = bytesWhere((byte) => [0, 2, 4, 5].includes(byte >> 3) && (byte & 0x02) === 0);
/** RA clear, reserved bit zero, RCODE 0. */
const noResult = '[\\x00\\x10\\x20\\x30]';
/**
 * One question, fewer than 256 records in each of the next two sections. Or no question: only an OPT record to get a
 * server cookie (RFC 7873 section 5.4), or nothing.
 */
const counts = '(?:\\x00\\x01\\x00[^]\\x00[^]\\x00[\\x00-\\x0f]|\\x00{7}\\x01\\x00\\x00\\x29|\\x00{8})';
const header = `[^]{2}${opcode}${noResult}${counts}`;
/** Multicast DNS: many questions, id 0 (RFC 6762 sections 5.3 and 18.1). */
const multicastHeader = '\\x00{5}[\\x02-\\xff]\\x00[^]\\x00[^]\\x00[\\x00-\\x0f]';

export const dns: Protocol = {
  id: 'dns',
  transports: ['tcp', 'udp'],
  // Before weaker signatures, after those complete within few bytes: any first byte may be part of a length.
  rank: 45,
  signature: { patterns: [`^(?:\\x00[\\x0c-\\xff]|[\\x01-\\xff][^])${header}`] },
  confirm: confirmStream,
  datagram: {
    signature: { patterns: [`^${header}`, `^${multicastHeader}`] },
    confirm: confirmDatagram,
    facts: (bytes) => dnsFacts(asBuffer(bytes), 0),
  },
  factNames: ['method', 'host', 'type'],
  words: 'LENGTH (not in a datagram), header of a query, then names and records that add up',
  source: 'RFC 1035 section 4, RFC 7766 section 8, RFC 2136, RFC 6762',
  facts: (bytes) => dnsFacts(asBuffer(bytes), lengthBytes),
};

export function confirmStream(bytes: Uint8Array): Confirmation {
  if (bytes.length < lengthBytes) return more(lengthBytes);
  const buffer = asBuffer(bytes);
  const end = lengthBytes + buffer.readUInt16BE(0);
  const needed = Math.min(end, walkBytesMax);
  const message = new Cursor(buffer, lengthBytes, Math.min(needed, buffer.length));
  if (!isMessage(message)) return no;
  if (!message.overrun) return message.position === end ? match : no;
  if (buffer.length < needed) return more(needed);
  return needed < end ? match : no;
}

function confirmDatagram(bytes: Uint8Array): Confirmation {
  const message = new Cursor(asBuffer(bytes));
  return isMessage(message) && !message.overrun && message.left === 0 ? match : no;
}

/** Whether the message is valid as far as it is here; `message` is then at its end, or overrun. */
function isMessage(message: Cursor): boolean {
  const start = message.position;
  message.skip(2); // id
  const isStatus = message.u8() >> 3 === status;
  message.skip(1); // flags
  const questions = message.u16();
  const records = message.u16() + message.u16() + message.u16();
  if (message.overrun) return true;
  if (questions + records === 0) return isStatus;
  return (
    skipAll(questions, message, () => skipQuestion(message, start)) &&
    skipAll(records, message, () => skipRecord(message, start))
  );
}

function skipAll(count: number, message: Cursor, skip: () => boolean): boolean {
  for (let left = count; left > 0 && !message.overrun; left--) {
    if (!skip()) return false;
  }
  return true;
}

function skipQuestion(message: Cursor, start: number): boolean {
  const nameStart = message.position;
  if (!skipName(message, start)) return false;
  const nameBytes = message.position - nameStart;
  const type = message.u16();
  const questionClass = message.u16() & ~unicastBit;
  // NetBIOS name service: a query in DNS format (RFC 1002 section 4.2.1).
  const isNetbios = nameBytes === netbiosNameBytes && netbiosTypes.has(type);
  return message.overrun || (classes.has(questionClass) && !isNetbios);
}

function skipRecord(message: Cursor, start: number): boolean {
  if (!skipName(message, start)) return false;
  message.skip(2 + 2 + 4); // type, class, TTL
  message.skip(message.u16());
  return true;
}

/** Labels up to an empty one, or to a compression pointer to an earlier name (RFC 1035 section 4.1.4). */
function skipName(message: Cursor, start: number): boolean {
  const nameStart = message.position;
  while (message.position - nameStart < nameBytesMax) {
    const length = message.u8();
    if (length === 0) return true;
    if (length >= pointer)
      return isEarlier(((length - pointer) << 8) + message.u8(), nameStart - start) || message.overrun;
    if (length > labelBytesMax) return false;
    message.skip(length);
  }
  return false;
}

const isEarlier = (offset: number, here: number): boolean => offset >= headerBytes && offset < here;
