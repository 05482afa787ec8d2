import { describe, expect, test } from 'vitest';
import { identifyFlight } from '../../src/protocols/flight.js';
import { readProxyHeader } from '../../src/protocols/proxy-header.js';
import { hex, text } from '../cases/case.js';

const signature = '0d0a0d0a000d0a515549540a';
const v2 = (digits: string): Uint8Array => hex(`${signature}${digits}`);
const path = (name: string): string => Buffer.from(name.padEnd(108, '\0')).toString('hex');

interface HeaderCase {
  readonly why: string;
  readonly bytes: Uint8Array;
  readonly addresses: { readonly source: string; readonly destination: string } | null;
}

const v4 = { source: '192.0.2.1:56324', destination: '198.51.100.7:443' };
const v6 = { source: '[2001:db8::1]:56324', destination: '[2001:db8::2]:443' };
const v6Digits = '20010db8000000000000000000000001 20010db8000000000000000000000002 dc04 01bb';

const headers: readonly HeaderCase[] = [
  { why: 'v1 IPv4', bytes: text('PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n'), addresses: v4 },
  { why: 'v1 IPv6', bytes: text('PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n'), addresses: v6 },
  {
    why: 'v1 IPv6 in a longer form',
    bytes: text('PROXY TCP6 2001:0DB8:0:0::1 2001:db8:0:0:0:0:0:2 56324 443\r\n'),
    addresses: v6,
  },
  { why: 'v1 unknown', bytes: text('PROXY UNKNOWN\r\n'), addresses: null },
  { why: 'v1 unknown with anything', bytes: text('PROXY UNKNOWN any thing\r\n'), addresses: null },
  { why: 'v1, 107 bytes', bytes: text(`PROXY UNKNOWN ${'f'.repeat(91)}\r\n`), addresses: null },
  { why: 'v2 IPv4', bytes: v2('21 11 000c c0000201 c6336407 dc04 01bb'), addresses: v4 },
  { why: 'v2 IPv6', bytes: v2(`21 21 0024 ${v6Digits}`), addresses: v6 },
  { why: 'v2 of a datagram', bytes: v2(`21 22 0024 ${v6Digits}`), addresses: v6 },
  {
    why: 'v2 with more behind the addresses',
    bytes: v2('21 11 0012 c0000201 c6336407 dc04 01bb 04 0003 abcdef'),
    addresses: v4,
  },
  {
    why: 'v2 unix',
    bytes: v2(`21 31 00d8 ${path('/run/a.sock')} ${path('/run/b.sock')}`),
    addresses: { source: 'unix:/run/a.sock', destination: 'unix:/run/b.sock' },
  },
  { why: 'v2 unspecified', bytes: v2('21 00 0003 ffffff'), addresses: null },
  { why: 'v2 local', bytes: v2('20 00 0000'), addresses: null },
  {
    why: 'v2 local, its block is passed over',
    bytes: v2('20 11 000c c0000201 c6336407 dc04 01bb'),
    addresses: null,
  },
];

const refused: readonly { readonly why: string; readonly bytes: Uint8Array }[] = [
  { why: 'another protocol', bytes: text('GET / HTTP/1.1\r\n') },
  { why: 'a request with such a method', bytes: text('PROXY / HTTP/1.1\r\n') },
  { why: 'v1, another family', bytes: text('PROXY TCP5 192.0.2.1 198.51.100.7 56324 443\r\n') },
  {
    why: 'v1, an address of the other family',
    bytes: text('PROXY TCP6 192.0.2.1 198.51.100.7 56324 443\r\n'),
  },
  { why: 'v1, a zone', bytes: text('PROXY TCP6 fe80::1%eth0 2001:db8::2 56324 443\r\n') },
  { why: 'v1, no such port', bytes: text('PROXY TCP4 192.0.2.1 198.51.100.7 65536 443\r\n') },
  { why: 'v1, a port with a zero before it', bytes: text('PROXY TCP4 192.0.2.1 198.51.100.7 080 443\r\n') },
  { why: 'v1, a port is missing', bytes: text('PROXY TCP4 192.0.2.1 198.51.100.7 56324\r\n') },
  { why: 'v1, a field too many', bytes: text('PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 1\r\n') },
  { why: 'v1, two spaces', bytes: text('PROXY TCP4  192.0.2.1 198.51.100.7 56324 443\r\n') },
  { why: 'v1, 108 bytes', bytes: text(`PROXY UNKNOWN ${'f'.repeat(92)}\r\n`) },
  { why: 'v2, version 3', bytes: v2('31 11 000c c0000201 c6336407 dc04 01bb') },
  { why: 'v2, another command', bytes: v2('22 11 000c c0000201 c6336407 dc04 01bb') },
  { why: 'v2, another family', bytes: v2('21 41 000c c0000201 c6336407 dc04 01bb') },
  { why: 'v2, a block too short for its addresses', bytes: v2('21 11 000b c0000201 c6336407 dc04 01') },
  {
    why: 'v2, a wrong signature',
    bytes: hex('0d0a0d0a000d0a515549540b 21 11 000c c0000201 c6336407 dc04 01bb'),
  },
];

describe('a PROXY header', () => {
  test.each(headers)('$why', ({ bytes, addresses }) => {
    const due = { verdict: 'header', header: { headerBytes: bytes.length, addresses } };
    expect(readProxyHeader(bytes)).toMatchObject(due);
    expect(readProxyHeader(Buffer.concat([bytes, bytes]))).toMatchObject(due);
  });

  test.each(headers)('$why: every prefix wants more', ({ bytes }) => {
    for (let end = 0; end < bytes.length; end++) {
      const answer = readProxyHeader(bytes.subarray(0, end));
      expect(answer.verdict).toBe('more');
      const needed = answer.verdict === 'more' ? answer.bytesNeeded : 0;
      expect(needed).toBeGreaterThan(end);
      expect(needed).toBeLessThanOrEqual(bytes.length);
    }
  });

  test.each(refused)('none: $why', ({ bytes }) => {
    expect(readProxyHeader(bytes)).toEqual({ verdict: 'no' });
  });
});

describe('a flight with a header', () => {
  const [header] = headers.filter(({ why }) => why === 'v1 IPv4').map(({ bytes }) => bytes);
  const before = header ?? new Uint8Array();
  const facts = { proxy: 'v1', proxy_source: v4.source, proxy_destination: v4.destination };
  const ssh = text('SSH-2.0-x\r\n');

  test('has the name of what is behind it, wherever it is cut', () => {
    const bytes = Buffer.concat([before, ssh]);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(identifyFlight([bytes.subarray(0, cut), bytes.subarray(cut)], 'tcp')).toEqual({
        protocol: 'ssh',
        verdict: 'match',
        decidedAtByte: before.length + 8,
        bytesNeeded: null,
        facts: { ...facts, software: 'x' },
      });
    }
  });

  test('is undecided behind it, with what it said', () => {
    expect(identifyFlight([before], 'tcp')).toEqual({
      protocol: null,
      verdict: 'more',
      decidedAtByte: before.length,
      bytesNeeded: before.length + 1,
      facts,
    });
  });

  test('is undecided inside it', () => {
    expect(identifyFlight([before.subarray(0, 20)], 'tcp')).toMatchObject({
      protocol: null,
      verdict: 'more',
      bytesNeeded: 21,
    });
  });

  test('is unknown behind it', () => {
    const identified = identifyFlight([before, new Uint8Array(64).fill(0xfe)], 'tcp');
    expect(identified).toMatchObject({ protocol: null, verdict: 'unknown', facts });
  });

  test('is a datagram behind it', () => {
    const datagram = Buffer.concat([v2('21 12 000c c0000201 c6336407 dc04 01bb'), hex('40 01 12 34')]);
    expect(identifyFlight([datagram], 'udp')).toMatchObject({
      protocol: 'coap',
      facts: { method: 'GET', proxy: 'v2', proxy_source: v4.source },
    });
  });
});
