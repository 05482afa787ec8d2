import { type Case, text } from './case.js';

export const cases: readonly Case[] = [
  { why: 'TLS is asked for', bytes: text('AUTH TLS\r\n'), expect: { protocol: 'ftp', at: 10 } },
  { why: 'in any letter case', bytes: text('auth ssl\r\n'), expect: { protocol: 'ftp', at: 10 } },
  { why: 'Kerberos', bytes: text('AUTH GSSAPI\r\n'), expect: { protocol: 'ftp', at: 13 } },
  { why: 'features', bytes: text('FEAT\r\n'), expect: { protocol: 'ftp', at: 6 } },
  { why: 'a virtual host', bytes: text('HOST ftp.example\r\n'), expect: { protocol: 'ftp', at: 18 } },
  { why: 'an anonymous user', bytes: text('USER anonymous\r\n'), expect: { protocol: 'ftp', at: 16 } },
  { why: 'file names in UTF-8', bytes: text('OPTS UTF8 ON\r\n'), expect: { protocol: 'ftp', at: 14 } },
  { why: "a user may be POP3's", bytes: text('USER alice\r\n'), expect: { unknownAt: 7 } },
  { why: 'a longer word', bytes: text('FEATS\r\n'), expect: { unknownAt: 5 } },
  { why: 'the line goes on', bytes: text('AUTH T'), expect: 'more' },
  { why: "a password may be Redis'", bytes: text('AUTH TLSX\r\n'), expect: { protocol: 'redis', at: 11 } },
];
