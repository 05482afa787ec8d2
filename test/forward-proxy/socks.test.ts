/** Requests of SOCKS 4, 4a and 5: good ones at every cut, and hostile ones. */
import { describe, expect, test } from 'vitest';
import type { Reading } from '../../src/forward-proxy/reading.js';
import { readSocks4 } from '../../src/forward-proxy/socks4.js';
import {
  readSocks5Credentials,
  readSocks5Greeting,
  readSocks5Request,
} from '../../src/forward-proxy/socks5.js';
import { hex, text } from '../cases/case.js';

interface Good {
  readonly why: string;
  readonly read: (bytes: Uint8Array) => Reading<{ readonly verdict: string }>;
  readonly bytes: Uint8Array;
  readonly found: object;
}

const at = (host: string, port: number) => ({ verdict: 'request', destination: { host, port } });
const credentials = (name: string, password: Uint8Array) => ({
  verdict: 'credentials',
  credentials: { name, password },
});

const good: readonly Good[] = [
  { why: '4', read: readSocks4, bytes: hex('04 01 01bb c0000207 00'), found: at('192.0.2.7', 443) },
  {
    why: '4 with a user',
    read: readSocks4,
    bytes: text('\x04\x01\x01\xbb\xc0\0\x02\x07me\0'),
    found: at('192.0.2.7', 443),
  },
  {
    why: '4a',
    read: readSocks4,
    bytes: text('\x04\x01\x01\xbb\0\0\0\x01\0Example.com\0'),
    found: at('example.com', 443),
  },
  {
    why: '4a with a user',
    read: readSocks4,
    bytes: text('\x04\x01\0\x16\0\0\0\xffme\0example.com.\0'),
    found: at('example.com', 22),
  },
  {
    why: '4 to 0.0.0.0, which is no name',
    read: readSocks4,
    bytes: hex('04 01 01bb 00000000 00'),
    found: at('0.0.0.0', 443),
  },
  {
    why: '4 with the longest user',
    read: readSocks4,
    bytes: text(`\x04\x01\x01\xbb\xc0\0\x02\x07${'u'.repeat(255)}\0`),
    found: at('192.0.2.7', 443),
  },
  {
    why: '5: a greeting',
    read: readSocks5Greeting,
    bytes: hex('05 02 00 02'),
    found: { verdict: 'greeting', methods: [0, 2] },
  },
  {
    why: '5: all methods',
    read: readSocks5Greeting,
    bytes: Buffer.concat([hex('05 ff'), Buffer.alloc(255, 7)]),
    found: { verdict: 'greeting', methods: Array(255).fill(7) },
  },
  {
    why: '5: credentials',
    read: readSocks5Credentials,
    bytes: text('\x01\x05alice\x02pw'),
    found: credentials('alice', Buffer.from('pw')),
  },
  {
    why: '5: an empty password',
    read: readSocks5Credentials,
    bytes: text('\x01\x05alice\0'),
    found: credentials('alice', Buffer.alloc(0)),
  },
  {
    why: '5: a password that is no text',
    read: readSocks5Credentials,
    bytes: hex('01 01 61 02 ff00'),
    found: credentials('a', Buffer.from('ff00', 'hex')),
  },
  {
    why: '5: a name that no user has',
    read: readSocks5Credentials,
    bytes: hex('01 01 ff 01 61'),
    found: { verdict: 'credentials', credentials: null },
  },
  {
    why: '5: IPv4',
    read: readSocks5Request,
    bytes: hex('05 01 00 01 c0000207 01bb'),
    found: at('192.0.2.7', 443),
  },
  {
    why: '5: IPv6',
    read: readSocks5Request,
    bytes: hex('05 01 00 04 20010db8000000000000000000000007 01bb'),
    found: at('2001:db8::7', 443),
  },
  {
    why: '5: IPv4-mapped',
    read: readSocks5Request,
    bytes: hex('05 01 00 04 00000000000000000000ffff0a000001 01bb'),
    found: at('10.0.0.1', 443),
  },
  {
    why: '5: a name',
    read: readSocks5Request,
    bytes: text('\x05\x01\0\x03\x0bexample.com\x01\xbb'),
    found: at('example.com', 443),
  },
  {
    why: '5: an address as a name',
    read: readSocks5Request,
    bytes: text('\x05\x01\0\x03\x09192.0.2.7\x01\xbb'),
    found: at('192.0.2.7', 443),
  },
];

describe('good ones', () => {
  for (const { why, read, bytes, found } of good) {
    const whole = { ...found, taken: bytes.length };

    test(why, () => expect(read(bytes)).toEqual(whole));

    test(`${why}: what is behind it is not of it`, () => {
      for (const behind of [hex('00'), hex('05 01 00'), text('SSH-2.0-x\r\n')])
        expect(read(Buffer.concat([bytes, behind]))).toEqual(whole);
    });

    test(`${why}: every prefix needs more, and no more than there is`, () => {
      for (let cut = 0; cut < bytes.length; cut += 1) {
        const answer = read(bytes.subarray(0, cut));
        expect(answer.verdict).toBe('more');
        const { bytesNeeded } = answer as { bytesNeeded: number };
        expect(bytesNeeded).toBeGreaterThan(cut);
        expect(bytesNeeded).toBeLessThanOrEqual(bytes.length);
      }
    });
  }
});

const PORT = 'the port is not a number from 1 to 65535';
const NOT_IPV4 = 'an IPv4 address is four decimal numbers from 0 to 255 without leading zeros';
const NO_HOST = 'the host is neither an address nor a host name (in ASCII: xn-- for other scripts)';

describe('refused', () => {
  test.each([
    {
      why: '4: BIND',
      read: readSocks4,
      bytes: hex('04 02 01bb c0000207 00'),
      cause: 'command',
      fault: 'of the commands of SOCKS 4 only CONNECT is served',
    },
    {
      why: '4: another version',
      read: readSocks4,
      bytes: hex('03 01 01bb c0000207 00'),
      cause: 'malformed',
      fault: 'the request is not of SOCKS 4',
    },
    {
      why: '4: port 0',
      read: readSocks4,
      bytes: hex('04 01 0000 c0000207 00'),
      cause: 'malformed',
      fault: PORT,
    },
    {
      why: '4: a user without end',
      read: readSocks4,
      bytes: Buffer.concat([hex('04 01 01bb c0000207'), Buffer.alloc(256, 0x61)]),
      cause: 'malformed',
      fault: 'the user is too long',
    },
    {
      why: '4a: a name without end',
      read: readSocks4,
      bytes: Buffer.concat([hex('04 01 01bb 00000001 00'), Buffer.alloc(256, 0x61)]),
      cause: 'malformed',
      fault: 'the host name is too long',
    },
    {
      why: '4a: no name',
      read: readSocks4,
      bytes: hex('04 01 01bb 00000001 00 00'),
      cause: 'malformed',
      fault: NO_HOST,
    },
    {
      why: '4a: a number for a name',
      read: readSocks4,
      bytes: text('\x04\x01\x01\xbb\0\0\0\x01\x000x7f000001\0'),
      cause: 'malformed',
      fault: NOT_IPV4,
    },
    {
      why: '5: no method',
      read: readSocks5Greeting,
      bytes: hex('05 00 00'),
      cause: 'malformed',
      fault: 'the greeting is not of SOCKS 5',
    },
    {
      why: '5: a greeting of another version',
      read: readSocks5Greeting,
      bytes: hex('04 01 00'),
      cause: 'malformed',
      fault: 'the greeting is not of SOCKS 5',
    },
    {
      why: '5: credentials of another version',
      read: readSocks5Credentials,
      bytes: text('\x05\x01a\x01b'),
      cause: 'malformed',
      fault: 'user and password are not as RFC 1929 says',
    },
    {
      why: '5: BIND',
      read: readSocks5Request,
      bytes: hex('05 02 00 01 c0000207 01bb'),
      cause: 'command',
      fault: 'of the commands of SOCKS 5 only CONNECT is served',
    },
    {
      why: '5: UDP ASSOCIATE',
      read: readSocks5Request,
      bytes: hex('05 03 00 01 00000000 0000'),
      cause: 'command',
      fault: 'of the commands of SOCKS 5 only CONNECT is served',
    },
    {
      why: '5: another type of address',
      read: readSocks5Request,
      bytes: hex('05 01 00 02 c0000207 01bb'),
      cause: 'address_type',
      fault: 'the address is neither IPv4 nor IPv6 nor a name (RFC 1928 section 5)',
    },
    {
      why: '5: another version',
      read: readSocks5Request,
      bytes: hex('04 01 00 01 c0000207 01bb'),
      cause: 'malformed',
      fault: 'the request is not of SOCKS 5',
    },
    {
      why: '5: the reserved byte is in use',
      read: readSocks5Request,
      bytes: hex('05 01 01 01 c0000207 01bb'),
      cause: 'malformed',
      fault: 'the request is not of SOCKS 5',
    },
    {
      why: '5: port 0',
      read: readSocks5Request,
      bytes: hex('05 01 00 01 c0000207 0000'),
      cause: 'malformed',
      fault: PORT,
    },
    {
      why: '5: an empty name',
      read: readSocks5Request,
      bytes: hex('05 01 00 03 00 01bb'),
      cause: 'malformed',
      fault: NO_HOST,
    },
    {
      why: '5: a decimal number for a name',
      read: readSocks5Request,
      bytes: text('\x05\x01\0\x03\x0a2130706433\x01\xbb'),
      cause: 'malformed',
      fault: NOT_IPV4,
    },
    {
      why: '5: NUL in a name',
      read: readSocks5Request,
      bytes: text('\x05\x01\0\x03\x06a.b\0cd\x01\xbb'),
      cause: 'malformed',
      fault: NO_HOST,
    },
    {
      why: '5: a zone',
      read: readSocks5Request,
      bytes: text('\x05\x01\0\x03\x0cfe80::1%eth0\x01\xbb'),
      cause: 'malformed',
      fault: 'the IPv6 address is not well-formed, or has a zone',
    },
  ])('$why', ({ read, bytes, cause, fault }) =>
    expect(read(bytes)).toEqual({ verdict: 'refuse', cause, why: fault }),
  );
});
