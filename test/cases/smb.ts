import { type Case, hex, text } from './case.js';

const netbios = `${'CKFDENECFDEFFCFGEFFCCACACACACACA'}\0 ${'EOENEBFACACACACACACACACACACACACA'}\0`;

export const cases: readonly Case[] = [
  { why: 'SMB 1', bytes: hex('00 00 00 2f ff 53 4d 42 72 00'), expect: { protocol: 'smb', at: 8 } },
  { why: 'SMB 2 and 3', bytes: hex('00 00 00 e2 fe 53 4d 42 40 00'), expect: { protocol: 'smb', at: 8 } },
  { why: 'over 64 KiB', bytes: hex('00 01 00 00 fe 53 4d 42 40 00'), expect: { protocol: 'smb', at: 8 } },
  {
    why: 'a NetBIOS session request',
    bytes: text(`\x81\0\0\x44 ${netbios}`),
    expect: { protocol: 'smb', at: 38 },
  },
  { why: 'the magic is not here yet', bytes: hex('00 00 00 45 ff 53'), expect: 'more' },
  { why: 'encrypted, which is no opening', bytes: hex('00 00 00 e2 fd 53 4d 42'), expect: { unknownAt: 5 } },
  { why: 'a NetBIOS name in other letters', bytes: text('\x81\0\0\x44 Q'), expect: { unknownAt: 6 } },
];
