import { type Case, hex, text } from './case.js';

export const cases: readonly Case[] = [
  {
    why: 'the preface of a client that waits for the server is HTTP/2 at the latest when it ends',
    bytes: hex('505249202a20485454502f322e300d0a0d0a534d0d0a0d0a000000040000000000000003010500000001828684'),
    expect: { protocol: 'http2', at: 45 },
  },
  {
    why: 'it may still be gRPC',
    bytes: hex('505249202a20485454502f322e300d0a0d0a534d0d0a0d0a'),
    expect: 'more',
  },
  {
    why: 'no SETTINGS first',
    bytes: hex('505249202a20485454502f322e300d0a0d0a534d0d0a0d0a000000060000000000'),
    expect: { protocol: 'http2', at: 33 },
  },
  {
    why: 'an upgrade that HTTP/1 would not take',
    bytes: text('PRI * HTTP/2.0\r\n\r\nXX'),
    expect: { unknownAt: 19 },
  },
  { why: 'half the preface', bytes: text('PRI * HTTP/2.0\r\n'), expect: 'more' },
];
