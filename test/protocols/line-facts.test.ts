/** Facts of line-based protocols: `more` until they are complete. */
import { describe, expect, test } from 'vitest';
import type { Facts, FactsAnswer } from '../../src/model/facts.js';
import { amqpFacts } from '../../src/protocols/amqp.js';
import { gitFacts } from '../../src/protocols/git.js';
import { requestFacts } from '../../src/protocols/request.js';
import { xmppFacts } from '../../src/protocols/xmpp.js';
import { hex, text } from '../cases/case.js';

interface FactsCase {
  readonly why: string;
  readonly parse: (bytes: Uint8Array) => FactsAnswer;
  readonly bytes: Uint8Array;
  /** `broken`: the protocol is right, its facts are malformed. */
  readonly expect: Facts | 'broken';
}

const cases: readonly FactsCase[] = [
  {
    why: 'SIP: the host of a URI with user, port and parameters',
    parse: requestFacts,
    bytes: text('INVITE sip:bob@B.example:5060;transport=tcp SIP/2.0\r\n'),
    expect: {
      method: 'INVITE',
      path: 'sip:bob@B.example:5060;transport=tcp',
      host: 'b.example',
    },
  },
  {
    why: 'SIP: a user with parameters and a path of its own',
    parse: requestFacts,
    bytes: text('INVITE sip:+1201;phone-context=/a?b@B.example;user=phone SIP/2.0\r\n'),
    expect: {
      method: 'INVITE',
      path: 'sip:+1201;phone-context=/a?b@B.example;user=phone',
      host: 'b.example',
    },
  },
  {
    why: 'SIP: a telephone number has no host',
    parse: requestFacts,
    bytes: text('INVITE tel:+12015550123 SIP/2.0\r\n'),
    expect: { method: 'INVITE', path: 'tel:+12015550123' },
  },
  {
    why: 'RTSP: the host of a URI with credentials',
    parse: requestFacts,
    bytes: text('DESCRIBE rtsp://u:p@[2001:db8::1]:554/cam RTSP/1.0\r\n'),
    expect: { method: 'DESCRIBE', path: 'rtsp://u:p@[2001:db8::1]:554/cam', host: '2001:db8::1' },
  },
  {
    why: 'RTSP: the whole server',
    parse: requestFacts,
    bytes: text('\r\nOPTIONS * RTSP/1.0\r\n'),
    expect: { method: 'OPTIONS', path: '*' },
  },
  {
    why: 'RTSP: white space between the parts and in the target',
    parse: requestFacts,
    bytes: text('PLAY  rtsp://a/b c\tRTSP/1.0 \r\n'),
    expect: { method: 'PLAY', path: 'rtsp://a/b c', host: 'a' },
  },
  {
    why: 'no target',
    parse: requestFacts,
    bytes: text('OPTIONS RTSP/1.0\r\n'),
    expect: { method: 'OPTIONS' },
  },
  {
    why: 'a request line without an end',
    parse: requestFacts,
    bytes: text(`OPTIONS ${'a'.repeat(32_768)}`),
    expect: 'broken',
  },
  {
    why: 'git: path and host',
    parse: gitFacts,
    bytes: text('0032git-upload-pack /repo.git\0host=A.example:9418\0'),
    expect: { path: '/repo.git', host: 'a.example' },
  },
  {
    why: 'git: no host',
    parse: gitFacts,
    bytes: text('001egit-upload-pack /repo.git\n'),
    expect: { path: '/repo.git' },
  },
  { why: 'git: no length', parse: gitFacts, bytes: text('000g'), expect: 'broken' },
  { why: 'AMQP: version', parse: amqpFacts, bytes: hex('414d5150 00000901'), expect: { version: '0-9-1' } },
  {
    why: 'XMPP: the domain',
    parse: xmppFacts,
    bytes: text(`<stream:stream xmlns='jabber:client' from="a@b" to='Chat.Example' version='1.0'>`),
    expect: { host: 'chat.example' },
  },
  {
    why: 'XMPP: the domain in the other quotes, after a declaration',
    parse: xmppFacts,
    bytes: text('<?xml version="1.0"?><stream:stream to="a">'),
    expect: { host: 'a' },
  },
  { why: 'XMPP: no domain', parse: xmppFacts, bytes: text('<stream:stream goto="a">'), expect: {} },
  {
    why: 'XMPP: a tag without an end',
    parse: xmppFacts,
    bytes: text(`<stream:stream ${'a'.repeat(4096)}`),
    expect: 'broken',
  },
];

describe('facts', () => {
  test.each(cases)('$why', ({ parse, bytes, expect: due }) => {
    expect(parse(bytes)).toEqual(
      due === 'broken' ? { verdict: 'broken', facts: {} } : { verdict: 'facts', facts: due },
    );
  });

  test.each(cases.filter((item) => item.expect !== 'broken'))('$why: not before', ({ parse, bytes }) => {
    for (let end = 0; end < bytes.length; end++) {
      const answer = parse(bytes.subarray(0, end));
      expect(answer.verdict).toBe('more');
      const needed = answer.verdict === 'more' ? answer.bytesNeeded : 0;
      expect(needed).toBeGreaterThan(end);
      expect(needed).toBeLessThanOrEqual(bytes.length);
    }
  });
});
