import { describe, expect, test } from 'vitest';
import type { FactsAnswer } from '../../src/model/facts.js';
import { tlsFacts } from '../../src/protocols/tls.js';
import { hex } from '../cases/case.js';
import { alpn, extension, hello, records, serverName, versions } from '../cases/tls.js';

const broken: FactsAnswer = { verdict: 'broken', facts: {} };
const sni = extension(0, hex('00 04 00 00 01 61'));

const whole: readonly { why: string; hello: Uint8Array; expect: FactsAnswer }[] = [
  {
    why: 'server name, protocols and versions',
    hello: hello([serverName('A.Example'), alpn('h2', 'http/1.1'), versions(0x0304, 0x0303)]),
    expect: {
      verdict: 'facts',
      facts: { ech: false, sni: 'a.example', alpn: ['h2', 'http/1.1'], versions: ['1.3', '1.2'] },
    },
  },
  {
    why: 'no extensions',
    hello: hello(),
    expect: { verdict: 'facts', facts: { ech: false, versions: ['1.2'] } },
  },
  {
    why: 'SSL 3.0',
    hello: hello(undefined, 0x0300),
    expect: { verdict: 'facts', facts: { ech: false, versions: ['ssl3'] } },
  },
  {
    why: 'reserved values (RFC 8701) are no versions',
    hello: hello([versions(0x3a3a, 0x0304)]),
    expect: { verdict: 'facts', facts: { ech: false, versions: ['1.3'] } },
  },
  {
    why: 'an unknown extension is skipped',
    hello: hello([extension(0x4a4a, hex('00')), sni]),
    expect: { verdict: 'facts', facts: { ech: false, versions: ['1.2'], sni: 'a' } },
  },
  {
    why: 'reserved values (RFC 8701) are no protocols',
    hello: hello([alpn('\x5a\x5a', 'h2', '\x0a\x1a')]),
    expect: { verdict: 'facts', facts: { ech: false, versions: ['1.2'], alpn: ['h2', '\x0a\x1a'] } },
  },
  {
    why: 'an encrypted hello inside: the name outside counts',
    hello: hello([extension(0xfe0d, hex('00 0001 0001 2a 0000 0001 ff')), sni]),
    expect: { verdict: 'facts', facts: { ech: true, versions: ['1.2'], sni: 'a' } },
  },
  {
    why: 'an encrypted hello of unknown form is still no reason to refuse',
    hello: hello([sni, extension(0xfe0d, hex(''))]),
    expect: { verdict: 'facts', facts: { ech: true, versions: ['1.2'], sni: 'a' } },
  },
  { why: 'two server name extensions', hello: hello([sni, sni]), expect: broken },
  { why: 'two names', hello: hello([extension(0, hex('00 08 00 00 01 61 00 00 01 62'))]), expect: broken },
  { why: 'a name of another type', hello: hello([extension(0, hex('00 04 01 00 01 61'))]), expect: broken },
  { why: 'an empty name', hello: hello([serverName('')]), expect: broken },
  { why: 'a NUL in the name', hello: hello([serverName('a\0b')]), expect: broken },
  {
    why: 'a name longer than its list',
    hello: hello([extension(0, hex('00 04 00 00 09 61'))]),
    expect: broken,
  },
  {
    why: 'bytes after the name list',
    hello: hello([extension(0, hex('00 04 00 00 01 61 ff'))]),
    expect: broken,
  },
  { why: 'an empty protocol name', hello: hello([alpn('h2', '')]), expect: broken },
  { why: 'an odd version list', hello: hello([extension(43, hex('03 03 04 03'))]), expect: broken },
  { why: 'an extension cut short', hello: hello([hex('00 00 00 09 00')]), expect: broken },
];

describe('TLS facts', () => {
  test.each(whole)('$why', ({ hello: handshake, expect: due }) => {
    expect(tlsFacts(records(handshake))).toEqual(due);
  });

  const long = hello([serverName('a.example'), extension(21, new Uint8Array(2000))]);
  const facts = { verdict: 'facts', facts: { ech: false, versions: ['1.2'], sni: 'a.example' } };

  test.each([33, 60, 64, 1000, 16_384])('are the same from records of %i bytes', (payloadMax) => {
    const due = Math.ceil(long.length / payloadMax) <= 64 ? facts : broken;
    expect(tlsFacts(records(long, payloadMax))).toEqual(due);
  });

  test.each([60, 16_384])('say how many bytes they need at least, records of %i bytes', (payloadMax) => {
    const bytes = records(long, payloadMax);
    for (let end = 0; end < bytes.length; end++) {
      const answer = tlsFacts(bytes.subarray(0, end));
      expect(answer.verdict).toBe('more');
      const needed = answer.verdict === 'more' ? answer.bytesNeeded : 0;
      expect(needed).toBeGreaterThan(end);
      expect(needed).toBeLessThanOrEqual(bytes.length);
    }
  });

  test('are known before bytes that follow the hello in its record', () => {
    const padded = Buffer.concat([hello([sni]), new Uint8Array(100)]);
    const bytes = records(padded).subarray(0, -100);
    expect(tlsFacts(bytes)).toMatchObject({ verdict: 'facts', facts: { sni: 'a' } });
  });

  const records2 = records(long, 1000);
  const spoiled = [
    { why: 'an alert between two records', at: 1005, byte: 21 },
    { why: 'another major version between two records', at: 1006, byte: 4 },
    { why: 'an empty record', at: 1008, byte: 0 },
  ];

  test.each(spoiled)('can not be read: $why', ({ why, at, byte }) => {
    const bytes = Uint8Array.from(records2);
    bytes[at] = byte;
    if (why === 'an empty record') bytes[at + 1] = 0;
    expect(tlsFacts(bytes)).toEqual(broken);
  });

  test('a hello over 64 KiB can not be read', () => {
    const huge = Uint8Array.from(records(hello()));
    huge.set(hex('01 00 00'), 6);
    expect(tlsFacts(huge)).toEqual(broken);
  });
});
