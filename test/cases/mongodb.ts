import { type Case, hex } from './case.js';

export const cases: readonly Case[] = [
  {
    why: 'OP_QUERY',
    bytes: hex('61 01 00 00 01 00 00 00 00 00 00 00 d4 07 00 00 00'),
    expect: { protocol: 'mongodb', at: 16 },
  },
  {
    why: 'OP_MSG',
    bytes: hex('6a 01 00 00 01 00 00 00 00 00 00 00 dd 07 00 00 00'),
    expect: { protocol: 'mongodb', at: 16 },
  },
  {
    why: 'the response is to -1',
    bytes: hex('41 00 00 00 3a 30 00 00 ff ff ff ff d4 07 00 00'),
    expect: { protocol: 'mongodb', at: 16 },
  },
  {
    why: 'the opcode is not here yet',
    bytes: hex('6a 01 00 00 01 00 00 00 00 00 00 00 dd 07 00'),
    expect: 'more',
  },
  {
    why: '48 bytes: LDAP needs an integer after its length',
    bytes: hex('30 00 00 00 01 00 00 00 00 00 00 00 dd 07 00 00'),
    expect: { protocol: 'mongodb', at: 16 },
  },
  {
    why: '272 bytes: MQTT needs at least 12',
    bytes: hex('10 01 00 00 01 00 00 00 00 00 00 00 dd 07 00 00'),
    expect: { protocol: 'mongodb', at: 16 },
  },
  {
    why: 'an answer',
    bytes: hex('6a 01 00 00 01 00 00 00 02 00 00 00 dd 07 00 00'),
    expect: { unknownAt: 9 },
  },
  {
    why: 'an opcode of old',
    bytes: hex('6a 01 00 00 01 00 00 00 00 00 00 00 d2 07 00 00'),
    expect: { unknownAt: 13 },
  },
  {
    why: 'shorter than a document',
    bytes: hex('10 00 00 00 01 00 00 00 00 00 00 00 dd 07 00 00'),
    expect: { unknownAt: 16 },
  },
];
