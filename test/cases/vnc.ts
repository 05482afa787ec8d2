import { type Case, text } from './case.js';

export const cases: readonly Case[] = [
  { why: 'version 3.8', bytes: text('RFB 003.008\n'), expect: { protocol: 'vnc', at: 12 } },
  { why: 'the version of a Macintosh', bytes: text('RFB 003.889\n'), expect: { protocol: 'vnc', at: 12 } },
  { why: 'version 5 of RealVNC', bytes: text('RFB 005.000\n'), expect: { protocol: 'vnc', at: 12 } },
  { why: 'the line has not ended', bytes: text('RFB 003.008'), expect: 'more' },
  { why: 'no version', bytes: text('RFB abc.def\n'), expect: { unknownAt: 5 } },
];
