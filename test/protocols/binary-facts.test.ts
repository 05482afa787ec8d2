/** Facts of the protocols with binary openings: `more` until they are there. */
import { describe, expect, test } from 'vitest';
import type { Facts, FactsAnswer } from '../../src/model/facts.js';
import { kafkaFacts } from '../../src/protocols/kafka.js';
import { mqttFacts } from '../../src/protocols/mqtt.js';
import { postgresFacts } from '../../src/protocols/postgres.js';
import { rdpFacts } from '../../src/protocols/rdp.js';
import { socks4Facts } from '../../src/protocols/socks4.js';
import { hex, text } from '../cases/case.js';
import { alpn, hello, records } from '../cases/tls.js';

interface FactsCase {
  readonly why: string;
  readonly parse: (bytes: Uint8Array) => FactsAnswer;
  readonly bytes: Uint8Array;
  readonly expect: Facts;
  readonly doubtful?: readonly string[];
}

const cases: readonly FactsCase[] = [
  {
    why: 'SOCKS 4: an address and a user',
    parse: socks4Facts,
    bytes: text('\x04\x01\x01\xbb\x7f\0\0\x02alice\0'),
    expect: { host: '127.0.0.2', destination: '127.0.0.2:443', user: 'alice' },
  },
  {
    why: 'SOCKS 4a: a host name, no user',
    parse: socks4Facts,
    bytes: text('\x04\x01\0\x50\0\0\0\x01\0A.example\0'),
    expect: { host: 'a.example', destination: 'a.example:80' },
  },
  {
    why: 'RDP: the name in the cookie',
    parse: rdpFacts,
    bytes: text('\x03\0\0\x2b\x26\xe0\0\0\0\0\0Cookie: mstshash=alice\r\n\x01\0\x08\0\x03\0\0\0'),
    expect: { cookie: 'alice' },
  },
  {
    why: 'RDP: the token of a load balancer',
    parse: rdpFacts,
    bytes: text('\x03\0\0\x1f\x1a\xe0\0\0\0\0\0Cookie: msts=1.2.3\r\n'),
    expect: { routing_token: 'Cookie: msts=1.2.3' },
  },
  {
    why: 'RDP: the name in the cookie behind a preconnection PDU',
    parse: rdpFacts,
    bytes: Buffer.concat([
      hex('12 00 00 00 00 00 00 00 02 00 00 00 07 00 00 00 00 00'),
      text('\x03\0\0\x23\x1e\xe0\0\0\0\0\0Cookie: mstshash=alice\r\n'),
    ]),
    expect: { cookie: 'alice' },
  },
  {
    why: 'RDP: a negotiation request alone says nothing',
    parse: rdpFacts,
    bytes: hex('03 00 00 13 0e e0 00 00 00 00 00 01 00 08 00 03 00 00 00'),
    expect: {},
  },
  {
    why: 'MQTT 3.1.1',
    parse: mqttFacts,
    bytes: text('\x10\x0e\0\x04MQTT\x04\x02\0\x3c\0\x02c1'),
    expect: { version: '3.1.1', client_id: 'c1' },
  },
  {
    why: 'MQTT 5: the client id is behind the properties',
    parse: mqttFacts,
    bytes: text('\x10\x12\0\x04MQTT\x05\x02\0\x3c\x03\x21\0\x14\0\x02\xc3\xa9'),
    expect: { version: '5', client_id: 'é' },
  },
  {
    why: 'MQTT: a bridge that leaves its id to the server',
    parse: mqttFacts,
    bytes: text('\x10\x0e\0\x06MQIsdp\x83\x02\0\x3c\0\0'),
    expect: { version: '3.1' },
  },
  {
    why: 'Kafka: the name of the client',
    parse: kafkaFacts,
    bytes: text('\0\0\0\x0d\0\x12\0\x02\0\0\0\0\0\x03app'),
    expect: { client_id: 'app' },
  },
  {
    why: 'Kafka: no name',
    parse: kafkaFacts,
    bytes: hex('00 00 00 0a 00 12 00 00 00 00 00 01 ff ff'),
    expect: {},
  },
  {
    why: 'PostgreSQL: a value that is called like a parameter is none',
    parse: postgresFacts,
    bytes: text('\0\0\0\x31\0\x03\0\0replication\0database\0user\0al\0database\0b\0\0'),
    expect: { user: 'al', database: 'b' },
  },
  {
    why: 'PostgreSQL: without a database it is called like the user',
    parse: postgresFacts,
    bytes: text('\0\0\0\x11\0\x03\0\0user\0al\0\0'),
    expect: { user: 'al', database: 'al' },
  },
  {
    why: 'PostgreSQL: an empty database, too; of two users the last one',
    parse: postgresFacts,
    bytes: text('\0\0\0\x22\0\x03\0\0user\0al\0database\0\0user\0b\0\0'),
    expect: { user: 'b', database: 'b' },
  },
  {
    why: 'PostgreSQL: a name that some servers cut',
    parse: postgresFacts,
    bytes: text(`\0\0\0\x5a\0\x03\0\0user\0${'a'.repeat(64)}\0database\0b\0\0`),
    expect: { user: 'a'.repeat(64), database: 'b' },
    doubtful: ['user'],
  },
  {
    why: 'PostgreSQL: behind a request for TLS nobody but the server reads the names',
    parse: postgresFacts,
    bytes: hex('00 00 00 08 04 d2 16 2f'),
    expect: {},
    doubtful: ['user', 'database'],
  },
  {
    why: 'PostgreSQL: nor within TLS at once',
    parse: postgresFacts,
    bytes: records(hello([alpn('postgresql')])),
    expect: { alpn: ['postgresql'], versions: ['1.2'], ech: false },
    doubtful: ['user', 'database'],
  },
];

describe.each(cases)('$why', ({ parse, bytes, expect: due, doubtful }) => {
  test('all of it', () => {
    // What may be said to the client (`turn`) is no fact.
    expect({ ...parse(bytes), turn: undefined }).toEqual({
      verdict: 'facts',
      facts: due,
      ...(doubtful && { doubtful }),
    });
  });

  test('any less of it asks for more', () => {
    for (let end = 0; end < bytes.length; end++) {
      const answer = parse(bytes.subarray(0, end));
      expect(answer.verdict, `${end} bytes`).toBe('more');
      if (answer.verdict === 'more') expect(answer.bytesNeeded).toBeGreaterThan(end);
    }
  });
});

const broken = [
  {
    why: 'SOCKS 4: a user without an end',
    parse: socks4Facts,
    bytes: text(`\x04\x01\0\x50\x7f\0\0\x01${'a'.repeat(600)}`),
  },
  {
    why: 'PostgreSQL: longer than a server takes',
    parse: postgresFacts,
    bytes: text('\0\0\x40\0\0\x03\0\0user\0'),
  },
  {
    why: 'MQTT: properties without an end',
    parse: mqttFacts,
    bytes: text(`\x10\xff\xff\x7f\0\x04MQTT\x05\x02\0\x3c\xff\xff\x7f${'a'.repeat(16_384)}`),
  },
];

test.each(broken)('can not be read: $why', ({ parse, bytes }) => {
  expect(parse(bytes)).toEqual({ verdict: 'broken', facts: {} });
});
