import { type Case, text } from './case.js';

export const cases: readonly Case[] = [
  { why: 'version 2', bytes: text('SSH-2.0-OpenSSH_9.2p1\r\n'), expect: { protocol: 'ssh', at: 8 } },
  { why: 'version 2 that also speaks 1', bytes: text('SSH-1.99-Old\n'), expect: { protocol: 'ssh', at: 9 } },
  { why: 'the version is not here yet', bytes: text('SSH-'), expect: 'more' },
  { why: 'one byte', bytes: text('S'), expect: 'more' },
  { why: 'no such version', bytes: text('SSH-3.0-x\r\n'), expect: { unknownAt: 10 } },
  { why: 'another letter case', bytes: text('ssh-2.0-x\r\n'), expect: { unknownAt: 10 } },
];
