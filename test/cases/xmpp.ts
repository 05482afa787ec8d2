import { type Case, text } from './case.js';

export const cases: readonly Case[] = [
  {
    why: 'a stream',
    bytes: text("<stream:stream xmlns='jabber:client' to='a'>"),
    expect: { protocol: 'xmpp', at: 15 },
  },
  {
    why: 'behind a declaration',
    bytes: text("<?xml version='1.0'?><stream:stream to='a'>"),
    expect: { protocol: 'xmpp', at: 36 },
  },
  {
    why: 'behind a declaration and space',
    bytes: text('<?xml version="1.0" encoding="utf-8" ?>\r\n  <stream:stream\n'),
    expect: { protocol: 'xmpp', at: 58 },
  },
  { why: 'the name goes on', bytes: text('<stream:streams>\r\n'), expect: { unknownAt: 15 } },
  { why: 'another document', bytes: text('<?xml version="1.0" ?><methodCall>'), expect: { unknownAt: 24 } },
  { why: 'a declaration that goes on', bytes: text('<?xml version'), expect: 'more' },
  { why: 'the words in a document', bytes: text('<a><stream:stream>\r\n'), expect: { unknownAt: 2 } },
];
