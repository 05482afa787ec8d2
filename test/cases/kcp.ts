import { type DatagramCase, hex } from './case.js';

const segment = (command: string, number: string, data: string): string =>
  `44332211 ${command} 00 8000 2fa90ffc ${number} 00000000 ${data}`;

const first = segment('51', '00000000', '03000000 616263');

export const datagrams: readonly DatagramCase[] = [
  { why: 'one segment', bytes: hex(first), expect: 'kcp' },
  {
    why: 'two segments',
    bytes: hex(`${first} ${segment('51', '01000000', '01000000 64')}`),
    expect: 'kcp',
  },
  {
    why: 'a push and a question for the window',
    bytes: hex(`${first} ${segment('53', '00000000', '00000000')}`),
    expect: 'kcp',
  },
  { why: 'a segment of another conversation', bytes: hex(`${first} 99${first.slice(2)}`), expect: null },
  {
    why: 'a number that is not the first',
    bytes: hex(segment('51', '05000000', '01000000 61')),
    expect: null,
  },
  {
    why: 'an acknowledgement opens nothing',
    bytes: hex(segment('52', '00000000', '00000000')),
    expect: null,
  },
  { why: 'data that is not there', bytes: hex(segment('51', '00000000', '09000000 61')), expect: null },
  { why: 'bytes after the last segment', bytes: hex(`${first} 00`), expect: null },
  { why: 'no such command', bytes: hex(segment('55', '00000000', '01000000 61')), expect: null },
];
