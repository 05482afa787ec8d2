import { type Case, text } from './case.js';

export const cases: readonly Case[] = [
  {
    why: 'a header follows',
    bytes: text('CONNECT\naccept-version:1.2\n'),
    expect: { protocol: 'stomp', at: 23 },
  },
  { why: 'the other name, CR LF', bytes: text('STOMP\r\nhost:a\r\n'), expect: { protocol: 'stomp', at: 12 } },
  { why: 'no headers', bytes: text('CONNECT\n\n\x00'), expect: { protocol: 'stomp', at: 10 } },
  { why: 'a line is not enough', bytes: text('CONNECT\n'), expect: 'more' },
  { why: 'a frame that opens nothing', bytes: text('SEND\ndestination:/a\n'), expect: { unknownAt: 2 } },
  { why: 'text', bytes: text('STOMP\nhost\n'), expect: { unknownAt: 11 } },
];
