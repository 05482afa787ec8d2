/** Every way of asking a proxy: what it is sent, and what its answers mean, cut at every byte. */
import { describe, expect, test } from 'vitest';
import type { Ask, AskVerdict } from '../../src/model/facts.js';
import type { Hop } from '../../src/model/via.js';
import { HEAD_BYTES_MAX } from '../../src/via/http-connect.js';
import { asksThrough, placed, placeOf } from '../../src/via/index.js';
import { readHop } from '../../src/via/url.js';

const hop = (url: string): Hop => {
  const read = readHop(url);
  if ('fault' in read) throw new Error(read.fault);
  return read.hop;
};

const asks = (endpoint: string, ...urls: string[]): readonly Ask[] =>
  asksThrough(urls.map(hop), placeOf(endpoint));
const only = (endpoint: string, url: string): Ask => {
  const [ask, ...others] = asks(endpoint, url);
  expect(others).toEqual([]);
  return ask as Ask;
};

const bytes = (text: string) => Buffer.from(text, 'latin1');
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const text = (ask: Ask) => Buffer.from(ask.bytes).toString('latin1');

/** As the worker and a probe do it: never fewer bytes than are awaited, more of them as they are asked for. */
function hear(ask: Ask, answer: Uint8Array): AskVerdict {
  for (let got = ask.expected; got <= answer.length; ) {
    const verdict = ask.judge(answer.subarray(0, got));
    if (verdict.verdict !== 'more') return verdict;
    expect(verdict.bytesNeeded).toBeGreaterThan(got);
    got = verdict.bytesNeeded;
  }
  return { verdict: 'more', bytesNeeded: answer.length + 1 };
}

/** The answer is as long as said, also with bytes of the session behind it, and nothing shorter is one. */
function expectYes(ask: Ask, answer: Uint8Array): void {
  expect(hear(ask, answer)).toMatchObject({ verdict: 'yes', bytes: answer.length });
  const session = Buffer.concat([answer, bytes('SSH-2.0-x\r\n\r\n')]);
  expect(ask.judge(session)).toMatchObject({ verdict: 'yes', bytes: answer.length });
  for (let length = ask.expected; length < answer.length; length += 1)
    expect(ask.judge(answer.subarray(0, length)).verdict).toBe('more');
}

describe('HTTP', () => {
  test('CONNECT with a Host, and without credentials where none are configured', () => {
    expect(text(only('db.example:5432', 'http://proxy:3128'))).toBe(
      'CONNECT db.example:5432 HTTP/1.1\r\nHost: db.example:5432\r\n\r\n',
    );
    expect(text(only('[2001:db8::1]:22', 'http://proxy:3128'))).toMatch(/^CONNECT \[2001:db8::1\]:22 HTTP/);
  });

  test('credentials are decoded, and sent as UTF-8', () => {
    const sent = text(only('db:1', 'https://al%C3%A9:p%40s%3As@proxy:443'));
    const basic = /Proxy-Authorization: Basic (\S+)\r\n\r\n$/.exec(sent)?.[1] ?? '';
    expect(Buffer.from(basic, 'base64').toString('utf8')).toBe('alé:p@s:s');
  });

  const ask = only('db:1', 'http://proxy:3128');

  test.each([
    ['a plain answer', 'HTTP/1.1 200 Connection established\r\n\r\n'],
    ['without a reason', 'HTTP/1.0 200\r\n\r\n'],
    ['another success', 'HTTP/1.1 299 Fine\r\n\r\n'],
    ['with fields', 'HTTP/1.1 200 OK\r\nVia: 1.1 proxy\r\nContent-Length: 7\r\n\r\n'],
    [
      'interim answers before it',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
    ],
    ['bare line feeds', 'HTTP/1.0 200 OK\nServer: old\n\n'],
  ])('%s: connected', (_, answer) => expectYes(ask, bytes(answer)));

  test.each([
    [
      'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\nno',
      'answers 407 Proxy Authentication Required',
      'proxy',
    ],
    ['HTTP/1.1 403 Forbidden\r\n\r\n', 'answers 403 Forbidden', 'proxy'],
    ['HTTP/1.1 502 Bad Gateway\r\n\r\n', 'answers 502 Bad Gateway', undefined],
    ['HTTP/1.1 503\r\n\r\n', 'answers 503', undefined],
    ['HTTP/1.1 504 Gateway Timeout\r\n\r\n', 'answers 504 Gateway Timeout', undefined],
    ['HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n', 'answers 302 Found', 'proxy'],
    ['HTTP/1.1 101 Switching Protocols\r\n\r\n', 'answers 101 Switching Protocols', 'proxy'],
    ['HTTP/1.1 403 \x1b[2J\x07red\x9b\r\n\r\n', 'answers 403 \\x1b[2J\\x07red\\x9b', 'proxy'],
    ['SSH-2.0-OpenSSH_9.2p1 Debian\r\n', 'does not answer as an HTTP proxy', 'proxy'],
    ['HTTP/2.0 200 OK\r\n\r\n', 'does not answer as an HTTP proxy', 'proxy'],
    ['HTTP/1.1 2000 OK\r\n\r\n', 'does not answer as an HTTP proxy', 'proxy'],
  ])('%j: %s', (answer, why, blames) => {
    expect(hear(ask, bytes(answer))).toEqual({ verdict: 'no', why, ...(blames && { blames }) });
  });

  test('a long reason is cut', () => {
    const verdict = hear(ask, bytes(`HTTP/1.1 403 ${'x'.repeat(2000)}\r\n\r\n`));
    expect(verdict.verdict === 'no' && verdict.why.length).toBe('answers 403 '.length + 80);
  });

  test('a head has at most 4 KiB, interim ones included', () => {
    const fits = `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(HEAD_BYTES_MAX - 24)}\r\n\r\n`;
    expect(fits).toHaveLength(HEAD_BYTES_MAX);
    expectYes(ask, bytes(fits));
    const why = 'answers with a head of over 4096 bytes';
    expect(hear(ask, bytes(fits.replace('x:', 'xx:')))).toMatchObject({ verdict: 'no', why });
    expect(hear(ask, bytes('HTTP/1.1 100 Continue\r\n\r\n'.repeat(1000)))).toMatchObject({
      verdict: 'no',
      why,
    });
  });
});

describe('SOCKS5', () => {
  test('without a user: no authentication is offered, and the name goes to the proxy', () => {
    const [greeting, request, ...rest] = asks('db.example:5432', 'socks5h://proxy');
    expect(rest).toEqual([]);
    expect(greeting?.bytes).toEqual(new Uint8Array(hex('05 01 00')));
    expect(Buffer.from(request?.bytes ?? [])).toEqual(
      Buffer.concat([hex('05 01 00 03 0a'), bytes('db.example'), hex('15 38')]),
    );
  });

  test('addresses go as addresses', () => {
    expect(Buffer.from(asks('10.0.0.1:80', 'socks5://p')[1]?.bytes ?? [])).toEqual(
      hex('05 01 00 01 0a000001 0050'),
    );
    expect(Buffer.from(asks('[2001:db8::1]:80', 'socks5://p')[1]?.bytes ?? [])).toEqual(
      hex('05 01 00 04 20010db8000000000000000000000001 0050'),
    );
  });

  test('with a user: both methods are offered, and the proxy chooses whether it is told', () => {
    const [greeting, credentials, request] = asks('db:1', 'socks5://al:pw@proxy');
    expect(greeting?.bytes).toEqual(new Uint8Array(hex('05 02 00 02')));
    expect(Buffer.from(credentials?.bytes ?? [])).toEqual(
      Buffer.concat([hex('01 02'), bytes('al'), hex('02'), bytes('pw')]),
    );
    expect(request?.words).toBe('a SOCKS5 request for db:1');
    expect(greeting?.judge(hex('05 02'))).toMatchObject({ verdict: 'yes', bytes: 2, skips: 0 });
    expect(greeting?.judge(hex('05 00'))).toMatchObject({ verdict: 'yes', bytes: 2, skips: 1 });
  });

  test.each([
    ['socks5://al:pw@p', '05 ff', 'accepts neither no authentication nor user and password'],
    ['socks5://p', '05 ff', 'wants authentication, and no user and password are configured'],
    ['socks5://p', '05 02', 'chooses method 2, which was not offered'],
    ['socks5://p', '48 54', 'does not answer as a SOCKS5 proxy'],
  ])('%s, greeted by %s: %s', (url, answer, why) => {
    expect(asks('db:1', url)[0]?.judge(hex(answer))).toEqual({ verdict: 'no', why, blames: 'proxy' });
  });

  test('a user that is refused', () => {
    const credentials = asks('db:1', 'socks5://al:pw@p')[1];
    expect(credentials?.judge(hex('01 01'))).toEqual({
      verdict: 'no',
      why: 'refuses user and password',
      blames: 'proxy',
    });
    expect(credentials?.judge(hex('01 00'))).toMatchObject({ verdict: 'yes', bytes: 2 });
  });

  const request = asks('db:1', 'socks5://p')[1] as Ask;

  test.each([
    ['an IPv4 address', '05 00 00 01 7f000001 1f90'],
    ['an IPv6 address', '05 00 00 04 20010db8000000000000000000000001 1f90'],
    ['a name', `05 00 00 03 07 ${bytes('db.home').toString('hex')} 1f90`],
    ['an empty name', '05 00 00 03 00 0000'],
  ])('a reply with %s: connected', (_, answer) => expectYes(request, hex(answer)));

  test.each([
    ['05 01', 'answers 1, general failure', undefined],
    ['05 02 00 01 00000000 0000', 'answers 2, not allowed', 'proxy'],
    ['05 04 00 01 00000000 0000', 'answers 4, host unreachable', undefined],
    ['05 05 00 01 00000000 0000', 'answers 5, connection refused', undefined],
    ['05 08 00 01', 'answers 8, address type not supported', 'proxy'],
    ['05 91 00 01', 'answers 145, an unknown reason', 'proxy'],
    ['05 00 00 07 00', 'does not answer as a SOCKS5 proxy', 'proxy'],
    ['00 5a', 'does not answer as a SOCKS5 proxy', 'proxy'],
  ])('%s: %s', (answer, why, blames) => {
    expect(hear(request, hex(answer))).toEqual({ verdict: 'no', why, ...(blames && { blames }) });
  });
});

describe('SOCKS4a', () => {
  test('a name follows the user; an IPv4 address is one', () => {
    expect(Buffer.from(only('db.example:80', 'socks4a://al@proxy').bytes)).toEqual(
      Buffer.concat([hex('04 01 0050 00000001'), bytes('al\0db.example\0')]),
    );
    expect(Buffer.from(only('10.0.0.1:80', 'socks4a://proxy').bytes)).toEqual(hex('04 01 0050 0a000001 00'));
  });

  const ask = only('db:1', 'socks4a://p');
  test('granted', () => expectYes(ask, hex('00 5a 0050 0a000001')));
  test.each([
    ['00 5b 0000 00000000', 'answers 91, rejected or failed', undefined],
    ['00 5d 0000 00000000', 'answers 93, does not accept the user', 'proxy'],
    ['05 ff 0000 00000000', 'does not answer as a SOCKS4 proxy', 'proxy'],
  ])('%s: %s', (answer, why, blames) => {
    expect(hear(ask, hex(answer))).toEqual({ verdict: 'no', why, ...(blames && { blames }) });
  });
});

describe('chains', () => {
  const chain = asks('db:5432', 'http://one:3128', 'socks5://al:pw@two', 'socks4a://three:1081');

  test('each proxy is asked for the next one, and the last for the endpoint', () => {
    expect(chain.map(({ proxy, words }) => `${proxy} ${words}`)).toEqual([
      'one:3128 CONNECT two:1080',
      'two:1080 a SOCKS5 greeting',
      'two:1080 user and password',
      'two:1080 a SOCKS5 request for three:1081',
      'three:1081 a SOCKS4 request for db:5432',
    ]);
  });

  test('only the last request is about the endpoint', () => {
    expect(chain.map(({ blames }) => blames)).toEqual(['proxy', 'proxy', 'proxy', 'proxy', undefined]);
  });

  test('a fault is said with its place', () => {
    expect(placed(chain[1] as Ask, 'ECONNRESET')).toBe('via two:1080: ECONNRESET');
    expect(placed({}, 'ECONNRESET')).toBe('ECONNRESET');
  });
});

test('no answer is too odd: random bytes are judged, within their length', () => {
  const all = [
    ...asks('db:1', 'http://p:1'),
    ...asks('db:1', 'socks5://a:b@p'),
    ...asks('db:1', 'socks4a://p'),
  ];
  let seed = 7;
  const next = () => (seed = (seed * 1_103_515_245 + 12_345) & 0x7fff_ffff);
  for (let round = 0; round < 2000; round += 1) {
    const answer = Uint8Array.from({ length: 2 + (next() % 40) }, () => next() >> 8);
    for (const ask of all) {
      if (answer.length < ask.expected) continue;
      const verdict = ask.judge(answer);
      if (verdict.verdict === 'yes') expect(verdict.bytes).toBeLessThanOrEqual(answer.length);
      if (verdict.verdict === 'more') expect(verdict.bytesNeeded).toBeGreaterThan(answer.length);
    }
  }
});
