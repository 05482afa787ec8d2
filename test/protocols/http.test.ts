import { describe, expect, test } from 'vitest';
import type { FactsAnswer } from '../../src/model/facts.js';
import { httpFacts } from '../../src/protocols/http.js';
import { text } from '../cases/case.js';

const facts = (method: string, path: string, host?: string): FactsAnswer => ({
  verdict: 'facts',
  facts: host === undefined ? { method, path } : { method, path, host },
});

const cases: readonly { why: string; head: string; expect: FactsAnswer }[] = [
  {
    why: 'host',
    head: 'GET /a HTTP/1.1\r\nHost: www.example.com\r\n\r\n',
    expect: facts('GET', '/a', 'www.example.com'),
  },
  {
    why: 'lower case, no port',
    head: 'GET / HTTP/1.1\r\nHOST:\tA.Example:80 \r\n\r\n',
    expect: facts('GET', '/', 'a.example'),
  },
  { why: 'IPv6', head: 'GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n', expect: facts('GET', '/', '::1') },
  {
    why: 'after other headers',
    head: 'GET / HTTP/1.1\r\nA: b\r\nHost: c\r\n\r\n',
    expect: facts('GET', '/', 'c'),
  },
  { why: 'lone LFs', head: 'GET / HTTP/1.1\nHost: c\n\n', expect: facts('GET', '/', 'c') },
  {
    why: 'empty lines first',
    head: '\r\n\r\nGET / HTTP/1.1\r\nHost: c\r\n\r\n',
    expect: facts('GET', '/', 'c'),
  },
  { why: 'none sent', head: 'GET / HTTP/1.0\r\nA: b\r\n\r\n', expect: facts('GET', '/') },
  { why: 'none in a body', head: 'GET / HTTP/1.0\r\n\r\nHost: c\r\n', expect: facts('GET', '/') },
  { why: 'an empty one', head: 'GET / HTTP/1.1\r\nHost:\r\n\r\n', expect: facts('GET', '/', '') },
  ...[
    { why: 'a second host', headers: 'Host: a\r\nHost: b' },
    { why: 'a second host behind an empty one', headers: 'Host:\r\nHost: a' },
    { why: 'the same host again', headers: 'Host: a\r\nhost: a' },
    { why: 'a space before the colon', headers: 'Host: a\r\nHost : b' },
    { why: 'a folded line', headers: 'Host: a\r\n Host: b' },
    { why: 'a lone CR, that some take for the end of a line', headers: 'Host: a\rHost: b' },
    { why: 'a NUL', headers: 'Host: a\0.example' },
    { why: 'a line without a colon', headers: 'Host: a\r\nb' },
  ].map(({ why, headers }) => ({
    why: `an endpoint might read another host: ${why}`,
    head: `GET / HTTP/1.1\r\n${headers}\r\n\r\n`,
    expect: {
      verdict: 'facts',
      facts: expect.anything(),
      doubtful: ['host', 'upgrade'],
    } as unknown as FactsAnswer,
  })),
  { why: 'another header', head: 'GET / HTTP/1.1\r\nHostile: a\r\n\r\n', expect: facts('GET', '/') },
  {
    why: 'an absolute target and the same header',
    head: 'GET http://u@A.example:81/x HTTP/1.1\r\nHost: a.example:81\r\n\r\n',
    expect: facts('GET', 'http://u@A.example:81/x', 'a.example'),
  },
  {
    why: 'an absolute target and another header: an endpoint may go by either',
    head: 'GET http://a.example/x HTTP/1.1\r\nHost: b\r\n\r\n',
    expect: { ...facts('GET', 'http://a.example/x', 'a.example'), doubtful: ['host'] } as FactsAnswer,
  },
  {
    why: 'the header is not read before all of them are: the target may be contradicted',
    head: 'GET http://a.example/x HTTP/1.1\r\n',
    expect: { verdict: 'more', bytesNeeded: 34, facts: { method: 'GET', path: 'http://a.example/x' } },
  },
  ...['a@b', 'a/b', 'a b', 'a:b:80', '[::1', 'a.example\xa0'].map((host) => ({
    why: `no host and port: ${host}`,
    head: `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    expect: { verdict: 'facts', facts: expect.anything(), doubtful: ['host'] } as unknown as FactsAnswer,
  })),
  ...['a@b@c.example', 'a.example\\@b.example', 'a.example\\b.example'].map((authority) => ({
    why: `an endpoint might read another host in an absolute target: ${authority}`,
    head: `GET http://${authority}/ HTTP/1.0\r\n\r\n`,
    expect: { verdict: 'facts', facts: expect.anything(), doubtful: ['host'] } as unknown as FactsAnswer,
  })),
  {
    why: 'spaces in a target',
    head: 'GET /a  b HTTP/1.1\r\nHost: c\r\n\r\n',
    expect: facts('GET', '/a  b', 'c'),
  },
  {
    why: 'spaces and tabs between the parts',
    head: 'GET \t /a\t HTTP/1.1\r\nHost: c\r\n\r\n',
    expect: facts('GET', '/a', 'c'),
  },
  {
    why: 'no target',
    head: 'GET HTTP/1.1\r\nHost: c\r\n\r\n',
    expect: { verdict: 'facts', facts: { method: 'GET', host: 'c' } },
  },
  {
    why: 'a URL in a query is not absolute',
    head: 'GET /?u=http://a/ HTTP/1.1\r\nHost: b\r\n\r\n',
    expect: facts('GET', '/?u=http://a/', 'b'),
  },
  {
    why: 'CONNECT',
    head: 'CONNECT a.example:443 HTTP/1.1\r\n\r\n',
    expect: facts('CONNECT', 'a.example:443', 'a.example'),
  },
  {
    why: 'the host line is not here yet',
    head: 'GET / HTTP/1.1\r\nHost: exam',
    expect: { verdict: 'more', bytesNeeded: 27, facts: { method: 'GET', path: '/' } },
  },
  {
    why: 'an upgrade, in lower case',
    head: 'GET / HTTP/1.1\r\nUPGRADE: WebSocket\r\nHost: a\r\n\r\n',
    expect: { verdict: 'facts', facts: { method: 'GET', path: '/', upgrade: 'websocket', host: 'a' } },
  },
  {
    why: 'an upgrade may follow the host',
    head: 'GET / HTTP/1.1\r\nHost: a\r\n',
    expect: { verdict: 'more', bytesNeeded: 26, facts: { method: 'GET', path: '/' } },
  },
];

/** Heads that exceed the read limit. */
const cut: typeof cases = [
  {
    why: 'the host that was read by then stands',
    head: `GET / HTTP/1.1\r\nHost: c\r\nA: ${'b'.repeat(16_384)}`,
    expect: facts('GET', '/', 'c'),
  },
  {
    why: 'one that was not may still come',
    head: `GET / HTTP/1.1\r\nA: ${'b'.repeat(16_384)}`,
    expect: { ...facts('GET', '/'), doubtful: ['host'] } as FactsAnswer,
  },
  {
    why: 'nor does a line count that is cut',
    head: 'GET / HTTP/1.1\r\nHost: c.exam',
    expect: { ...facts('GET', '/'), doubtful: ['host'] } as FactsAnswer,
  },
  {
    why: 'two are two',
    head: 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nA: b',
    expect: {
      verdict: 'facts',
      facts: expect.anything(),
      doubtful: ['host', 'upgrade'],
    } as unknown as FactsAnswer,
  },
];

describe('HTTP facts', () => {
  test.each(cases)('$why', ({ head, expect: due }) => {
    expect(httpFacts(text(head))).toEqual(due);
  });

  test.each(cut)('a head that is longer than what is looked at: $why', ({ head, expect: due }) => {
    expect(httpFacts(text(head))).toMatchObject({ verdict: 'more' });
    expect(httpFacts(text(head), true)).toEqual(due);
  });
});
