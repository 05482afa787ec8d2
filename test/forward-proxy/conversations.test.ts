/** What clients are told, step by step, and refusals in the words of each protocol. */
import { describe, expect, test } from 'vitest';
import type { Conversation, Heard, Identity } from '../../src/forward-proxy/conversation.js';
import { ATTEMPTS_MAX } from '../../src/forward-proxy/conversations/http.js';
import { createConversation } from '../../src/forward-proxy/conversations/index.js';
import { type Refusal, refusals } from '../../src/forward-proxy/refusals.js';
import type { RefusalCause } from '../../src/model/connect-proxy.js';
import { asBuffer } from '../../src/protocols/cursor.js';
import { hex, text } from '../cases/case.js';

const begin = (protocol: string, hasUsers = false) => createConversation(protocol, hasUsers) as Conversation;
const latin1 = (bytes: Uint8Array) => asBuffer(bytes).toString('latin1');

function identityOf(heard: Heard): Identity {
  expect(heard.verdict).toBe('identity');
  return heard as Identity;
}

const EXAMPLE = { host: 'example.com', port: 443 };
const head = (...lines: string[]) =>
  text(`${['CONNECT example.com:443 HTTP/1.1', 'Host: a', ...lines].join('\r\n')}\r\n\r\n`);
/** alice:pw:x */
const ALICE = 'Proxy-Authorization: Basic YWxpY2U6cHc6eA==';

describe('http', () => {
  test('without users the request is all', () => {
    const client = begin('http');
    expect(client.read(head(ALICE), false)).toMatchObject({ verdict: 'request', destination: EXAMPLE });
    expect(latin1(client.granted)).toBe('HTTP/1.1 200 Connection established\r\n\r\n');
  });

  test('credentials are looked at before the destination', () => {
    const { credentials, accepted } = identityOf(begin('http', true).read(head(ALICE), false));
    expect(credentials).toEqual({ name: 'alice', password: Buffer.from('pw:x') });
    expect(accepted()).toMatchObject({ verdict: 'request', destination: EXAMPLE, taken: head(ALICE).length });
  });

  test.each([
    { why: 'none', line: 'X: y' },
    { why: 'another scheme', line: 'Proxy-Authorization: Bearer YWxpY2U6cHc=' },
    { why: 'no base64', line: 'Proxy-Authorization: Basic alice:pw' },
    { why: 'base64 of the URL alphabet', line: 'Proxy-Authorization: Basic YWxpY2U_cHc=' },
    { why: 'no colon', line: 'Proxy-Authorization: Basic YWxpY2U=' },
    { why: 'a control character in the name', line: 'Proxy-Authorization: Basic YQpiOmM=' },
    { why: 'a name that is not UTF-8', line: 'Proxy-Authorization: Basic /zph' },
    { why: 'too long', line: `Proxy-Authorization: Basic ${'YTph'.repeat(400)}` },
    { why: 'of a server', line: 'Authorization: Basic YWxpY2U6cHc=' },
  ])('no credentials: $why', ({ line }) =>
    expect(identityOf(begin('http', true).read(head(line), false)).credentials).toBeNull(),
  );

  test('a client that is asked for credentials may give them on the same connection', () => {
    const client = begin('http', true);
    const first = identityOf(client.read(head(), false)).rejected('the proxy asks for a user');
    expect(first).toMatchObject({ verdict: 'reply', taken: head().length });
    expect(latin1((first as { bytes: Uint8Array }).bytes)).toBe(
      'HTTP/1.1 407 Proxy Authentication Required\r\n' +
        'Proxy-Authenticate: Basic realm="anyport", charset="UTF-8"\r\n' +
        'Proxy-Status: anyport; error=http_request_denied; details="the proxy asks for a user"\r\n' +
        'Content-Type: text/plain; charset=utf-8\r\nContent-Length: 26\r\nConnection: keep-alive\r\n\r\n' +
        'the proxy asks for a user\n',
    );
    expect(identityOf(client.read(head(ALICE), false)).credentials?.name).toBe('alice');
  });

  test('but not for ever', () => {
    const client = begin('http', true);
    const answers = Array.from(
      { length: ATTEMPTS_MAX },
      () => identityOf(client.read(head(ALICE), false)).rejected('wrong').verdict,
    );
    expect(answers).toEqual([...Array(ATTEMPTS_MAX - 1).fill('reply'), 'refuse']);
  });

  test.each([
    { why: 'it closes', bytes: head('Connection: close') },
    { why: 'it is of HTTP/1.0', bytes: text('CONNECT example.com:443 HTTP/1.0\r\n\r\n') },
    { why: 'it has sent bytes for the tunnel already', bytes: Buffer.concat([head(), text('\x16\x03\x01')]) },
  ])('nor if $why', ({ bytes }) =>
    expect(identityOf(begin('http', true).read(bytes, false)).rejected('wrong')).toEqual({
      verdict: 'refuse',
      cause: 'credentials',
      why: 'wrong',
    }),
  );

  test('another method is told which one is served', () => {
    const client = begin('http');
    const heard = client.read(text('GET http://a.example/ HTTP/1.1\r\n'), false);
    expect(heard).toMatchObject({ verdict: 'refuse', cause: 'command' });
    expect(latin1(client.refusal('command', 'only CONNECT'))).toBe(
      'HTTP/1.1 405 Method Not Allowed\r\nAllow: CONNECT\r\n' +
        'Proxy-Status: anyport; error=http_request_denied; details="only CONNECT"\r\n' +
        'Content-Type: text/plain; charset=utf-8\r\nContent-Length: 13\r\nConnection: close\r\n\r\nonly CONNECT\n',
    );
  });

  test('HEAD is answered without content', () => {
    const client = begin('http');
    client.read(text('HEAD / HTTP/1.1\r\n'), false);
    expect(latin1(client.refusal('command', 'only CONNECT'))).toMatch(/Content-Length: 13\r\n.*\r\n\r\n$/);
  });

  test('what is said in a header can not leave it', () => {
    const refusal = latin1(begin('http').refusal('name', 'a"b\\c\r\nX: y é'));
    expect(refusal).toContain('details="a\\"b\\\\c??X: y ?"\r\n');
  });
});

describe('socks4', () => {
  test('is told in eight bytes', () => {
    const client = begin('socks4');
    expect(client.read(hex('04 01 01bb 08080808 00'), false)).toMatchObject({ verdict: 'request', taken: 9 });
    expect(latin1(client.granted)).toBe('\0\x5a\0\0\0\0\0\0');
    expect(latin1(client.refusal('destination', ''))).toBe('\0\x5b\0\0\0\0\0\0');
  });

  test('has no password, so it is not for users', () =>
    expect(begin('socks4', true).read(hex('04 01 01bb 08080808 00'), false)).toMatchObject({
      verdict: 'refuse',
      cause: 'credentials',
    }));
});

describe('socks5', () => {
  const request = text('\x05\x01\0\x03\x0bexample.com\x01\xbb');

  test('without users: method, request', () => {
    const client = begin('socks5');
    const chosen = client.read(hex('05 02 00 02'), false);
    expect(chosen).toEqual({ verdict: 'reply', bytes: Buffer.from(hex('05 00')), taken: 4 });
    expect(client.read(request, false)).toMatchObject({ verdict: 'request', destination: EXAMPLE });
    expect(latin1(client.granted)).toBe('\x05\0\0\x01\0\0\0\0\0\0');
    expect(latin1(client.refusal('connection', ''))).toBe('\x05\x05\0\x01\0\0\0\0\0\0');
  });

  test('with users: method, credentials, request', () => {
    const client = begin('socks5', true);
    expect(client.read(hex('05 02 00 02'), false)).toMatchObject({ bytes: Buffer.from(hex('05 02')) });
    const { credentials, accepted } = identityOf(client.read(text('\x01\x05alice\x02pw'), false));
    expect(credentials).toEqual({ name: 'alice', password: Buffer.from('pw') });
    expect(accepted()).toEqual({ verdict: 'reply', bytes: Buffer.from(hex('01 00')), taken: 10 });
    expect(client.read(request, false)).toMatchObject({ verdict: 'request', destination: EXAMPLE });
  });

  test('what a client sends without waiting is read step by step', () => {
    const client = begin('socks5', true);
    const all = Buffer.concat([hex('05 01 02'), text('\x01\x05alice\x02pw'), request]);
    expect(client.read(all, false)).toMatchObject({ verdict: 'reply', taken: 3 });
    const identity = identityOf(client.read(all.subarray(3), false));
    expect(identity.accepted()).toMatchObject({ verdict: 'reply', taken: 10 });
    expect(client.read(all.subarray(13), false)).toMatchObject({ verdict: 'request', taken: request.length });
  });

  test.each([
    { hasUsers: true, greeting: '05 01 00', why: 'the client offers no user and password' },
    { hasUsers: false, greeting: '05 01 02', why: 'the client offers no method without authentication' },
  ])('no common method: $why', ({ hasUsers, greeting, why }) => {
    const client = begin('socks5', hasUsers);
    expect(client.read(hex(greeting), false)).toEqual({ verdict: 'refuse', cause: 'credentials', why });
    expect(latin1(client.refusal('credentials', why))).toBe('\x05\xff');
  });

  test('wrong credentials end the connection', () => {
    const client = begin('socks5', true);
    client.read(hex('05 01 02'), false);
    const { rejected } = identityOf(client.read(text('\x01\x05alice\x02pw'), false));
    expect(rejected('wrong')).toMatchObject({ verdict: 'refuse', cause: 'credentials' });
    expect(latin1(client.refusal('credentials', 'wrong'))).toBe('\x01\x01');
  });
});

describe('http2', () => {
  const preface = text('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  const settings = hex('000000 04 00 00000000');
  const headers = hex('000001 01 05 00000007 82');
  const acknowledged = '000000040000000000' + '000000040100000000';

  test('a request is answered by 501, on its stream', () => {
    const client = begin('http2');
    const heard = client.read(Buffer.concat([preface, settings, headers]), false);
    expect(heard).toMatchObject({ verdict: 'refuse', cause: 'version' });
    const said = asBuffer(client.refusal('version', 'no')).toString('hex');
    // :status 501, allow: CONNECT, content-type: text/plain; "no\n"; GOAWAY without an error
    const fields = '0803353031' + '0f0707434f4e4e454354' + '0f100a746578742f706c61696e';
    expect(said).toBe(
      `${acknowledged}00001c010400000007${fields}0000030001000000076e6f0a0000080700000000000000000700000000`,
    );
  });

  test('a client that waits for SETTINGS is told that HTTP/1.1 is required, after a silence', () => {
    const client = begin('http2');
    const bytes = Buffer.concat([preface, settings]);
    expect(client.read(bytes, false)).toMatchObject({ verdict: 'more', bytesNeeded: bytes.length + 1 });
    expect(client.read(bytes, true)).toMatchObject({ verdict: 'refuse', cause: 'version' });
    const said = asBuffer(client.refusal('version', 'no')).toString('hex');
    expect(said).toBe(`${acknowledged}000008070000000000000000000000000d`);
  });
});

describe('refusals', () => {
  const causes = Object.entries(refusals) as [RefusalCause, Refusal][];

  test.each(causes)('%s: every protocol has words for it', (cause, { status, phrase, socks5, socks4 }) => {
    expect(latin1(begin('http').refusal(cause, 'why'))).toMatch(
      new RegExp(`^HTTP/1.1 ${status} ${phrase}\r\n(.+\r\n)+\r\nwhy\n$`),
    );
    expect(socks5).toBeGreaterThan(0);
    expect(socks5).toBeLessThanOrEqual(8);
    expect([91, 93]).toContain(socks4);
  });
});
