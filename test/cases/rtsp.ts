import { type Case, text } from './case.js';

export const cases: readonly Case[] = [
  {
    why: 'a request line',
    bytes: text('OPTIONS rtsp://a/cam RTSP/1.0\r\nCSeq: 1\r\n'),
    expect: { protocol: 'rtsp', at: 31 },
  },
  {
    why: 'version 2.0, for the whole server',
    bytes: text('OPTIONS * RTSP/2.0\r\n'),
    expect: { protocol: 'rtsp', at: 20 },
  },
  {
    why: 'a method with an underscore',
    bytes: text('GET_PARAMETER rtsp://a RTSP/1.0\n'),
    expect: { protocol: 'rtsp', at: 32 },
  },
  {
    why: 'a scanner asks for a path',
    bytes: text('OPTIONS / RTSP/1.0\r\n'),
    expect: { protocol: 'rtsp', at: 20 },
  },
  { why: 'a version that does not exist', bytes: text('OPTIONS * RTSP/9.0\r\n'), expect: { unknownAt: 20 } },
  { why: 'the version is not here yet', bytes: text('DESCRIBE rtsp://a RTSP/1.'), expect: 'more' },
];
