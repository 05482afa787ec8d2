/** What DNS messages ask, over both transports. */
import { describe, expect, test } from 'vitest';
import type { Facts } from '../../src/model/facts.js';
import { identifyBytes } from '../../src/protocols/identify.js';
import { hex } from '../cases/case.js';

const header = (flags = '0100', questions = 1, others = '0000 0000 0000') =>
  hex(`1234 ${flags} ${questions.toString(16).padStart(4, '0')} ${others}`);

const name = (...labels: string[]) =>
  Buffer.concat([
    ...labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1')),
    hex('00'),
  ]);

const question = (type: number, ...labels: string[]) =>
  Buffer.concat([name(...labels), Buffer.of(type >> 8, type & 0xff, 0, 1)]);

const cases: readonly { why: string; message: Buffer; facts: Facts }[] = [
  {
    why: 'a query, its name in lower case',
    message: Buffer.concat([header(), question(1, 'WwW', 'Example', 'com')]),
    facts: { method: 'QUERY', host: 'www.example.com', type: 'A' },
  },
  {
    why: 'a type without a name of its own here',
    message: Buffer.concat([header(), question(4711, 'a')]),
    facts: { method: 'QUERY', host: 'a', type: 'TYPE4711' },
  },
  {
    why: 'the root',
    message: Buffer.concat([header(), question(2)]),
    facts: { method: 'QUERY', host: '.', type: 'NS' },
  },
  {
    why: 'a notification of a zone',
    message: Buffer.concat([header('2400'), question(6, 'example', 'org')]),
    facts: { method: 'NOTIFY', host: 'example.org', type: 'SOA' },
  },
  {
    why: 'what is no plain character is shown by its number',
    message: Buffer.concat([header(), question(16, 'a.b', 'c d', '\xe9')]),
    facts: { method: 'QUERY', host: 'a\\046b.c\\032d.\\233', type: 'TXT' },
  },
];

describe.each(cases)('$why', ({ message, facts }) => {
  test('in a datagram', () =>
    expect(identifyBytes([message], 'udp')).toMatchObject({ protocol: 'dns', facts, bytesNeeded: null }));

  test('in a stream', () => {
    const stream = Buffer.concat([Buffer.of(message.length >> 8, message.length & 0xff), message]);
    expect(identifyBytes([stream], 'tcp')).toMatchObject({ protocol: 'dns', facts });
  });
});

test('several questions of multicast DNS: the first is told', () => {
  const message = Buffer.concat([
    hex('0000 0000 0002 0000 0000 0000'),
    question(12, 'a', 'local'),
    question(12, 'b', 'local'),
  ]);
  expect(identifyBytes([message], 'udp')).toMatchObject({
    protocol: 'dns',
    facts: { host: 'a.local', type: 'PTR' },
  });
});

test('no question, no name', () => {
  const message = Buffer.concat([header('0100', 0, '0000 0000 0001'), hex('00 0029 1000 00000000 0000')]);
  expect(identifyBytes([message], 'udp').facts).toEqual({ method: 'QUERY' });
});
