import { type Case, text } from './case.js';

export const cases: readonly Case[] = [
  {
    why: 'a method of RFC 4918',
    bytes: text('PROPFIND /dav/ HTTP/1.1\r\nDepth: 1\r\n'),
    expect: { protocol: 'webdav', at: 25 },
  },
  {
    why: 'a method of RFC 3253 with a dash',
    bytes: text('VERSION-CONTROL / HTTP/1.1\r\n'),
    expect: { protocol: 'webdav', at: 28 },
  },
  {
    why: 'the line may break after an empty line',
    bytes: text('\r\nLOCK /a HTTP/1.1\r\n'),
    expect: { protocol: 'webdav', at: 20 },
  },
  {
    why: 'a method of CalDAV',
    bytes: text('MKCALENDAR /c HTTP/1.1\r\n'),
    expect: { protocol: 'webdav', at: 24 },
  },
  { why: 'the version is not here yet', bytes: text('MKCOL /a HTTP/'), expect: 'more' },
  {
    why: 'methods have a letter case',
    bytes: text('propfind / HTTP/1.1\r\n'),
    expect: { protocol: 'http', at: 21 },
  },
  {
    why: 'a longer method is another',
    bytes: text('PROPFINDX / HTTP/1.1\r\n'),
    expect: { protocol: 'http', at: 22 },
  },
  {
    why: "OPTIONS is any client's",
    bytes: text('OPTIONS /dav/ HTTP/1.1\r\n'),
    expect: { protocol: 'http', at: 24 },
  },
  {
    why: 'Redis copies too, without a version',
    bytes: text('COPY a b\r\n'),
    expect: { protocol: 'redis', at: 10 },
  },
];
