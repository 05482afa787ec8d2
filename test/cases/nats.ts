import { type Case, text } from './case.js';

export const cases: readonly Case[] = [
  { why: 'a client', bytes: text('CONNECT {"verbose":false}\r\n'), expect: { protocol: 'nats', at: 9 } },
  { why: 'in lower case, after a tab', bytes: text('connect\t{'), expect: { protocol: 'nats', at: 9 } },
  { why: 'a message', bytes: text('PUB a 2\r\nhi\r\n'), expect: { protocol: 'nats', at: 9 } },
  { why: 'a message with a reply', bytes: text('PUB a b 2\r\n'), expect: { protocol: 'nats', at: 11 } },
  { why: 'a message with headers', bytes: text('HPUB a 12 14\r\n'), expect: { protocol: 'nats', at: 14 } },
  { why: 'a subscription', bytes: text('SUB a.> 1\r\n'), expect: { protocol: 'nats', at: 11 } },
  { why: 'a subscription in a group', bytes: text('SUB a g 1\r\n'), expect: { protocol: 'nats', at: 11 } },
  {
    why: 'HTTP connects to a host',
    bytes: text('CONNECT a:1 HTTP/1.1\r\n'),
    expect: { protocol: 'http', at: 22 },
  },
  { why: 'STOMP ends the line', bytes: text('CONNECT\nhost:a\n'), expect: { protocol: 'stomp', at: 13 } },
  { why: 'no length', bytes: text('PUB a b\r\n'), expect: { unknownAt: 8 } },
  { why: 'the argument is not here yet', bytes: text('CONNECT '), expect: 'more' },
];
