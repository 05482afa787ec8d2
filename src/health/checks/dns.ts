/** A query, whose response code is judged. */
import { randomInt } from 'node:crypto';
import { Cursor } from '../../protocols/cursor.js';
import type { HealthCheck } from '../check.js';
import { choiceField, listField, textField } from '../fields.js';
import { judged } from '../judged.js';
import { unwell, well } from '../outcomes.js';
import { overTransport, type TransportOptions, transportField } from '../transport.js';

/** IANA's numbers. */
const records = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  ANY: 255,
} as const;
type RecordName = keyof typeof records;
const recordNames = Object.keys(records) as [RecordName, ...RecordName[]];

/** Response codes by number (RFC 1035, 2136). */
const rcodes = [
  'noerror',
  'formerr',
  'servfail',
  'nxdomain',
  'notimp',
  'refused',
  'yxdomain',
  'yxrrset',
  'nxrrset',
  'notauth',
  'notzone',
] as const;
type Rcode = (typeof rcodes)[number];

export interface DnsOptions extends TransportOptions {
  readonly name: string;
  readonly record: RecordName;
  readonly rcode: readonly Rcode[];
}

const NAME = /^(?=.{1,253}$)(?:\.|[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?)$/;

export const dns: HealthCheck<DnsOptions> = {
  words: 'answers a query with a good response code',
  over: overTransport,
  options: (zod) => ({
    ...transportField(zod),
    name: textField(zod, 'Name that is asked for; `.`: the root', 'a name such as `example.com`', (name) =>
      NAME.test(name),
    ).default('.'),
    record: choiceField(zod, recordNames, 'Type of record that is asked for').default('NS'),
    rcode: listField(
      zod,
      choiceField(zod, rcodes, 'Response code'),
      'Response codes that are well',
      'response codes such as `noerror` or `nxdomain`',
    ).prefault('noerror'),
  }),
  async run(line, { name, record, rcode, transport }) {
    const id = randomInt(65_536);
    const query = encodeQuery(id, name, records[record]);
    line.write(transport === 'udp' ? query : Buffer.concat([words(query.length), query]));
    const code = await judged(line, (bytes) => readRcode(transport === 'udp' ? bytes : framed(bytes), id));
    const said = rcodes[code];
    if (said !== undefined && rcode.includes(said)) return well;
    return unwell(`answered with ${said ?? `response code ${code}`}`);
  },
};

const RECURSION_DESIRED = 0x0100;
const INTERNET = 1;

export function encodeQuery(id: number, name: string, record: number): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  const encoded = labels.map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]));
  return Buffer.concat([
    words(id, RECURSION_DESIRED, 1, 0, 0, 0),
    ...encoded,
    Buffer.of(0),
    words(record, INTERNET),
  ]);
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, index * 2);
  return bytes;
}

const LENGTH_BYTES = 2;

/** The message behind its length, as far as it has come (RFC 1035 section 4.2.2). */
const framed = (bytes: Buffer): Buffer => bytes.subarray(LENGTH_BYTES);

const HEADER_BYTES = 12;
const RESPONSE = 0x8000;
const OPCODE = 0x7800;

/** Null: no response to the query; others are passed over. */
export function readRcode(datagram: Buffer, id: number): number | null {
  if (datagram.length < HEADER_BYTES) return null;
  const cursor = new Cursor(datagram);
  if (cursor.u16() !== id) return null;
  const flags = cursor.u16();
  return (flags & RESPONSE) !== 0 && (flags & OPCODE) === 0 ? flags & 0x0f : null;
}
