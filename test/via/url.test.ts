/** URLs of proxies: what is read of them, and what is said of those that are wrong, without their password. */
import { describe, expect, test } from 'vitest';
import { hopText, hopUrl, readHop } from '../../src/via/url.js';

test.each([
  ['http://proxy:3128', { scheme: 'http', host: 'proxy', port: 3128, user: null, password: null }],
  [
    'HTTPS://proxy.example:80/',
    { scheme: 'https', host: 'proxy.example', port: 80, user: null, password: null },
  ],
  [
    'http://[2001:db8:0::1]:8080',
    { scheme: 'http', host: '2001:db8::1', port: 8080, user: null, password: null },
  ],
  ['socks5://10.0.0.1', { scheme: 'socks5', host: '10.0.0.1', port: 1080, user: null, password: null }],
  ['socks5h://[::1]', { scheme: 'socks5', host: '::1', port: 1080, user: null, password: null }],
  ['socks4a://al@proxy:81', { scheme: 'socks4a', host: 'proxy', port: 81, user: 'al', password: null }],
  ['http://al:@proxy:1', { scheme: 'http', host: 'proxy', port: 1, user: 'al', password: '' }],
  [
    'http://al:p%40s%2F%25%C3%A9@proxy:1',
    { scheme: 'http', host: 'proxy', port: 1, user: 'al', password: 'p@s/%é' },
  ],
])('%s', (url, expected) => {
  const read = readHop(url);
  expect(read).toEqual({ hop: expected });
});

describe('wrong', () => {
  test.each([
    ['proxy:3128', 'it begins with `http://`, `https://`, `socks5://` or `socks4a://`'],
    ['ftp://proxy:3128', 'it begins with'],
    ['socks4://proxy', 'SOCKS4 can not look up names: write `socks4a://`'],
    ['socks://proxy', 'write `socks5://` or `socks4a://`'],
    ['http://proxy', 'the port is missing: write `http://proxy:3128`'],
    ['https://[::1]', 'the port is missing: write `https://[::1]:3128`'],
    ['http://proxy:0', 'its host is a name or an address, with a port from 1 to 65535'],
    ['http://proxy:70000', 'its host is a name or an address'],
    ['http://pro xy:1', 'its host is a name or an address'],
    ['http://:3128', 'its host is a name or an address'],
    ['http://::1:3128', 'an IPv6 address is in brackets'],
    ['http://proxy:3128/path', 'nothing follows its port'],
    ['http://proxy:3128?x', 'its host is a name'],
    ['http://al:s@cret@proxy:1', 'write `%40` for `@`'],
    ['http://al:s/cret@proxy:1', 'write `%40` for `@`, `%2F` for `/`'],
    ['http://al:s:cret@proxy:1', '`%3A` for `:`'],
    ['http://al:secret%@proxy:1', 'write `%25` for `%`'],
    ['http://al:secret%ff@proxy:1', 'write `%25` for `%`'],
    ['http://:secret@proxy:1', 'the user is missing'],
    ['http://a%3Al:secret@proxy:1', 'a user of HTTP has no colon'],
    ['http://al:secret%0d%0aX:1@proxy:1', 'for `:`'],
    ['http://al:secret%0d%0aX@proxy:1', 'no control characters'],
    ['socks5://al@proxy', 'SOCKS5 wants user and password'],
    ['socks5://al:@proxy', 'SOCKS5 wants user and password'],
    ['socks4a://al:secret@proxy', 'SOCKS4 has a user, and no password'],
    [`http://al:${'secret'.repeat(50)}@proxy:1`, 'at most 255 bytes'],
  ])('%s: %s', (url, fault) => {
    const read = readHop(url);
    expect('fault' in read ? read.fault : read).toContain(fault);
    expect(JSON.stringify(read)).not.toMatch(/secret|cret/);
  });
});

test('as text: without who asks, and with', () => {
  const read = readHop("socks5://a'l:p%40(w)@[::1]");
  if ('fault' in read) throw new Error(read.fault);
  expect(hopText(read.hop)).toBe('socks5://[::1]:1080');
  expect(hopUrl(read.hop)).toBe('socks5://a%27l:p%40%28w%29@[::1]:1080');
  expect(readHop(hopUrl(read.hop))).toEqual(read);
});
