/** QUIC hellos: key derivation by the RFC's test vectors, recorded packets, generated packets. */
import { createCipheriv } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { quicFacts } from '../../src/protocols/quic.js';
import { clientKeys, quicVersions } from '../../src/protocols/quic-initial.js';
import { hex } from '../cases/case.js';
import { flights } from '../cases/flights.js';
import { alpn, extension, hello, serverName, versions } from '../cases/tls.js';

const destination = Buffer.from(hex('8394c8f03e515708'));

interface KeyCase {
  readonly source: string;
  readonly version: number;
  readonly key: string;
  readonly iv: string;
  readonly headerProtection: string;
}

const keyCases: readonly KeyCase[] = [
  {
    source: 'RFC 9001 appendix A.1',
    version: 0x00000001,
    key: '1f369613dd76d5467730efcbe3b1a22d',
    iv: 'fa044b2f42a3fd3b46fb255c',
    headerProtection: '9f50449e04a0e810283a1e9933adedd2',
  },
  {
    source: 'RFC 9369 appendix A.1',
    version: 0x6b3343cf,
    key: '8b1a0bc121284290a29e0971b5cd045d',
    iv: '91f73e2351d8fa91660e909f',
    headerProtection: '45b95e15235d6f45a6b19cbcb0294ba9',
  },
];

const keysOf = (version: number) => {
  const known = quicVersions.get(version);
  if (!known) throw new Error('no such version');
  return clientKeys(known, destination);
};

test.each(keyCases)('the client keys are those of $source', ({ version, ...due }) => {
  const { key, iv, headerProtection } = keysOf(version);
  expect([key, iv, headerProtection].map((part) => part.toString('hex'))).toEqual([
    due.key,
    due.iv,
    due.headerProtection,
  ]);
});

const two = (value: number): Buffer => Buffer.of(0x40 | (value >> 8), value & 0xff);

/** Part of the handshake's stream (RFC 9000 section 19.6). */
function crypto(stream: Uint8Array, from: number, to: number): Buffer {
  return Buffer.concat([Buffer.of(6), two(from), two(to - from), stream.subarray(from, to)]);
}

/** An Initial packet of version 1 with these frames, protected, padded to 600 bytes of payload. */
function packet(number: number, ...frames: Uint8Array[]): Buffer {
  const { key, iv, headerProtection } = keysOf(1);
  const payload = Buffer.concat([...frames, Buffer.alloc(600)]).subarray(0, 600);
  const head = Buffer.concat([
    hex('c1 00000001 08'),
    destination,
    hex('00 00'),
    two(2 + payload.length + 16),
    Buffer.of(0, number),
  ]);
  const nonce = Buffer.from(iv);
  nonce[11] = (nonce[11] ?? 0) ^ number;
  const cipher = createCipheriv('aes-128-gcm', key, nonce).setAAD(head);
  const body = Buffer.concat([cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
  const mask = createCipheriv('aes-128-ecb', headerProtection, null).update(body.subarray(2, 18));
  head[0] = (head[0] ?? 0) ^ ((mask[0] ?? 0) & 0x0f);
  for (const [i, at] of [head.length - 2, head.length - 1].entries())
    head[at] = (head[at] ?? 0) ^ (mask[1 + i] ?? 0);
  return Buffer.concat([head, body]);
}

const long = hello([
  extension(21, new Uint8Array(700)),
  serverName('a.example'),
  alpn('h3'),
  versions(0x0304),
]);
const facts = { version: '1', versions: ['1.3'], ech: false, sni: 'a.example', alpn: ['h3'] };
const end = long.length;
const ping = Buffer.of(1);

describe('a hello', () => {
  const whole = [
    { why: 'in two packets', packets: [packet(0, crypto(long, 0, 500)), packet(1, crypto(long, 500, end))] },
    {
      why: 'in frames out of order, among pings and padding',
      packets: [
        packet(0, ping, crypto(long, 600, end), Buffer.alloc(9), crypto(long, 0, 100)),
        packet(1, crypto(long, 100, 400), ping, crypto(long, 400, 600)),
      ],
    },
    {
      why: 'in frames that overlap',
      packets: [packet(0, crypto(long, 0, 450)), packet(1, crypto(long, 300, end))],
    },
    {
      why: 'in packets out of order',
      packets: [packet(1, crypto(long, 400, end)), packet(0, crypto(long, 0, 400))],
    },
  ];

  test.each(whole)('$why is read', ({ packets }) => {
    expect(quicFacts(Buffer.concat(packets))).toEqual({ verdict: 'facts', facts });
  });

  test('is read whatever is between its packets: padding, 0-RTT, datagrams of others', () => {
    const zeroRtt = Buffer.concat([
      hex('d1 00000001 08'),
      destination,
      hex('00'),
      two(300),
      Buffer.alloc(300, 7),
    ]);
    const other = Buffer.concat([
      hex('c1 00000001 08 0102030405060708 00 00'),
      two(300),
      Buffer.alloc(300, 9),
    ]);
    const packets = [
      packet(0, crypto(long, 0, 500)),
      zeroRtt,
      Buffer.alloc(200),
      other,
      Buffer.of(0x40, 1, 2),
    ];
    expect(quicFacts(Buffer.concat(packets))).toMatchObject({ verdict: 'more' });
    packets.push(packet(1, crypto(long, 500, end)));
    expect(quicFacts(Buffer.concat(packets))).toEqual({ verdict: 'facts', facts });
  });

  test('that comes again is read once', () => {
    const first = packet(0, crypto(long, 0, 500));
    const bytes = Buffer.concat([
      first,
      packet(2, crypto(long, 0, 500)),
      first,
      packet(1, crypto(long, 500, end)),
    ]);
    expect(quicFacts(bytes)).toEqual({ verdict: 'facts', facts });
  });

  test('whose frames say different things of the same bytes can not be read', () => {
    const forged = Buffer.from(long);
    forged[450] = 1;
    const packets = [packet(0, crypto(long, 0, 500)), packet(1, crypto(forged, 400, end))];
    expect(quicFacts(Buffer.concat(packets))).toMatchObject({ verdict: 'broken' });
  });

  test('with a gap needs more', () => {
    const answer = quicFacts(
      Buffer.concat([packet(0, crypto(long, 0, 300)), packet(1, crypto(long, 400, end))]),
    );
    expect(answer).toMatchObject({ verdict: 'more', facts: { version: '1' } });
  });

  test('in a packet that was changed can not be read', () => {
    const bytes = packet(0, crypto(long, 0, 500));
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    expect(quicFacts(bytes)).toEqual({ verdict: 'broken', facts: { version: '1' } });
  });

  test('that is a server hello can not be read', () => {
    const server = Buffer.from(long);
    server[0] = 2;
    expect(quicFacts(packet(0, crypto(server, 0, 500)))).toMatchObject({ verdict: 'broken' });
  });

  test('beside a frame that no opening has can not be read', () => {
    const stream = Buffer.concat([crypto(long, 0, 100), hex('1c 00 00 00')]);
    expect(quicFacts(packet(0, stream))).toMatchObject({ verdict: 'broken' });
  });
});

/** Expected from the packets: this client sends its own server name, whatever it was told to connect to. */
test.each(flights.filter(({ id }) => ['quic-udp-001', 'quic-udp-007'].includes(id)))(
  'flight $id',
  ({ bytes }) => {
    expect(quicFacts(bytes)).toMatchObject({ verdict: 'facts', facts: { sni: 'localhost', alpn: ['h3'] } });
  },
);
