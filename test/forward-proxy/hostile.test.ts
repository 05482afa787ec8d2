/** Mutated requests: every parser answers, keeps to what it was given, and never lets a destination pass that is not strict. */
import { expect, test } from 'vitest';
import type { Conversation, Heard } from '../../src/forward-proxy/conversation.js';
import { createConversation } from '../../src/forward-proxy/conversations/index.js';
import { Policy } from '../../src/forward-proxy/policy.js';
import { asBuffer } from '../../src/protocols/cursor.js';
import { text } from '../cases/case.js';
import { mutate } from '../support/mutants.js';
import { createRandom } from '../support/random.js';

const MUTANTS = 4000;
const STEPS_MAX = 10;

const http = (target: string) =>
  text(
    `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nProxy-Authorization: Basic YWxpY2U6cHc=\r\n\r\nbehind`,
  );

const seeds: readonly { readonly protocol: string; readonly bytes: Uint8Array }[] = [
  { protocol: 'http', bytes: http('example.com:443') },
  { protocol: 'http', bytes: http('[::ffff:10.0.0.1]:443') },
  { protocol: 'http', bytes: http('127.0.0.1:443') },
  { protocol: 'socks4', bytes: text('\x04\x01\x01\xbb\0\0\0\x01me\0example.com\0behind') },
  { protocol: 'socks4', bytes: text('\x04\x01\x01\xbb\x7f\0\0\x01me\0behind') },
  {
    protocol: 'socks5',
    bytes: text('\x05\x02\x02\0\x01\x05alice\x02pw\x05\x01\0\x03\x0bexample.com\x01\xbbbehind'),
  },
  { protocol: 'socks5', bytes: text('\x05\x01\0\x05\x01\0\x01\x7f\0\0\x01\x01\xbbbehind') },
  {
    protocol: 'http2',
    bytes: text('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x05\0\0\0\x01\x82'),
  },
];

/** As a session goes on: to its destination, its refusal, or the end of what has come. */
function converse(client: Conversation, bytes: Uint8Array): Heard {
  let left = bytes;
  let heard = client.read(left, false);
  for (let step = 0; step < STEPS_MAX; step += 1) {
    if (heard.verdict === 'identity') heard = heard.accepted();
    else if (heard.verdict === 'reply') {
      expect(heard.taken).toBeGreaterThan(0);
      expect(heard.taken).toBeLessThanOrEqual(left.length);
      left = left.subarray(heard.taken);
      heard = client.read(left, false);
    } else return withinBounds(heard, left.length);
  }
  throw new Error('a conversation without end');
}

function withinBounds(heard: Heard, length: number): Heard {
  if (heard.verdict === 'more') expect(heard.bytesNeeded).toBeGreaterThan(length);
  if (heard.verdict === 'request') expect(heard.taken).toBeLessThanOrEqual(length);
  return heard;
}

test.each([true, false])('mutants, with users: %s', (hasUsers) => {
  const random = createRandom(13);
  const met = new Set<string>();
  for (const { protocol, bytes } of seeds) {
    for (let left = MUTANTS; left > 0; left -= 1) {
      const client = createConversation(protocol, hasUsers) as Conversation;
      const heard = converse(client, mutate(bytes, random));
      met.add(heard.verdict);
      if (heard.verdict === 'request') {
        expect(heard.destination.host).toMatch(/^(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|[0-9a-f:.]+)$/);
        expect(heard.destination.port).toBeGreaterThan(0);
        expect(heard.destination.port).toBeLessThan(65_536);
      }
      if (heard.verdict === 'refuse') {
        expect(heard.why).toMatch(/^[\x20-\x7e]{1,200}$/);
        expect(asBuffer(client.refusal(heard.cause, heard.why)).length).toBeLessThan(1000);
      }
    }
  }
  expect([...met].sort()).toEqual(['more', 'refuse', 'request']);
});

test('whatever an address looks like, loopback and private ones do not pass', () => {
  const policy = new Policy({ allow: [], deny: [], ports: [{ first: 443, last: 443 }] }, () => false);
  const inner = ['127.0.0.1', '10.1.2.3', '169.254.169.254', '0.0.0.0', '192.168.1.1'];
  const octets = (address: string) => address.split('.').map(Number);
  const groups = (address: string) => {
    const [a = 0, b = 0, c = 0, d = 0] = octets(address);
    return [a * 256 + b, c * 256 + d] as const;
  };
  const word = (number: number) => number.toString(16);
  for (const address of inner) {
    const [high, low] = groups(address);
    const forms = [
      address,
      `::ffff:${address}`,
      `::ffff:${word(high)}:${word(low)}`,
      `0:0:0:0:0:FFFF:${address}`,
      `::${address}`,
      `::ffff:0:${address}`,
      `64:ff9b::${address}`,
      `64:ff9b:1::${address}`,
      `2002:${word(high)}:${word(low)}::`,
      `2001:0:${word(high)}:${word(low)}::1`,
      `2001::${word(~high & 0xffff)}:${word(~low & 0xffff)}`,
    ];
    for (const form of forms)
      expect(policy.judgeAddresses({ host: 'a.example', port: 443 }, [form])?.cause, form).toBe(
        'destination',
      );
  }
});
