import { expect, test } from 'vitest';
import { type Identified, identifyBytes } from '../../src/protocols/identify.js';
import { hex, text } from '../cases/case.js';
import { type Flight, flights } from '../cases/flights.js';
import { hello, records, serverName } from '../cases/tls.js';

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const settings = '\0\0\0\x04\0\0\0\0\0';

const hi = records(hello([serverName('a.example')]));

const cases: readonly { why: string; segments: Uint8Array[]; expect: Identified }[] = [
  {
    why: 'name and facts',
    segments: [hi.subarray(0, 7), hi.subarray(7)],
    expect: {
      protocol: 'tls',
      verdict: 'match',
      decidedAtByte: hi.length,
      bytesNeeded: null,
      facts: { ech: false, versions: ['1.2'], sni: 'a.example' },
    },
  },
  {
    why: 'the facts need more',
    segments: [hi.subarray(0, 20)],
    expect: { protocol: 'tls', verdict: 'match', decidedAtByte: 20, bytesNeeded: hi.length, facts: {} },
  },
  {
    why: 'a protocol without facts',
    segments: [text('*1\r\n$4\r\nPING\r\n')],
    expect: { protocol: 'redis', verdict: 'match', decidedAtByte: 8, bytesNeeded: null, facts: {} },
  },
  {
    why: 'more is needed',
    segments: [text('G'), text('ET')],
    expect: { protocol: null, verdict: 'more', decidedAtByte: 3, bytesNeeded: 4, facts: {} },
  },
  {
    why: 'unknown',
    segments: [hex('ffffffffffff')],
    expect: { protocol: null, verdict: 'unknown', decidedAtByte: 5, bytesNeeded: null, facts: {} },
  },
  {
    why: 'a silence settles it',
    segments: [text(`${preface}${settings}`)],
    expect: {
      protocol: 'http2',
      verdict: 'match',
      decidedAtByte: preface.length + settings.length,
      // Needed for facts: the header of the request's frame.
      bytesNeeded: preface.length + settings.length + 9,
      facts: {},
      quietMs: 200,
    },
  },
  {
    why: 'nothing yet',
    segments: [],
    expect: { protocol: null, verdict: 'more', decidedAtByte: 0, bytesNeeded: 1, facts: {} },
  },
];

test.each(cases)('identify: $why', ({ segments, expect: due }) => {
  expect(identifyBytes(segments, 'tcp')).toEqual(due);
});

const ntp = Buffer.concat([hex('23'), Buffer.alloc(47)]);

const datagramCases: readonly { why: string; segments: Uint8Array[]; expect: Partial<Identified> }[] = [
  {
    why: 'the first is the whole opening',
    segments: [ntp, text('x')],
    expect: { protocol: 'ntp', bytesNeeded: null },
  },
  {
    why: 'it is not continued by the next',
    segments: [ntp.subarray(0, 40), ntp.subarray(40)],
    expect: { verdict: 'unknown' },
  },
  { why: 'none yet', segments: [], expect: { verdict: 'more', bytesNeeded: 1 } },
  { why: 'an empty one', segments: [new Uint8Array()], expect: { verdict: 'unknown', bytesNeeded: null } },
];

test('a hello that goes on in the next datagrams is read to its end', () => {
  const { segments } = flights.find(({ id }) => id === 'dtls-udp-005') as Flight;
  expect(identifyBytes(segments.slice(0, 1), 'udp').facts).toEqual({});
  expect(identifyBytes(segments, 'udp').facts).toMatchObject({ sni: 'www.example.com' });
});

test.each(datagramCases)('identify datagrams: $why', ({ segments, expect: due }) => {
  expect(identifyBytes(segments, 'udp')).toMatchObject(due);
});

test('what a protocol does not confirm is the next one that matches', () => {
  const upgrade =
    'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  const nameOf = (headers: string) =>
    identifyBytes([text(`GET / HTTP/1.1\r\n${headers}\r\n`)], 'tcp').protocol;
  expect(nameOf(`Host: a\r\n${upgrade}`)).toBe('websocket');
  expect(nameOf('Host: a\r\n')).toBe('http');
});
