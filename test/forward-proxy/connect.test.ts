/** Heads of CONNECT requests: good ones at every cut, and hostile ones. */
import { describe, expect, test } from 'vitest';
import { readConnect } from '../../src/forward-proxy/connect.js';
import { text } from '../cases/case.js';

const EXAMPLE = { host: 'example.com', port: 443 };

interface Good {
  readonly why: string;
  readonly head: string;
  readonly authorization?: string;
  readonly keepsAlive?: boolean;
}

const good: readonly Good[] = [
  {
    why: 'curl',
    head: 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\nUser-Agent: curl/8\r\nProxy-Connection: Keep-Alive\r\n\r\n',
  },
  { why: 'OpenBSD nc', head: 'CONNECT example.com:443 HTTP/1.0\r\n\r\n', keepsAlive: false },
  { why: 'lines that end in LF', head: 'CONNECT example.com:443 HTTP/1.1\nHost: example.com\n\n' },
  { why: 'empty lines first', head: '\r\n\r\nCONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n' },
  {
    why: 'a Host that names another host',
    head: 'CONNECT example.com:443 HTTP/1.1\r\nHost: other.example\r\n\r\n',
  },
  { why: 'an empty Host', head: 'CONNECT example.com:443 HTTP/1.1\r\nHost:\r\n\r\n' },
  {
    why: 'an expectation, which a request without content can not have',
    head: 'CONNECT example.com:443 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n',
  },
  {
    why: 'a body of no bytes',
    head: 'CONNECT example.com:443 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
  },
  {
    why: 'credentials',
    head: 'CONNECT example.com:443 HTTP/1.1\r\nHost: a\r\nproxy-authorization:  Basic YTpi \r\n\r\n',
    authorization: 'Basic YTpi',
  },
  {
    why: 'close',
    head: 'CONNECT example.com:443 HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n',
    keepsAlive: false,
  },
  {
    why: 'close, as old clients say it',
    head: 'CONNECT example.com:443 HTTP/1.1\r\nHost: a\r\nProxy-Connection: close\r\n\r\n',
    keepsAlive: false,
  },
  {
    why: 'keep-alive in HTTP/1.0',
    head: 'CONNECT example.com:443 HTTP/1.0\r\nProxy-Connection: Keep-Alive\r\n\r\n',
  },
  {
    why: 'a head of 64 KiB',
    head: `CONNECT example.com:443 HTTP/1.1\r\nHost: a\r\n${`X-Cookie: ${'y'.repeat(1000)}\r\n`.repeat(64)}\r\n`,
  },
];

describe('good requests', () => {
  for (const { why, head, authorization, keepsAlive = true } of good) {
    const request = {
      verdict: 'request',
      destination: EXAMPLE,
      authorization,
      keepsAlive,
      taken: head.length,
    };

    test(why, () => expect(readConnect(text(head))).toEqual(request));

    test(`${why}: what is behind it is not of the head`, () => {
      for (const behind of ['\r\n', '\n', 'SSH-2.0-x\r\n', 'X: y\r\n\r\n', '\x16\x03\x01'])
        expect(readConnect(text(head + behind))).toEqual(request);
    });

    test(`${why}: every prefix needs more`, () => {
      // Of a long head, each place where a line ends, and those around it.
      const ends = [...head.matchAll(/\n/g)].flatMap(({ index }) => [index - 1, index, index + 1]);
      const cuts = head.length < 1000 ? Array.from({ length: head.length }, (_, at) => at) : ends;
      for (const cut of cuts.filter((at) => at < head.length))
        expect(readConnect(text(head.slice(0, cut)))).toEqual({
          verdict: 'more',
          bytesNeeded: Math.max(cut, 0) + 1,
        });
    });
  }
});

const NO_LINE = 'the request line is not CONNECT HOST:PORT HTTP/1.1';
const NO_HEADER = 'a line of the head is not a header';
const NO_BODY = 'a CONNECT request has no body';
const TARGET = 'CONNECT example.com:443 HTTP/1.1\r\n';

describe('refused', () => {
  test.each([
    {
      why: 'a target without a port',
      head: 'CONNECT example.com HTTP/1.1\r\nHost: a\r\n\r\n',
      fault: 'the destination has no port',
    },
    {
      why: 'a URL',
      head: 'CONNECT https://example.com:443/ HTTP/1.1\r\nHost: a\r\n\r\n',
      fault: 'the destination is not HOST:PORT, with an IPv6 address in brackets and without a zone',
    },
    { why: 'a path', head: 'CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n', fault: 'the destination has no port' },
    { why: 'no target', head: 'CONNECT HTTP/1.1\r\nHost: a\r\n\r\n', fault: NO_LINE },
    { why: 'two targets', head: 'CONNECT a:1 b:1 HTTP/1.1\r\nHost: a\r\n\r\n', fault: NO_LINE },
    { why: 'two spaces', head: 'CONNECT  a:1 HTTP/1.1\r\nHost: a\r\n\r\n', fault: NO_LINE },
    { why: 'a tab', head: 'CONNECT\ta:1 HTTP/1.1\r\nHost: a\r\n\r\n', fault: NO_LINE },
    { why: 'a space behind the version', head: 'CONNECT a:1 HTTP/1.1 \r\nHost: a\r\n\r\n', fault: NO_LINE },
    {
      why: 'a carriage return in the line',
      head: 'CONNECT a:1 HTTP/1.1\r\r\nHost: a\r\n\r\n',
      fault: NO_LINE,
    },
    { why: 'another version', head: 'CONNECT a:1 HTTP/1.2\r\nHost: a\r\n\r\n', fault: NO_LINE },
    { why: 'no version', head: 'CONNECT a:1\r\n\r\n', fault: NO_LINE },
    { why: 'no HTTP at all', head: 'SSH-2.0-x\r\n\r\n', fault: NO_LINE },
    { why: 'no Host in HTTP/1.1', head: `${TARGET}\r\n`, fault: 'the request has no Host header' },
    {
      why: 'two Hosts',
      head: `${TARGET}Host: a\r\nHost: a\r\n\r\n`,
      fault: 'the request has several Host headers',
    },
    {
      why: 'two Hosts in HTTP/1.0',
      head: 'CONNECT a:1 HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n',
      fault: 'the request has several Host headers',
    },
    {
      why: 'credentials twice',
      head: `${TARGET}Host: a\r\nProxy-Authorization: Basic YTpi\r\nProxy-Authorization: Basic YTpi\r\n\r\n`,
      fault: 'the request has several Proxy-Authorization headers',
    },
    { why: 'a body', head: `${TARGET}Host: a\r\nContent-Length: 5\r\n\r\nhello`, fault: NO_BODY },
    {
      why: 'a body of two lengths',
      head: `${TARGET}Host: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n`,
      fault: NO_BODY,
    },
    { why: 'a length in a list', head: `${TARGET}Host: a\r\nContent-Length: 0, 0\r\n\r\n`, fault: NO_BODY },
    {
      why: 'a body in chunks',
      head: `${TARGET}Host: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      fault: NO_BODY,
    },
    {
      why: 'a space before the colon',
      head: `${TARGET}Host: a\r\nContent-Length : 5\r\n\r\n`,
      fault: NO_HEADER,
    },
    { why: 'a folded line', head: `${TARGET}Host: a\r\nX: y\r\n z\r\n\r\n`, fault: NO_HEADER },
    { why: 'a space before the first header', head: `${TARGET} Host: a\r\n\r\n`, fault: NO_HEADER },
    { why: 'NUL in a header', head: `${TARGET}Host: a\r\nX: \0\r\n\r\n`, fault: NO_HEADER },
    {
      why: 'a carriage return in a header',
      head: `${TARGET}Host: a\r\nX: y\rTransfer-Encoding: chunked\r\n\r\n`,
      fault: NO_HEADER,
    },
    { why: 'a line without a colon', head: `${TARGET}Host: a\r\nX\r\n\r\n`, fault: NO_HEADER },
  ])('$why', ({ head, fault }) =>
    expect(readConnect(text(head))).toEqual({ verdict: 'refuse', cause: 'malformed', why: fault }),
  );

  test.each([
    { line: 'GET http://example.com/ HTTP/1.1', method: 'GET' },
    { line: 'HEAD / HTTP/1.1', method: 'HEAD' },
    { line: 'connect example.com:443 HTTP/1.1', method: 'connect' },
    { line: 'POST / HTTP/1.0', method: 'POST' },
    { line: `${'M'.repeat(100)} / HTTP/1.1`, method: 'M'.repeat(32) },
  ])('another method, as soon as its line is there: $line', ({ line, method }) =>
    expect(readConnect(text(`${line}\r\n`))).toEqual({
      verdict: 'refuse',
      cause: 'command',
      why: `${method} is not served here, only CONNECT`,
    }),
  );
});
