import { type Case, text } from './case.js';

export const cases: readonly Case[] = [
  { why: 'capabilities', bytes: text('IAAD0 CAPABILITY\r\n'), expect: { protocol: 'imap', at: 18 } },
  {
    why: 'in lower case, with a tag of one character',
    bytes: text('. capability\r\n'),
    expect: { protocol: 'imap', at: 14 },
  },
  { why: 'TLS is asked for', bytes: text('a001 STARTTLS\r\n'), expect: { protocol: 'imap', at: 15 } },
  { why: 'a login', bytes: text('a LOGIN alice secret\r\n'), expect: { protocol: 'imap', at: 22 } },
  {
    why: 'a login with quotes',
    bytes: text('1 LOGIN "alice smith" "x y"\r\n'),
    expect: { protocol: 'imap', at: 29 },
  },
  { why: 'a login by literal', bytes: text('a1 LOGIN {5}\r\n'), expect: { protocol: 'imap', at: 14 } },
  { why: 'a mechanism', bytes: text('A1 AUTHENTICATE PLAIN\r\n'), expect: { protocol: 'imap', at: 23 } },
  { why: 'who is there', bytes: text('1 ID ("name" "a")\r\n'), expect: { protocol: 'imap', at: 6 } },
  { why: 'anonymous', bytes: text('1 ID NIL\r\n'), expect: { protocol: 'imap', at: 10 } },
  { why: 'nothing', bytes: text('a1 NOOP\r\n'), expect: { protocol: 'imap', at: 9 } },
  { why: 'two words', bytes: text('do noop\r\n'), expect: { unknownAt: 4 } },
  { why: 'no tag', bytes: text('CAPABILITY\r\n'), expect: { unknownAt: 11 } },
  { why: "a server's answer", bytes: text('* CAPABILITY IMAP4rev1\r\n'), expect: { unknownAt: 1 } },
  { why: 'ManageSieve has no tags', bytes: text('AUTHENTICATE "PLAIN"\r\n'), expect: { unknownAt: 14 } },
  {
    why: 'memcached gets a key',
    bytes: text('get capability\r\n'),
    expect: { protocol: 'memcached', at: 16 },
  },
  { why: 'the line goes on', bytes: text('a1 LOGI'), expect: 'more' },
];
