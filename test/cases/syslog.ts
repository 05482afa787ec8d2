import { type Case, type DatagramCase, text } from './case.js';

export const cases: readonly Case[] = [
  {
    why: 'RFC 5424',
    bytes: text('<13>1 2026-11-21T02:39:02Z client root - - - hello'),
    expect: { protocol: 'syslog', at: 5 },
  },
  {
    why: 'RFC 3164',
    bytes: text('<13>Nov 21 02:39:02 client root: hello'),
    expect: { protocol: 'syslog', at: 5 },
  },
  { why: 'the highest priority', bytes: text('<191>x'), expect: { protocol: 'syslog', at: 6 } },
  { why: 'the lowest priority', bytes: text('<0>x'), expect: { protocol: 'syslog', at: 4 } },
  {
    why: 'after its length',
    bytes: text('76 <34>1 2026-11-21T02:39:02Z'),
    expect: { protocol: 'syslog', at: 8 },
  },
  { why: 'a message that begins with no text', bytes: text('<13>\x81\x02'), expect: { unknownAt: 5 } },
  {
    why: 'a message with a mark of UTF-8',
    bytes: text('<13>\xef\xbb\xbf'),
    expect: { protocol: 'syslog', at: 6 },
  },
  { why: 'a priority too high', bytes: text('<192>x\n'), expect: { unknownAt: 4 } },
  { why: 'a leading zero', bytes: text('<013>x\n'), expect: { unknownAt: 3 } },
  { why: 'no message', bytes: text('<13>\n'), expect: { unknownAt: 5 } },
  { why: 'a message is due', bytes: text('<13>'), expect: 'more' },
  { why: 'a length of zero', bytes: text('0 <13>x\n'), expect: { unknownAt: 1 } },
  { why: 'a document', bytes: text('<a>1\n'), expect: { unknownAt: 2 } },
];

export const datagrams: readonly DatagramCase[] = [
  { why: 'RFC 5424', bytes: text('<34>1 2026-11-21T02:39:02Z client app - - - hello'), expect: 'syslog' },
  { why: 'RFC 3164', bytes: text('<13>Nov 21 02:39:02 client root: hello'), expect: 'syslog' },
  { why: 'after its length, as logger does when told to', bytes: text('11 <34>1 hello'), expect: 'syslog' },
  { why: 'a priority alone', bytes: text('<34>'), expect: null },
];
