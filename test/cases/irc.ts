import { type Case, text } from './case.js';

export const cases: readonly Case[] = [
  { why: 'capabilities', bytes: text('CAP LS 302\r\n'), expect: { protocol: 'irc', at: 12 } },
  { why: 'without a version', bytes: text('cap ls\n'), expect: { protocol: 'irc', at: 7 } },
  {
    why: 'a nickname',
    bytes: text('NICK alice\r\nUSER alice 0 * :Alice\r\n'),
    expect: { protocol: 'irc', at: 12 },
  },
  {
    why: 'a user with four parameters',
    bytes: text('USER alice localhost 127.0.0.1 :alice\r\n'),
    expect: { protocol: 'irc', at: 39 },
  },
  {
    why: 'a gateway',
    bytes: text('WEBIRC w h.example.com 192.0.2.4 \r\n'),
    expect: { protocol: 'irc', at: 35 },
  },
  {
    why: 'a password before registration',
    bytes: text('PASS pw\r\nNICK alice\r\n'),
    expect: { protocol: 'irc', at: 14 },
  },
  {
    why: 'another server',
    bytes: text('PASS x TS 6 :00A\r\nCAPAB :QS EX\r\n'),
    expect: { protocol: 'irc', at: 24 },
  },
  {
    why: "a server's name",
    bytes: text('SERVER hub.example.org 1 :hub\r\n'),
    expect: { protocol: 'irc', at: 31 },
  },
  { why: "a password alone may be another's", bytes: text('PASS pw\r\n'), expect: 'more' },
  { why: 'a password, then something else', bytes: text('PASS pw\r\nSTAT\r\n'), expect: { unknownAt: 11 } },
  { why: 'a nickname is due', bytes: text('NICK\r\n'), expect: { unknownAt: 5 } },
];
