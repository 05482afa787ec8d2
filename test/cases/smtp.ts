import { type Case, text } from './case.js';

export const cases: readonly Case[] = [
  { why: 'a client', bytes: text('EHLO a.example\r\n'), expect: { protocol: 'smtp', at: 16 } },
  { why: 'in lower case', bytes: text('ehlo a.example\r\n'), expect: { protocol: 'smtp', at: 16 } },
  { why: 'of old', bytes: text('HELO localhost\n'), expect: { protocol: 'smtp', at: 15 } },
  { why: 'LMTP', bytes: text('LHLO a\r\n'), expect: { protocol: 'smtp', at: 8 } },
  {
    why: 'an address instead of a name',
    bytes: text('EHLO [127.0.0.1]\r\n'),
    expect: { protocol: 'smtp', at: 18 },
  },
  { why: 'no greeting at all', bytes: text('MAIL FROM:<a@b>\r\n'), expect: { protocol: 'smtp', at: 17 } },
  { why: 'a name is due', bytes: text('EHLO\r\n'), expect: { unknownAt: 5 } },
  { why: 'the line goes on', bytes: text('EHLO a'), expect: 'more' },
  { why: 'another word', bytes: text('EHLOX a\r\n'), expect: { unknownAt: 5 } },
];
