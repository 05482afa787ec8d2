/** Facts of Minecraft, SMB, LDAP, MQTT and SIP: `more` until they are complete. */
import { describe, expect, test } from 'vitest';
import type { Facts, FactsAnswer } from '../../src/model/facts.js';
import { ldapFacts } from '../../src/protocols/ldap-facts.js';
import { minecraftFacts } from '../../src/protocols/minecraft-facts.js';
import { mqttFacts } from '../../src/protocols/mqtt.js';
import { sipFacts } from '../../src/protocols/sip.js';
import { smbFacts } from '../../src/protocols/smb-facts.js';
import { hex, text } from '../cases/case.js';

interface FactsCase {
  readonly why: string;
  readonly parse: (bytes: Uint8Array) => FactsAnswer;
  readonly bytes: Uint8Array;
  readonly expect: Facts;
}

const utf16be = (words: string): string => [...words].map((letter) => `\0${letter}`).join('');
const utf16le = (words: string): string => [...words].map((letter) => `${letter}\0`).join('');

/** A message of SMB behind its length. */
const framed = (message: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([0, 0, message.length >> 8, message.length & 0xff]), message]);

/** A NEGOTIATE of SMB 2: header, then dialects, and the context with the server's name. */
function negotiate(dialects: string, name: string): Buffer {
  const header = Buffer.alloc(64);
  header.write('\xfeSMB@', 'latin1');
  const body = Buffer.alloc(36);
  body[0] = 36;
  body[2] = dialects.length / 4;
  const list = Buffer.from(dialects, 'hex');
  const padding = Buffer.alloc((8 - ((100 + list.length) % 8)) % 8);
  const at = 100 + list.length + padding.length;
  body.writeUInt32LE(at, 28);
  body[32] = 2;
  const letters = Buffer.from(utf16le(name), 'latin1');
  const contexts = Buffer.concat([
    // Signing, of 4 bytes, and the padding behind it.
    hex('0800 0400 00000000 01000000 00000000'),
    Buffer.from([5, 0, letters.length, 0, 0, 0, 0, 0]),
    letters,
  ]);
  return framed(Buffer.concat([header, body, list, padding, contexts]));
}

const smb1 = (): Buffer => {
  const header = Buffer.alloc(32);
  header.write('\xffSMB\x72', 'latin1');
  const names = text('\x02NT LM 0.12\0\x02SMB 2.???\0');
  return framed(Buffer.concat([header, Buffer.from([0, names.length, 0]), names]));
};

const netbios = (name: string): string =>
  [...Buffer.from(name.padEnd(15).concat('\x20'), 'latin1')]
    .map((byte) => String.fromCharCode(0x41 + (byte >> 4), 0x41 + (byte & 0x0f)))
    .join('');

const ping = `\xfe\x01\xfa\0\x0b${utf16be('MC|PingHost')}\0\x19\x4a\0\x09${utf16be('Mc.Domain')}\0\0\x63\xdd`;

const cases: readonly FactsCase[] = [
  {
    why: 'Minecraft: login',
    parse: minecraftFacts,
    bytes: text('\x10\0\xfb\x05\x09Mc.domain\x63\xdd\x02'),
    expect: { host: 'mc.domain', port: 25_565, version: 763, intent: 'login' },
  },
  {
    why: 'Minecraft: a mod says more behind the host',
    parse: minecraftFacts,
    bytes: text('\x14\0\x2f\x0elocalhost\0FML\0\x63\xdd\x01'),
    expect: { host: 'localhost', port: 25_565, version: 47, intent: 'status' },
  },
  {
    why: 'Minecraft: the ping of 1.6',
    parse: minecraftFacts,
    bytes: text(ping),
    expect: { host: 'mc.domain', port: 25_565, version: 74, intent: 'status' },
  },
  {
    why: 'SMB: dialects and the name of the server',
    parse: smbFacts,
    bytes: negotiate('0202100200030203' + '1103', 'Files.Example'),
    expect: { dialects: ['2.0.2', '2.1', '3.0', '3.0.2', '3.1.1'], host: 'files.example' },
  },
  {
    why: 'SMB: no contexts before 3.1.1',
    parse: smbFacts,
    bytes: negotiate('02021002', 'files'),
    expect: { dialects: ['2.0.2', '2.1'] },
  },
  {
    why: 'SMB 1: dialects',
    parse: smbFacts,
    bytes: smb1(),
    expect: { dialects: ['NT LM 0.12', 'SMB 2.???'] },
  },
  {
    why: 'SMB: a NetBIOS session',
    parse: smbFacts,
    bytes: text(`\x81\0\0\x44\x20${netbios('FILES')}\0\x20${netbios('CLIENT')}\0`),
    expect: { called_name: 'FILES', calling_name: 'CLIENT' },
  },
  {
    why: 'LDAP: a simple bind',
    parse: ldapFacts,
    bytes: text('\x30\x16\x02\x01\x01\x60\x11\x02\x01\x03\x04\x08cn=admin\x80'),
    expect: { request: 'bind', version: '3', user: 'cn=admin', mechanism: 'simple' },
  },
  {
    why: 'LDAP: nobody binds',
    parse: ldapFacts,
    bytes: hex('30 0c 02 01 01 60 07 02 01 03 04 00 80'),
    expect: { request: 'bind', version: '3', mechanism: 'simple' },
  },
  {
    why: 'LDAP: a bind by SASL',
    parse: ldapFacts,
    bytes: text('\x30\x18\x02\x01\x01\x60\x13\x02\x01\x03\x04\0\xa3\x0c\x04\x0aGSS-SPNEGO'),
    expect: { request: 'bind', version: '3', mechanism: 'GSS-SPNEGO' },
  },
  {
    why: 'LDAP: a search, with lengths in the long form',
    parse: ldapFacts,
    bytes: text('\x30\x84\0\0\0\x25\x02\x01\x02\x63\x84\0\0\0\x1c\x04\x0cdc=a,dc=test'),
    expect: { request: 'search', base: 'dc=a,dc=test' },
  },
  {
    why: 'LDAP: a request for TLS',
    parse: ldapFacts,
    bytes: text('\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037'),
    expect: { request: 'extended', oid: '1.3.6.1.4.1.1466.20037' },
  },
  {
    why: 'MQTT: a user',
    parse: mqttFacts,
    bytes: text('\x10\x16\0\x04MQTT\x04\xc2\0\x3c\0\x02c1\0\x02al'),
    expect: { version: '3.1.1', client_id: 'c1', user: 'al' },
  },
  {
    why: 'MQTT 5: a user behind a will with properties',
    parse: mqttFacts,
    bytes: text('\x10\x24\0\x04MQTT\x05\x86\0\x3c\0\0\x02c1\x02\x01\x01\0\x01t\0\x03bye\0\x05alice'),
    expect: { version: '5', client_id: 'c1', user: 'alice' },
  },
  {
    why: 'SIP: whom it is for',
    parse: sipFacts,
    bytes: text('INVITE sip:b@proxy.test SIP/2.0\r\nVia: x\r\nTo: "Bob" <sip:bob@b.test>;tag=1\r\n\r\n'),
    expect: { method: 'INVITE', path: 'sip:b@proxy.test', host: 'proxy.test', to: 'sip:bob@b.test' },
  },
  {
    why: 'SIP: in the short form',
    parse: sipFacts,
    bytes: text('REGISTER sip:b.test SIP/2.0\r\nt: sip:bob@b.test;tag=1\r\n\r\n'),
    expect: { method: 'REGISTER', path: 'sip:b.test', host: 'b.test', to: 'sip:bob@b.test' },
  },
  {
    why: 'SIP: for nobody',
    parse: sipFacts,
    bytes: text('OPTIONS sip:b.test SIP/2.0\r\nVia: x\r\n\r\n'),
    expect: { method: 'OPTIONS', path: 'sip:b.test', host: 'b.test' },
  },
];

describe.each(cases)('$why', ({ parse, bytes, expect: due }) => {
  test('all of it', () => expect(parse(bytes)).toEqual({ verdict: 'facts', facts: due }));

  test('any less of it asks for more, and an answer stays', () => {
    for (let end = 0; end < bytes.length; end++) {
      const answer = parse(bytes.subarray(0, end));
      expect(answer.verdict, `${end} bytes`).toBe('more');
      if (answer.verdict === 'more') expect(answer.bytesNeeded).toBeGreaterThan(end);
    }
    expect(parse(Buffer.concat([bytes, text('\0\0')]))).toEqual({ verdict: 'facts', facts: due });
  });
});

test('the ping of a Minecraft before 1.6 names nobody', () => {
  expect(minecraftFacts(hex('fe 01'))).toMatchObject({ verdict: 'more', facts: { intent: 'status' } });
});

test('a user of MQTT behind a will that is longer than what is looked at is not known', () => {
  const will = `\0\x01t\x7f\xff${'w'.repeat(0x7fff)}`;
  const bytes = text(`\x10\xff\xff\x02\0\x04MQTT\x04\x86\0\x3c\0\x02c1${will}\0\x02al`);
  expect(mqttFacts(bytes)).toEqual({
    verdict: 'facts',
    facts: { version: '3.1.1', client_id: 'c1' },
    doubtful: ['user'],
  });
});
