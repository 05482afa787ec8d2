/** Destinations as they are sent: what is dialled, and what is refused because others would read it otherwise. */
import { describe, expect, test } from 'vitest';
import { destinationOf, readAuthority } from '../../src/forward-proxy/destination.js';

const PORT_RANGE = 'the port is not a number from 1 to 65535';
const NOT_IPV4 = 'an IPv4 address is four decimal numbers from 0 to 255 without leading zeros';
const NO_HOST = 'the host is neither an address nor a host name (in ASCII: xn-- for other scripts)';
const NOT_AUTHORITY = 'the destination is not HOST:PORT, with an IPv6 address in brackets and without a zone';

describe('taken', () => {
  test.each([
    { text: 'example.com:443', host: 'example.com', port: 443 },
    { text: 'EXAMPLE.Com:443', host: 'example.com', port: 443 },
    { text: 'example.com.:443', host: 'example.com', port: 443 },
    { text: 'localhost:1', host: 'localhost', port: 1 },
    { text: '_service.example.com:65535', host: '_service.example.com', port: 65535 },
    { text: 'xn--bcher-kva.example:443', host: 'xn--bcher-kva.example', port: 443 },
    { text: '1.2.3.example:443', host: '1.2.3.example', port: 443 },
    { text: '3com.com:443', host: '3com.com', port: 443 },
    { text: '0xcafe.example:443', host: '0xcafe.example', port: 443 },
    { text: `${'a'.repeat(63)}.example:443`, host: `${'a'.repeat(63)}.example`, port: 443 },
    { text: '192.0.2.7:443', host: '192.0.2.7', port: 443 },
    { text: '[2001:DB8:0:0::7]:443', host: '2001:db8::7', port: 443 },
    { text: '[::ffff:10.0.0.1]:443', host: '10.0.0.1', port: 443 },
    { text: '[0:0:0:0:0:FFFF:a00:1]:443', host: '10.0.0.1', port: 443 },
    { text: '[64:ff9b::10.0.0.1]:443', host: '64:ff9b::a00:1', port: 443 },
  ])('$text', ({ text, host, port }) => expect(readAuthority(text)).toEqual({ host, port }));
});

describe('refused', () => {
  test.each([
    { why: 'without a port', text: 'example.com', fault: 'the destination has no port' },
    { why: 'IPv6 without a port', text: '[2001:db8::7]', fault: 'the destination has no port' },
    { why: 'nothing', text: '', fault: 'the destination has no port' },
    { why: 'an empty port', text: 'example.com:', fault: PORT_RANGE },
    { why: 'port 0', text: 'example.com:0', fault: PORT_RANGE },
    { why: 'a port over 65535', text: 'example.com:65536', fault: PORT_RANGE },
    { why: 'a port with a leading zero', text: 'example.com:0443', fault: PORT_RANGE },
    { why: 'a port with a sign', text: 'example.com:+443', fault: PORT_RANGE },
    { why: 'a port in hexadecimal', text: 'example.com:0x1bb', fault: PORT_RANGE },
    { why: 'two ports', text: 'example.com:80:443', fault: NOT_AUTHORITY },
    { why: 'IPv6 without brackets', text: '::1:443', fault: NOT_AUTHORITY },
    { why: 'IPv6 with a zone', text: '[fe80::1%eth0]:443', fault: NOT_AUTHORITY },
    { why: 'IPv6 with an encoded zone', text: '[fe80::1%25eth0]:443', fault: NOT_AUTHORITY },
    { why: 'IPvFuture', text: '[v1.fe80::a]:443', fault: NOT_AUTHORITY },
    { why: 'a name in brackets', text: '[example.com]:443', fault: NO_HOST },
    {
      why: 'no IPv6 address in brackets',
      text: '[1.2.3.4]:443',
      fault: 'the IPv6 address is not well-formed',
    },
    { why: 'a user', text: 'user@example.com:443', fault: NO_HOST },
    { why: 'a user and a password', text: 'user:pw@example.com:443', fault: NOT_AUTHORITY },
    { why: 'a scheme', text: 'https://example.com:443', fault: NOT_AUTHORITY },
    { why: 'a path', text: 'example.com/x:443', fault: NO_HOST },
    { why: 'no host', text: ':443', fault: NO_HOST },
    { why: 'the root alone', text: '.:443', fault: NO_HOST },
    { why: 'an empty label', text: 'a..example:443', fault: NO_HOST },
    { why: 'two trailing dots', text: 'example.com..:443', fault: NO_HOST },
    { why: 'a leading hyphen', text: '-a.example:443', fault: NO_HOST },
    { why: 'a long label', text: `${'a'.repeat(64)}.example:443`, fault: NO_HOST },
    { why: 'a long name', text: `${'a.'.repeat(126)}aa:443`, fault: NO_HOST },
    { why: 'a wildcard', text: '*.example.com:443', fault: NO_HOST },
    { why: 'NUL', text: 'good.example\0.evil.example:443', fault: NO_HOST },
    { why: 'a line end', text: 'example.com\r\nX: y:443', fault: NOT_AUTHORITY },
    { why: 'a percent-encoded dot', text: 'example%2ecom:443', fault: NO_HOST },
    { why: 'Latin-1', text: 'b\xfccher.example:443', fault: NO_HOST },
    {
      why: 'fullwidth digits and dots, which IDNA maps to ASCII',
      text: '１２７。0。0。1:443',
      fault: NO_HOST,
    },
    { why: 'IPv4 as one decimal number', text: '2130706433:443', fault: NOT_IPV4 },
    { why: 'IPv4 as one hexadecimal number', text: '0x7f000001:443', fault: NOT_IPV4 },
    { why: 'IPv4 as one octal number', text: '017700000001:443', fault: NOT_IPV4 },
    { why: 'IPv4 of two parts', text: '127.1:443', fault: NOT_IPV4 },
    { why: 'IPv4 of three parts', text: '127.0.1:443', fault: NOT_IPV4 },
    { why: 'IPv4 of five parts', text: '1.2.3.4.5:443', fault: NOT_IPV4 },
    { why: 'IPv4 with octal parts', text: '0177.0.0.01:443', fault: NOT_IPV4 },
    { why: 'IPv4 with a hexadecimal part', text: '10.0.0.0x1:443', fault: NOT_IPV4 },
    { why: 'IPv4 with a part over 255', text: '10.0.0.256:443', fault: NOT_IPV4 },
    { why: 'IPv4 with a trailing dot', text: '127.0.0.1.:443', fault: NOT_IPV4 },
    { why: 'a name that ends in a number', text: 'example.1:443', fault: NOT_IPV4 },
    { why: '`0x` as the last label', text: 'example.0x:443', fault: NOT_IPV4 },
  ])('$why', ({ text, fault }) => expect(readAuthority(text)).toEqual({ fault }));
});

describe('as SOCKS sends it', () => {
  test.each([
    { why: 'IPv6 without brackets', host: '2001:DB8::7', expect: { host: '2001:db8::7', port: 443 } },
    { why: 'IPv4-mapped', host: '::ffff:7f00:1', expect: { host: '127.0.0.1', port: 443 } },
    {
      why: 'a zone',
      host: 'fe80::1%1',
      expect: { fault: 'the IPv6 address is not well-formed, or has a zone' },
    },
    {
      why: 'brackets',
      host: '[::1]',
      expect: { fault: 'the IPv6 address is not well-formed, or has a zone' },
    },
    { why: 'an empty name', host: '', expect: { fault: NO_HOST } },
  ])('$why', (each) => expect(destinationOf(each.host, 443)).toEqual(each.expect));

  test.each([0, 65_536])('port %i', (port) =>
    expect(destinationOf('example.com', port)).toEqual({ fault: PORT_RANGE }),
  );
});
