/** DTLS facts: a hello in one record, in fragments, and in inconsistent fragments. */
import { expect, test } from 'vitest';
import { dtlsFacts } from '../../src/protocols/dtls.js';
import { hex } from '../cases/case.js';
import { flights } from '../cases/flights.js';
import { hello, serverName } from '../cases/tls.js';

/** The body of a version 1.2 hello, with DTLS's cookie (empty) behind the session id. */
function body(): Buffer {
  const tls = Buffer.from(hello([serverName('a.example')], 0xfefd)).subarray(4);
  return Buffer.concat([tls.subarray(0, 35), hex('00'), tls.subarray(35)]);
}

const whole = body();
const size = (bytes: number, value: number): Buffer => {
  const field = Buffer.alloc(bytes);
  field.writeUIntBE(value, 0, bytes);
  return field;
};

/** A record with bytes `from` to `to` of the hello; `total`: the length it announces. */
function fragment(from: number, to: number, total = whole.length): Buffer {
  const part = whole.subarray(from, to);
  const message = [Buffer.of(1), size(3, total), size(2, 0), size(3, from), size(3, part.length), part];
  return Buffer.concat([hex('16 fefd 0000 000000000000'), size(2, 12 + part.length), ...message]);
}

/** With another first byte. */
const forged = (record: Buffer): Buffer =>
  Buffer.concat([record.subarray(0, 25), Buffer.of((record[25] ?? 0) ^ 1), record.subarray(26)]);

const end = whole.length;
const facts = { versions: ['1.2'], ech: false, sni: 'a.example' };
const cases = [
  { why: 'whole', bytes: fragment(0, end), expect: { verdict: 'facts', facts } },
  {
    why: 'in three fragments',
    bytes: Buffer.concat([fragment(0, 10), fragment(10, 40), fragment(40, end)]),
    expect: { verdict: 'facts', facts },
  },
  { why: 'the first of its fragments', bytes: fragment(0, 10), expect: { verdict: 'more' } },
  {
    why: 'in three fragments, not in order',
    bytes: Buffer.concat([fragment(0, 10), fragment(40, end), fragment(10, 40)]),
    expect: { verdict: 'facts', facts },
  },
  {
    why: 'a fragment is missing',
    bytes: Buffer.concat([fragment(0, 10), fragment(20, end)]),
    expect: { verdict: 'more' },
  },
  {
    why: 'fragments come twice, and overlap',
    bytes: Buffer.concat([fragment(0, 20), fragment(0, 20), fragment(10, end)]),
    expect: { verdict: 'facts', facts },
  },
  {
    why: 'a fragment that says something else of the same bytes',
    bytes: Buffer.concat([fragment(0, 40), forged(fragment(20, end))]),
    expect: { verdict: 'broken' },
  },
  {
    why: 'a fragment of another hello',
    bytes: Buffer.concat([fragment(0, 10), fragment(10, end, end + 1)]),
    expect: { verdict: 'broken' },
  },
  { why: 'an empty fragment', bytes: fragment(0, 0), expect: { verdict: 'broken' } },
  {
    why: 'a hello shorter than its fragment',
    bytes: fragment(0, end, end - 1),
    expect: { verdict: 'broken' },
  },
  { why: 'a hello over 64 KiB', bytes: fragment(0, end, 0x10001), expect: { verdict: 'broken' } },
  {
    why: 'an alert between two fragments',
    bytes: Buffer.concat([fragment(0, 10), hex('15 fefd 0000 000000000001 0002 0228')]),
    expect: { verdict: 'broken' },
  },
];

test.each(cases)('$why', ({ bytes, expect: due }) => {
  expect(dtlsFacts(bytes)).toMatchObject(due);
});

test('every prefix wants more', () => {
  const bytes = Buffer.concat([fragment(0, 10), fragment(10, end)]);
  for (let cut = 0; cut < bytes.length; cut++) {
    const answer = dtlsFacts(bytes.subarray(0, cut));
    expect(answer).toMatchObject({ verdict: 'more' });
    expect(answer.verdict === 'more' && answer.bytesNeeded).toBeGreaterThan(cut);
  }
});

test('more fragments than anybody sends can not be read', () => {
  const many = Array.from({ length: 65 }, (_, at) => fragment(at, at + 1, 200));
  expect(dtlsFacts(Buffer.concat(many))).toEqual({ verdict: 'broken', facts: {} });
});

test.each(flights.filter(({ label, attrs }) => label === 'dtls' && attrs.sni))(
  'flight $id',
  ({ bytes, attrs }) => {
    expect(dtlsFacts(bytes)).toMatchObject({ verdict: 'facts', facts: { sni: attrs.sni } });
  },
);
