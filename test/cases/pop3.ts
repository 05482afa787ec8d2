import { type Case, text } from './case.js';

export const cases: readonly Case[] = [
  { why: 'capabilities', bytes: text('CAPA\r\n'), expect: { protocol: 'pop3', at: 6 } },
  { why: 'TLS is asked for', bytes: text('stls\r\n'), expect: { protocol: 'pop3', at: 6 } },
  { why: 'mechanisms are asked for', bytes: text('AUTH\r\n'), expect: { protocol: 'pop3', at: 6 } },
  { why: 'a mechanism', bytes: text('AUTH PLAIN\r\n'), expect: { protocol: 'pop3', at: 12 } },
  {
    why: 'a mechanism with a first answer',
    bytes: text('AUTH PLAIN AGEAYg==\r\n'),
    expect: { protocol: 'pop3', at: 21 },
  },
  {
    why: 'a mechanism with channel binding',
    bytes: text('AUTH SCRAM-SHA-256-PLUS cD1h\r\n'),
    expect: { protocol: 'pop3', at: 30 },
  },
  {
    why: 'whoever TLS says it is',
    bytes: text('AUTH EXTERNAL =\r\n'),
    expect: { protocol: 'pop3', at: 17 },
  },
  {
    why: 'a digest',
    bytes: text('APOP alice c4c9334bac560ecc979e58001b3e22fb\r\n'),
    expect: { protocol: 'pop3', at: 45 },
  },
  { why: 'a digest that is none', bytes: text('APOP alice secret\r\n'), expect: { unknownAt: 12 } },
  { why: 'NNTP asks otherwise', bytes: text('CAPABILITIES\r\n'), expect: { unknownAt: 5 } },
  { why: 'the line goes on', bytes: text('CAPA'), expect: 'more' },
];
