import { type Case, text } from './case.js';

export const cases: readonly Case[] = [
  {
    why: 'a request line, where it can be no WebSocket',
    bytes: text('POST / HTTP/1.1\r\nHost: a\r\n\r\n'),
    expect: { protocol: 'http', at: 17 },
  },
  {
    why: 'GET may ask for WebSocket: the end of the headers is awaited',
    bytes: text('GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
    expect: { protocol: 'http', at: 27 },
  },
  { why: 'the headers have not ended', bytes: text('GET / HTTP/1.1\r\nHost: a\r\n'), expect: 'more' },
  {
    why: 'GET in version 1.0 can not ask for WebSocket',
    bytes: text('GET / HTTP/1.0\r\nHost: a\r\n'),
    expect: { protocol: 'http', at: 16 },
  },
  { why: 'version 1.0', bytes: text('HEAD /x HTTP/1.0\r\n\r\n'), expect: { protocol: 'http', at: 18 } },
  { why: 'the version ends the line, so it is awaited', bytes: text('HEAD / HTTP/1.1\r'), expect: 'more' },
  {
    why: 'any token is a method',
    bytes: text('get-it! / HTTP/1.1\r\n'),
    expect: { protocol: 'http', at: 20 },
  },
  {
    why: 'a method in lower case, which memcached knows too',
    bytes: text('get / HTTP/1.1\r\n'),
    expect: { protocol: 'http', at: 16 },
  },
  {
    why: 'a lone LF ends a line too',
    bytes: text('HEAD / HTTP/1.1\n\n'),
    expect: { protocol: 'http', at: 16 },
  },
  {
    why: 'an empty line first',
    bytes: text('\r\nHEAD / HTTP/1.1\r\n'),
    expect: { protocol: 'http', at: 19 },
  },
  { why: 'a third empty line first', bytes: text('\r\n\r\n\r\nHEAD'), expect: { unknownAt: 5 } },
  { why: 'authority-form', bytes: text('CONNECT a:1 HTTP/1.1\r\n'), expect: { protocol: 'http', at: 22 } },
  {
    why: 'the target may be a URI of another protocol',
    bytes: text('HEAD rtsp://a/ HTTP/1.1\r\n'),
    expect: { protocol: 'http', at: 25 },
  },
  {
    why: 'bytes above ASCII in a target occur',
    bytes: text('HEAD /\xc3\xa9 HTTP/1.1\r\n'),
    expect: { protocol: 'http', at: 19 },
  },
  { why: 'only a method', bytes: text('GET'), expect: 'more' },
  { why: 'HTTP/0.9 has no version', bytes: text('GET /\r\n'), expect: { unknownAt: 6 } },
  { why: 'an answer is no request', bytes: text('HTTP/1.1 200 OK\r\n'), expect: { unknownAt: 5 } },
  {
    why: 'a target with a space, from an old device: the version ends the line',
    bytes: text('HEAD /a b HTTP/1.1\r\n'),
    expect: { protocol: 'http', at: 20 },
  },
  {
    why: 'a space in an absolute target',
    bytes: text('HEAD HTTP://a/b c HTTP/1.1\r\n'),
    expect: { protocol: 'http', at: 28 },
  },
  {
    why: 'a line of text is none at its third word, however long it is',
    bytes: text('WHAT is this HTTP/1.1\r\n'),
    expect: { unknownAt: 9 },
  },
  {
    why: 'several spaces and tabs between the parts',
    bytes: text('HEAD \t /  HTTP/1.1 \r\n'),
    expect: { protocol: 'http', at: 21 },
  },
  {
    why: 'no target: what made the line had an empty one',
    bytes: text('HEAD  HTTP/1.1\r\n'),
    expect: { protocol: 'http', at: 16 },
  },
  {
    why: 'nor even the space for one: it is no key of Redis',
    bytes: text('GET HTTP/1.1\r\n\r\n'),
    expect: { protocol: 'http', at: 16 },
  },
  { why: 'a version in a target is none', bytes: text('HEAD /a HTTP/1.1 b\r\n'), expect: { unknownAt: 20 } },
  { why: 'a control character', bytes: text('HEAD /a\0b HTTP/1.1\r\n'), expect: { unknownAt: 8 } },
  { why: 'an unknown version', bytes: text('HEAD / HTTP/1.2\r\n'), expect: { unknownAt: 17 } },
  {
    why: 'the longest line',
    bytes: text(`HEAD /${'a'.repeat(32_768 - 17)} HTTP/1.1\r\n`),
    expect: { protocol: 'http', at: 32_768 },
  },
  {
    why: 'a line one byte too long',
    bytes: text(`HEAD /${'a'.repeat(32_768 - 16)} HTTP/1.1\r\n`),
    expect: { unknownAt: 32_768 },
  },
  {
    why: 'headers that do not end: they may ask for WebSocket yet',
    bytes: text(`GET / HTTP/1.1\r\nA: ${'b'.repeat(65_536)}`),
    expect: 'more',
  },
];
