import { type Case, text } from './case.js';

export const cases: readonly Case[] = [
  { why: 'PING', bytes: text('*1\r\n$4\r\nPING\r\n'), expect: { protocol: 'redis', at: 8 } },
  { why: 'RESP3', bytes: text('*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n'), expect: { protocol: 'redis', at: 8 } },
  { why: 'many arguments', bytes: text('*1048576\r\n$3\r\nSET'), expect: { protocol: 'redis', at: 14 } },
  {
    why: 'a large first argument',
    bytes: text('*2\r\n$536870912\r\n'),
    expect: { protocol: 'redis', at: 16 },
  },
  { why: 'the length is not here yet', bytes: text('*3\r\n$'), expect: 'more' },
  { why: 'no arguments', bytes: text('*0\r\n\r\n'), expect: { unknownAt: 2 } },
  { why: 'a negative count is an answer', bytes: text('*-1\r\n'), expect: { unknownAt: 2 } },
  { why: 'no number', bytes: text('*x\r\n$4\r\nPING\r\n'), expect: { unknownAt: 2 } },
  { why: 'an integer argument', bytes: text('*1\r\n:4\r\n'), expect: { unknownAt: 5 } },
  { why: 'inline', bytes: text('PING\r\n'), expect: { protocol: 'redis', at: 6 } },
  { why: 'inline, in lower case, a lone LF', bytes: text('info\n'), expect: { protocol: 'redis', at: 5 } },
  { why: 'inline, sections', bytes: text('INFO server cpu\r\n'), expect: { protocol: 'redis', at: 17 } },
  { why: 'a NATS server introduces itself', bytes: text('INFO {"port":1}\r\n'), expect: { unknownAt: 6 } },
  { why: 'inline, one argument', bytes: text('GET foo\r\n'), expect: { protocol: 'redis', at: 9 } },
  {
    why: 'inline, several arguments',
    bytes: text('set foo "a b"\r\n'),
    expect: { protocol: 'redis', at: 15 },
  },
  { why: 'inline, a password', bytes: text('AUTH pw\r\n'), expect: { protocol: 'redis', at: 9 } },
  { why: 'inline, a version', bytes: text('hello 3\r\n'), expect: { protocol: 'redis', at: 9 } },
  {
    why: "inline, a word of the server's own",
    bytes: text('config get save\r\n'),
    expect: { protocol: 'redis', at: 17 },
  },
  { why: 'a greeting of people', bytes: text('hello\r\n'), expect: { unknownAt: 6 } },
  {
    why: "a dictionary's client says who it is",
    bytes: text('CLIENT libcurl 7.88.1\r\n'),
    expect: { unknownAt: 10 },
  },
  { why: 'HTTP/0.9 asks for a path', bytes: text('GET /\r\n'), expect: { unknownAt: 5 } },
  { why: 'an argument too many', bytes: text('GET foo bar\r\n'), expect: { unknownAt: 9 } },
  { why: 'the line goes on', bytes: text('PING'), expect: 'more' },
  { why: 'a longer word', bytes: text('PINGS\r\n'), expect: { unknownAt: 5 } },
];
