/** Hellos of Google's and Facebook's QUIC in generated packets: no clients are available. */
import { createCipheriv } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { quicFacts } from '../../src/protocols/quic.js';
import { clientKeys, quicVersions } from '../../src/protocols/quic-initial.js';
import { hex } from '../cases/case.js';
import { chlo, googleInitial } from '../cases/quic.js';
import { alpn, hello, serverName, versions } from '../cases/tls.js';

const id = '0123456789abcdef';

describe('Google before its packets were encrypted', () => {
  const heads = [
    { version: 'Q039', head: `0d ${id} 51303339 01` },
    { version: 'Q043', head: `09 ${id} 51303433 01` },
    { version: 'Q043', head: `19 ${id} 51303433 0001` },
    { version: 'Q046', head: `c3 51303436 50 ${id} 00000001` },
  ];

  test.each(heads)('$version says the name: $head', ({ version, head }) => {
    expect(quicFacts(googleInitial(head))).toEqual({
      verdict: 'facts',
      facts: { version, sni: 'www.example.com' },
    });
  });

  const [, { head }] = heads as [unknown, (typeof heads)[number]];

  test('a name is not said before the hello is whole', () => {
    const whole = googleInitial(head);
    for (let bytes = 14; bytes < 1066; bytes++) {
      expect(quicFacts(whole.subarray(0, bytes))).toMatchObject({
        verdict: 'more',
        facts: bytes < 13 ? {} : { version: 'Q043' },
      });
    }
    expect(quicFacts(whole.subarray(0, 1080))).toMatchObject({ facts: { sni: 'www.example.com' } });
  });

  const nameless = [
    { why: 'a name that can not be printed', hello: chlo([['SNI', 'a b']]) },
    { why: 'no name', hello: chlo([['PAD', 'x']]) },
    { why: 'another message', hello: Buffer.from('SHLO\0\0\0\0') },
    {
      why: 'ends that go backwards',
      hello: Buffer.from(
        chlo([
          ['PAD', 'xx'],
          ['SNI', 'y'],
        ]),
      ).fill(0, 20, 24),
    },
    { why: 'a value that leaves the message', hello: Buffer.from(chlo([['SNI', 'y']])).fill(9, 12, 13) },
    { why: 'more tags than there are', hello: Buffer.from(chlo([['SNI', 'y']])).fill(9, 4, 5) },
  ];

  test.each(nameless)('$why: the version alone', ({ hello }) => {
    expect(quicFacts(googleInitial(head, hello))).toEqual({ verdict: 'facts', facts: { version: 'Q043' } });
  });
});

const two = (value: number): Buffer => Buffer.of(0x40 | (value >> 8), value & 0xff);

/** An Initial packet of the version with the handshake in one frame, in 1200 bytes. */
function initial(version: number, handshake: Uint8Array): Buffer {
  const known = quicVersions.get(version);
  if (!known) throw new Error('no such version');
  const destination = Buffer.from(hex(id));
  const { key, iv, headerProtection } = clientKeys(known, destination);
  const number = Buffer.alloc(4);
  number.writeUInt32BE(version);
  const head = Buffer.concat([hex('c0'), number, hex('08'), destination, hex('00 00'), two(1182), hex('01')]);
  const frame = Buffer.concat([Buffer.of(known.cryptoFrame, 0), two(handshake.length), handshake]);
  const nonce = Buffer.from(iv);
  nonce[11] = (nonce[11] ?? 0) ^ 1;
  const cipher = createCipheriv('aes-128-gcm', key, nonce).setAAD(head);
  const payload = Buffer.concat([frame, Buffer.alloc(1165 - frame.length)]);
  const body = Buffer.concat([cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
  const mask = createCipheriv('aes-128-ecb', headerProtection, null).update(body.subarray(3, 19));
  const last = head.length - 1;
  head[0] = (head[0] ?? 0) ^ ((mask[0] ?? 0) & 0x0f);
  head[last] = (head[last] ?? 0) ^ (mask[1] ?? 0);
  return Buffer.concat([head, body]);
}

const tlsHello = hello([serverName('a.example'), alpn('h3'), versions(0x0304)]);
const tlsFacts = { versions: ['1.3'], ech: false, sni: 'a.example', alpn: ['h3'] };

describe('encrypted as the IETF does', () => {
  const withTls = [
    { name: 'T051', version: 0x54303531 },
    { name: 'T050', version: 0x54303530 },
    { name: 'mvfst', version: 0xfaceb001 },
    { name: 'mvfst', version: 0xfaceb002 },
    { name: 'draft-27', version: 0xff00001b },
    { name: 'draft-34', version: 0xff000022 },
  ];

  test.each(withTls)('$name', ({ name, version }) => {
    expect(quicFacts(initial(version, tlsHello))).toEqual({
      verdict: 'facts',
      facts: { version: name, ...tlsFacts },
    });
  });

  test("Q050, with Google's hello inside", () => {
    expect(quicFacts(initial(0x51303530, chlo([['SNI', 'a.example']])))).toEqual({
      verdict: 'facts',
      facts: { version: 'Q050', sni: 'a.example' },
    });
  });
});
