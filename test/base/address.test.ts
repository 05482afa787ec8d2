import { describe, expect, test } from 'vitest';
import { listenFault, parseEndpoint, parseHost, parseListen } from '../../src/base/address.js';

describe('parseEndpoint', () => {
  const good = [
    { why: 'a name', text: 'web-server:80', is: { host: 'web-server', port: 80 } },
    { why: 'an IPv4 literal', text: '10.0.0.5:65535', is: { host: '10.0.0.5', port: 65_535 } },
    { why: 'an IPv6 literal', text: '[2001:db8::1]:1', is: { host: '2001:db8::1', port: 1 } },
    {
      why: 'names of containers have underscores',
      text: 'my_db.local:1',
      is: { host: 'my_db.local', port: 1 },
    },
    { why: 'a Unix socket', text: 'unix:/run/a.sock', is: { path: '/run/a.sock' } },
    { why: 'an abstract one', text: 'unix:@a', is: { path: '@a' } },
    { why: 'a registered service', text: 'service:orders', is: { service: 'orders' } },
    { why: 'port 80 of a host', text: 'service:80', is: { host: 'service', port: 80 } },
    { why: 'SRV records', text: 'srv:_redis._tcp.a.test', is: { service: '_redis._tcp.a.test' } },
    { why: 'an IPv4-mapped address', text: '[::ffff:10.0.0.5]:1', is: { host: '10.0.0.5', port: 1 } },
    { why: 'another spelling of IPv6', text: '[0:0:0::1]:1', is: { host: '::1', port: 1 } },
  ];
  test.each(good)('$text: $why', ({ text, is }) => expect(parseEndpoint(text)).toEqual(is));

  const bad = [
    { why: 'no port', text: 'web' },
    { why: 'no host', text: ':80' },
    { why: 'a registered service is one segment of a key', text: 'service:a/b' },
    { why: 'a registered service is no SRV record', text: 'service:_redis._tcp.a.test' },
    { why: 'SRV records have their ports', text: 'srv:_redis._tcp.a.test:6379' },
    { why: 'SRV records are of a service', text: 'srv:redis.a.test' },
    { why: 'port 0 can not be dialled', text: 'web:0' },
    { why: 'port over 65535', text: 'web:65536' },
    { why: 'a range is for listening', text: 'web:80-90' },
    { why: 'not an IPv4 literal, and no name is all digits', text: '300.1.1.1:80' },
    { why: 'IPv6 needs brackets', text: '2001:db8::1:80' },
    { why: 'brackets are for IPv6', text: '[10.0.0.1]:80' },
    { why: 'a label may not end with a hyphen', text: 'web-:80' },
    { why: 'an empty label', text: 'a..b:80' },
    { why: 'white space', text: 'we b:80' },
    { why: 'a path longer than a socket address holds', text: `unix:/${'x'.repeat(107)}` },
    { why: 'no path', text: 'unix:' },
    { why: 'no abstract name', text: 'unix:@' },
    { why: 'a NUL in a path', text: 'unix:/run/a\0b' },
  ];
  test.each(bad)('not $text: $why', ({ text }) => expect(parseEndpoint(text)).toBeNull());
});

describe('parseListen', () => {
  const good = [
    { why: 'no host is every interface', text: ':9090', is: ['::', 9090, ':9090'] },
    { why: 'a port alone', text: '9090', is: ['::', 9090, ':9090'] },
    { why: 'an IPv4 literal', text: '0.0.0.0:9090', is: ['0.0.0.0', 9090, '0.0.0.0:9090'] },
    { why: 'an IPv6 literal', text: '[::]:9090', is: ['::', 9090, '[::]:9090'] },
    { why: 'localhost needs no look-up', text: 'localhost:1', is: ['127.0.0.1', 1, 'localhost:1'] },
    { why: 'the system chooses a port', text: '127.0.0.1:0', is: ['127.0.0.1', 0, '127.0.0.1:0'] },
  ];
  test.each(good)('$text: $why', ({ text, is: [host, port, written] }) =>
    expect(parseListen(text)).toEqual([{ kind: 'inet', host, port, text: written }]),
  );

  test('a range is an address for each port', () => {
    const texts = parseListen('[::1]:9000-9002')?.map((address) => address.text);
    expect(texts).toEqual(['[::1]:9000', '[::1]:9001', '[::1]:9002']);
    expect(parseListen('9000-9010')).toHaveLength(11);
  });

  test('a Unix socket', () =>
    expect(parseListen('unix:/run/a.sock')).toEqual([
      { kind: 'unix', path: '/run/a.sock', text: 'unix:/run/a.sock' },
    ]));

  const bad = [
    { why: 'a name could be any address', text: 'example.com:80' },
    { why: 'a range that runs backwards', text: '9010-9000' },
    { why: 'a range past the last port', text: '65530-65536' },
    { why: 'no port', text: '127.0.0.1:' },
    { why: 'an address alone', text: '127.0.0.1' },
    { why: 'IPv6 without brackets', text: '::1:9090' },
    { why: 'nothing', text: '' },
  ];
  test.each(bad)('not "$text": $why', ({ text }) => expect(parseListen(text)).toBeNull());
});

describe('parseHost', () => {
  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['localhost', '127.0.0.1'],
    ['::1', '::1'],
    ['[0::1]', '::1'],
    ['[127.0.0.1]', null],
    ['fe80::1%eth0', null],
    ['[fe80::1%eth0]', null],
    ['127.0.0.1:80', null],
    ['web', null],
  ])('%s is %s', (text, is) => expect(parseHost(text)).toBe(is));
});

describe('listenFault', () => {
  const name = 'write an address of this machine, not a name';
  test.each([
    ['web', name],
    ['example.com:80', name],
    ['example.com:80-90', name],
    ['localhost', 'the port is missing: write `localhost:PORT`'],
    ['127.0.0.1', 'the port is missing: write `127.0.0.1:PORT`'],
    ['http://web:80', 'leave out `http://`'],
    [':65536', 'ports are 1 to 65535'],
    ['99999', 'ports are 1 to 65535'],
  ])('%s: %s', (text, fault) => expect(listenFault(text)).toBe(fault));
});
