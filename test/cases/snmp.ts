import { type Case, type DatagramCase, hex } from './case.js';

/** Community `public`, GetRequest of 1.3.6.1.2.1.1.1.0. */
const request = 'a0 1c 0204 4eaa6206 0201 00 0201 00 30 0e 30 0c 0608 2b06010201010100 0500';
const community = '04 06 7075626c6963';
const v1 = `30 29 0201 00 ${community} ${request}`;
const v2c = `30 29 0201 01 ${community} ${request}`;
/** A discovery: no engine, no user. */
const v3 =
  '30 3e 0201 03 3011 0204 50ed551d 0203 00ffe3 0401 04 0201 03 0410 300e 0400 0201 00 0201 00 0400 0400 0400' +
  '3014 0400 0400 a00e 0204 7f3528a0 0201 00 0201 00 3000';

export const cases: readonly Case[] = [
  { why: 'version 1', bytes: hex(v1), expect: { protocol: 'snmp', at: 14 } },
  { why: 'version 2c', bytes: hex(v2c), expect: { protocol: 'snmp', at: 14 } },
  { why: 'version 3', bytes: hex(v3), expect: { protocol: 'snmp', at: 25 } },
  { why: 'the request is not here yet', bytes: hex(v1).subarray(0, 13), expect: 'more' },
  {
    why: 'a padded length',
    bytes: hex(`30 82 0029 0201 00 ${community} ${request}`),
    expect: { protocol: 'snmp', at: 16 },
  },
];

export const datagrams: readonly DatagramCase[] = [
  { why: 'version 1', bytes: hex(v1), expect: 'snmp' },
  { why: 'version 2c', bytes: hex(v2c), expect: 'snmp' },
  { why: 'version 3', bytes: hex(v3), expect: 'snmp' },
  { why: 'a padded length', bytes: hex(`30 82 0029 0201 00 ${community} ${request}`), expect: 'snmp' },
  { why: 'longer than it says', bytes: hex(`${v1} 00`), expect: null },
  { why: 'shorter than it says', bytes: hex(v1).subarray(0, -1), expect: null },
  { why: 'a response opens nothing', bytes: hex(v1.replace('a0 1c', 'a2 1c')), expect: null },
  { why: 'a community that fills the message', bytes: hex('30 0b 0201 00 04 06 7075626c6963'), expect: null },
  { why: 'an indefinite length', bytes: hex(`30 80 0201 00 ${community} ${request} 0000`), expect: null },
  { why: 'an LDAP bind', bytes: hex('30 0c 0201 01 60 07 0201 03 0400 8000'), expect: null },
];
