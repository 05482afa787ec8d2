import { type Case, text } from './case.js';

export const cases: readonly Case[] = [
  {
    why: 'a fetch',
    bytes: text('0033git-upload-pack /repo.git\x00host=a\x00'),
    expect: { protocol: 'git', at: 20 },
  },
  { why: 'a push', bytes: text('002Dgit-receive-pack /r\x00'), expect: { protocol: 'git', at: 21 } },
  { why: 'an archive', bytes: text('0030git-upload-archive /r\x00'), expect: { protocol: 'git', at: 23 } },
  { why: 'no such service', bytes: text('0018git-upload-pac /r\r\n'), expect: { unknownAt: 19 } },
  { why: 'only the length', bytes: text('003e'), expect: 'more' },
];
