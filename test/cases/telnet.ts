import { type Case, hex } from './case.js';

export const cases: readonly Case[] = [
  {
    why: 'a client that negotiates',
    bytes: hex('fffd26 fffb26 fffd03'),
    expect: { protocol: 'telnet', at: 3 },
  },
  { why: 'a client that will', bytes: hex('fffb1f'), expect: { protocol: 'telnet', at: 3 } },
  { why: 'a client that refuses', bytes: hex('fffe01 fffc18'), expect: { protocol: 'telnet', at: 5 } },
  { why: 'the option is not here yet', bytes: hex('fffd'), expect: 'more' },
  { why: 'text in UTF-16', bytes: hex('fffe 3100 3200'), expect: { unknownAt: 4 } },
  { why: 'no command', bytes: hex('ffffffffffffffff'), expect: { unknownAt: 2 } },
  { why: 'an option that was never in use', bytes: hex('fffb 1c'), expect: { unknownAt: 3 } },
  { why: 'no option', bytes: hex('fffb 80ffff ffff'), expect: { unknownAt: 3 } },
];
