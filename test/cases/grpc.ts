import { type Case, hex } from './case.js';

export const cases: readonly Case[] = [
  {
    why: 'content type as a literal',
    bytes: hex(
      '505249202a20485454502f322e300d0a0d0a534d0d0a0d0a0000000400000000000000130104000000010f10106170706c69636174696f6e2f67727063',
    ),
    expect: { protocol: 'grpc', at: 61 },
  },
  {
    why: 'with a message format',
    bytes: hex(
      '505249202a20485454502f322e300d0a0d0a534d0d0a0d0a0000000400000000000000190104000000010f10166170706c69636174696f6e2f677270632b70726f746f',
    ),
    expect: { protocol: 'grpc', at: 67 },
  },
  {
    why: 'behind WINDOW_UPDATE, in two parts, padded and with a priority',
    bytes: hex(
      '505249202a20485454502f322e300d0a0d0a534d0d0a0d0a000000040000000000000004080000000000000f000000000d0128000000010200000000100f10106170000000000e090400000001706c69636174696f6e2f67727063',
    ),
    expect: { protocol: 'grpc', at: 91 },
  },
  {
    why: 'the request is not here yet',
    bytes: hex('505249202a20485454502f322e300d0a0d0a534d0d0a0d0a000000040000000000'),
    expect: 'more',
  },
  {
    why: 'the header block is not here yet',
    bytes: hex(
      '505249202a20485454502f322e300d0a0d0a534d0d0a0d0a0000000400000000000000130104000000010f10106170706c69636174696f6e2f677270',
    ),
    expect: 'more',
  },
  {
    why: 'gRPC-Web is another protocol',
    bytes: hex(
      '505249202a20485454502f322e300d0a0d0a534d0d0a0d0a0000000400000000000000170104000000010f10146170706c69636174696f6e2f677270632d776562',
    ),
    expect: { protocol: 'http2', at: 65 },
  },
  {
    why: 'a header block that can not be read',
    bytes: hex('505249202a20485454502f322e300d0a0d0a534d0d0a0d0a000000040000000000000001010400000001ff'),
    expect: { protocol: 'http2', at: 43 },
  },
  {
    why: 'a frame within the header block',
    bytes: hex(
      '505249202a20485454502f322e300d0a0d0a534d0d0a0d0a0000000400000000000000130100000000010f10106170706c69636174696f6e2f67727063000000060000000000',
    ),
    expect: { protocol: 'http2', at: 70 },
  },
  {
    why: 'a frame beyond what is looked at',
    bytes: hex('505249202a20485454502f322e300d0a0d0a534d0d0a0d0a000000040000000000010000000000000001'),
    expect: { protocol: 'http2', at: 42 },
  },
];
