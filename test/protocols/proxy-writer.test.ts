/** PROXY headers that are written: to the letter of the specification, and as the reader of them sees them. */
import { describe, expect, test } from 'vitest';
import type { ProxyProtocolOptions } from '../../src/model/upstream-options.js';
import { readProxyHeader } from '../../src/protocols/proxy-header.js';
import { type Ends, ownProxyHeader, proxyHeader } from '../../src/protocols/proxy-writer.js';
import { hex } from '../cases/case.js';

const v1: ProxyProtocolOptions = { version: 'v1', tlvs: [] };
const v2: ProxyProtocolOptions = { version: 'v2', tlvs: [] };
const ends = (from: string, to: string): Ends => ({
  source: { host: from, port: 56324 },
  destination: { host: to, port: 443 },
});
const signature = '0d0a0d0a000d0a515549540a';
const unix: Ends = { source: { path: '' }, destination: { path: '/run/front.sock' } };

const cases = [
  {
    why: 'IPv4',
    ends: ends('192.0.2.1', '198.51.100.7'),
    line: 'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n',
    binary: '2111000c c0000201 c6336407 dc04 01bb',
  },
  {
    why: 'IPv6',
    ends: ends('2001:db8::1', '2001:db8::2'),
    line: 'PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n',
    binary: '21210024 20010db8000000000000000000000001 20010db8000000000000000000000002 dc04 01bb',
  },
  {
    why: 'an IPv4 client of an IPv6 address: mapped',
    ends: ends('192.0.2.1', '2001:db8::2'),
    line: 'PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 56324 443\r\n',
    binary: '21210024 00000000000000000000ffffc0000201 20010db8000000000000000000000002 dc04 01bb',
  },
  {
    why: 'an IPv6 client of an IPv4 address: mapped',
    ends: ends('2001:db8::1', '198.51.100.7'),
    line: 'PROXY TCP6 2001:db8::1 ::ffff:198.51.100.7 56324 443\r\n',
    binary: '21210024 20010db8000000000000000000000001 00000000000000000000ffffc6336407 dc04 01bb',
  },
  {
    why: 'both mapped: IPv4',
    ends: ends('192.0.2.1', '::ffff:198.51.100.7'),
    line: 'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n',
    binary: '2111000c c0000201 c6336407 dc04 01bb',
  },
  {
    why: 'a scope is not for others',
    ends: ends('fe80::1%eth0', 'fe80::2'),
    line: 'PROXY TCP6 fe80::1 fe80::2 56324 443\r\n',
    binary: '21210024 fe800000000000000000000000000001 fe800000000000000000000000000002 dc04 01bb',
  },
  {
    why: 'a client of a Unix socket',
    ends: unix,
    line: 'PROXY UNKNOWN\r\n',
    binary: `213100d8 ${'00'.repeat(108)} ${Buffer.from('/run/front.sock').toString('hex')}${'00'.repeat(93)}`,
  },
];

describe.each(cases)('$why', ({ ends, line, binary }) => {
  test('version 1', () => expect(proxyHeader(v1, ends, {}, 'tcp').toString()).toBe(line));

  const digits = binary.replaceAll(' ', '');

  test('version 2', () => expect(proxyHeader(v2, ends, {}, 'tcp').toString('hex')).toBe(signature + digits));

  // Section 2.2: the low half of the byte with the family is 2, for DGRAM.
  test('of a datagram, version 2 always', () => {
    const header = proxyHeader(v2, ends, {}, 'udp');
    expect(header.toString('hex')).toBe(`${signature}${digits.slice(0, 3)}2${digits.slice(4)}`);
    expect(proxyHeader(v1, ends, {}, 'udp')).toEqual(header);
    expect(readProxyHeader(header, 'udp')).toMatchObject({ verdict: 'header' });
    expect(readProxyHeader(header, 'tcp')).toEqual({ verdict: 'no' });
  });
});

test('a line with the longest addresses is as long as the specification allows', () => {
  const longest = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';
  const address = { host: longest, port: 65_535 };
  expect(proxyHeader(v1, { source: address, destination: address }, {}, 'tcp').length).toBeLessThanOrEqual(
    107,
  );
});

test('of a connection of our own', () => {
  expect(ownProxyHeader(v1).toString()).toBe('PROXY UNKNOWN\r\n');
  expect(ownProxyHeader(v2).toString('hex')).toBe(`${signature}20000000`);
});

describe('TLVs', () => {
  const ipv4 = ends('192.0.2.1', '198.51.100.7');
  const told = { alpn: 'h2', authority: 'a.example', unique_id: '0-1-2' };

  test('are in the order that was asked for, and the reader finds them', () => {
    const header = proxyHeader(
      { version: 'v2', tlvs: ['authority', 'crc32c', 'unique_id', 'alpn'] },
      ipv4,
      told,
      'tcp',
    );
    expect(header.subarray(28, 31)).toEqual(Buffer.from(hex('02 00 09')));
    expect(readProxyHeader(header, 'tcp')).toMatchObject({
      verdict: 'header',
      header: {
        headerBytes: header.length,
        facts: { proxy_authority: 'a.example', proxy_alpn: 'h2', proxy_unique_id: '0-1-2' },
        doubtful: [],
      },
    });
  });

  test('the checksum covers every byte', () => {
    const header = proxyHeader({ version: 'v2', tlvs: ['crc32c', 'authority'] }, ipv4, told, 'tcp');
    for (const at of [16, 20, 25, 40, header.length - 1]) {
      const altered = Buffer.from(header);
      altered.writeUInt8(header.readUInt8(at) ^ 1, at);
      expect(readProxyHeader(altered, 'tcp').verdict, `byte ${at}`).not.toBe('header');
    }
  });

  test('what is not known, or too long, is left out', () => {
    const options: ProxyProtocolOptions = { version: 'v2', tlvs: ['alpn', 'authority', 'unique_id'] };
    const header = proxyHeader(options, ipv4, { authority: 'a'.repeat(256), unique_id: '' }, 'tcp');
    expect(header).toEqual(proxyHeader(v2, ipv4, {}, 'tcp'));
  });

  test('of version 2 only', () => {
    const options: ProxyProtocolOptions = { version: 'v1', tlvs: [] };
    expect(proxyHeader(options, ipv4, told, 'tcp')).toEqual(proxyHeader(v1, ipv4, {}, 'tcp'));
  });
});
