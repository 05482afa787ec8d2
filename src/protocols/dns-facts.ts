/** What a DNS message asks: its operation, and the name and type of its questions. */
import type { Facts, FactsAnswer } from '../model/facts.js';
import { Cursor } from './cursor.js';
import { withFacts } from './with-facts.js';

const headerBytes = 12;
const labelBytesMax = 63;
const nameBytesMax = 255;
/** Of a question: type and class. */
const questionTailBytes = 4;
/** Multicast DNS asks several at once. */
const questionsMax = 16;

const operations: Readonly<Record<number, string>> = { 0: 'QUERY', 2: 'STATUS', 4: 'NOTIFY', 5: 'UPDATE' };

/** IANA's DNS parameters; others are `TYPE` and their number (RFC 3597 section 5). */
const types: Readonly<Record<number, string>> = {
  1: 'A',
  2: 'NS',
  5: 'CNAME',
  6: 'SOA',
  12: 'PTR',
  15: 'MX',
  16: 'TXT',
  28: 'AAAA',
  33: 'SRV',
  35: 'NAPTR',
  43: 'DS',
  48: 'DNSKEY',
  64: 'SVCB',
  65: 'HTTPS',
  251: 'IXFR',
  252: 'AXFR',
  255: 'ANY',
  257: 'CAA',
};

/** `start`: of the message. */
export function dnsFacts(bytes: Buffer, start: number): FactsAnswer {
  const more = (facts: Facts): FactsAnswer => ({ verdict: 'more', bytesNeeded: bytes.length + 1, facts });
  if (bytes.length < start + headerBytes) return more({});
  const method = operations[(bytes.readUInt8(start + 2) >> 3) & 0x0f];
  const facts: Facts = method === undefined ? {} : { method };
  const count = bytes.readUInt16BE(start + 4);
  const cursor = new Cursor(bytes, start + headerBytes);
  const questions: Question[] = [];
  for (let left = Math.min(count, questionsMax); left > 0; left--) {
    const question = questionAt(cursor);
    if (question === null) return { verdict: 'broken', facts };
    if (cursor.overrun) return more(facts);
    questions.push(question);
  }
  const [first] = questions;
  if (first === undefined) return { verdict: 'facts', facts };
  const isOne = count <= questionsMax && questions.every(({ name }) => name === first.name);
  const known = withFacts(facts, { host: first.name, type: first.type });
  if (isOne && first.isPlain) return { verdict: 'facts', facts: known };
  return { verdict: 'facts', facts: known, doubtful: ['host'] };
}

interface Question {
  /** Lower case, without the last dot; `.` for the root. */
  readonly name: string;
  readonly type: string;
  /** Every server reads the same name. */
  readonly isPlain: boolean;
}

/** Null: malformed. A question has no compressed name, because none is before it, or (multicast) it is not read. */
function questionAt(cursor: Cursor): Question | null {
  const labels: string[] = [];
  let nameBytes = 1;
  for (let length = cursor.u8(); length > 0; length = cursor.u8()) {
    nameBytes += length + 1;
    if (length > labelBytesMax || nameBytes > nameBytesMax) return null;
    labels.push(cursor.latin1(length));
  }
  const number = cursor.u16();
  cursor.skip(questionTailBytes - 2);
  const isPlain = labels.every((label) => /^[!-~]+$/.test(label) && !/[.\\]/.test(label));
  const name = labels.length === 0 ? '.' : labels.map(shown).join('.').toLowerCase();
  return { name, type: types[number] ?? `TYPE${number}`, isPlain };
}

/** As in a zone file (RFC 1035 section 5.1): what is no plain character is a backslash and its number. */
const shown = (label: string): string =>
  label.replace(/[^!-~]|[.\\]/g, (character) => `\\${String(character.charCodeAt(0)).padStart(3, '0')}`);
