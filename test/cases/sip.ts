import { type Case, type DatagramCase, text } from './case.js';

export const cases: readonly Case[] = [
  { why: 'a request line', bytes: text('OPTIONS sip:a@b SIP/2.0\r\n'), expect: { protocol: 'sip', at: 25 } },
  {
    why: 'another scheme',
    bytes: text('INVITE tel:+1-201-555-0123 SIP/2.0\r\n'),
    expect: { protocol: 'sip', at: 36 },
  },
  {
    why: 'empty lines first',
    bytes: text('\r\n\r\nREGISTER sips:b SIP/2.0\r\n'),
    expect: { protocol: 'sip', at: 29 },
  },
  { why: 'no URI', bytes: text('OPTIONS * SIP/2.0\r\n'), expect: { unknownAt: 9 } },
  { why: 'another version', bytes: text('OPTIONS sip:a SIP/1.0\r\n'), expect: { unknownAt: 19 } },
  { why: 'an answer is no opening', bytes: text('SIP/2.0 200 OK\r\n'), expect: { unknownAt: 4 } },
];

export const datagrams: readonly DatagramCase[] = [
  { why: 'a request', bytes: text('OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n\r\n'), expect: 'sip' },
  { why: 'a keep-alive', bytes: text('\r\n\r\n'), expect: null },
  { why: 'an answer', bytes: text('SIP/2.0 200 OK\r\n\r\n'), expect: null },
];
