import { type Case, text } from './case.js';

export const cases: readonly Case[] = [
  {
    why: 'a greeting with digests',
    bytes: text('@RSYNCD: 32.0 sha512 md5\n'),
    expect: { protocol: 'rsync', at: 10 },
  },
  { why: 'the version is not here yet', bytes: text('@RSYNCD: '), expect: 'more' },
  { why: 'no version', bytes: text('@RSYNCD: OK\n'), expect: { unknownAt: 10 } },
];
