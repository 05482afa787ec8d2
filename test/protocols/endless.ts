/**
 * Worst-case openings that stay valid and never end: a head and a unit to repeat, with announced lengths beyond any
 * limit.
 */
export interface Endless {
  readonly why: string;
  readonly head: Buffer;
  readonly unit: Buffer;
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const text = (why: string, head: string, unit: string): Endless => ({
  why,
  head: Buffer.from(head, 'latin1'),
  unit: Buffer.from(unit, 'latin1'),
});
const binary = (why: string, head: string, unit: string): Endless => ({
  why,
  head: hex(head),
  unit: hex(unit),
});

const request = (version: string): Endless[] => [
  text('a long target', 'GET /', 'a'),
  text('many segments', 'GET ', '/%2e'),
  text('many headers', `GET / ${version}\r\n`, 'a: b\r\n'),
  text('a long header', `GET / ${version}\r\na: `, 'b'),
  text('spaces in a header', `GET / ${version}\r\nHost:`, ' '),
  text('a long list', `GET / ${version}\r\nUpgrade: websocket\r\nConnection: `, 'a, '),
  text('many hosts', `GET / ${version}\r\n`, 'Host: a\r\n'),
  text('line ends alone', `GET / ${version}\r\n`, 'a:b\n'),
];

const hello = '01 00 ff f0 03 03'.concat(' 00'.repeat(32), ' 00 00 02 13 01 01 00 ff c0');
const tls = [
  binary('records of one byte', '16 03 01 00 04 01 00 ff f0', '16 03 01 00 01 00'),
  binary('many extensions', `16 03 01 40 00 ${hello}`, '0a 0a 00 00'),
  binary('many server names', `16 03 01 40 00 ${hello} 00 00 ff 00 fe fe`, '01 00 01 61'),
  binary('many application protocols', `16 03 01 40 00 ${hello} 00 10 ff 00 fe fe`, '01 61'),
];

const http2 = '505249202a20485454502f322e300d0a0d0a534d0d0a0d0a 00 00 00 04 00 00 00 00 00';

/** By protocol; `udp`: its datagrams. */
export const endless: Readonly<Record<string, readonly Endless[]>> = {
  http: request('HTTP/1.1'),
  webdav: request('HTTP/1.1'),
  websocket: request('HTTP/1.1'),
  rtsp: request('RTSP/1.0'),
  sip: request('SIP/2.0'),
  tls,
  postgres: [
    ...tls,
    text('many parameters', '\x00\x00\x27\x10\x00\x03\x00\x00', 'a\x00b\x00'),
    text('a long name', '\x00\x00\x27\x10\x00\x03\x00\x00', 'a'),
  ],
  http2: [binary('many frames', http2, '00 00 00 04 01 00 00 00 00')],
  grpc: [
    binary('many frames', http2, '00 00 00 04 01 00 00 00 00'),
    binary(
      'frames of one byte of headers',
      `${http2} 00 00 01 01 00 00 00 00 01 82`,
      '00 00 01 09 00 00 00 00 01 82',
    ),
    binary('many headers', `${http2} 00 40 00 01 04 00 00 00 01`, '40 01 61 01 62'),
    binary('resized tables', `${http2} 00 40 00 01 04 00 00 00 01`, '20 3f e1 1f'),
  ],
  dns: [
    binary('many labels', 'ff ff 00 01 01 00 00 01 00 00 00 00 00 00', '01 61'),
    binary('many questions', 'ff ff 00 01 01 00 ff ff 00 00 00 00 00 00', '01 61 00 00 01 00 01'),
    binary(
      'many additions',
      'ff ff 00 01 01 00 00 01 00 00 00 00 ff ff 01 61 00 00 01 00 01',
      '00 00 29 ff ff 00 00 00 00 00 00',
    ),
  ],
  coap: [binary('many options', 'd0 ff e1', '20 20')],
  mqtt: [
    binary('many properties', '10 ff ff 03 00 04 4d 51 54 54 05 02 00 00 ff ff 03', '26 00 01 61 00 01 62'),
  ],
  kafka: [binary('a long name', '00 00 ff f0 00 12 00 03 00 00 00 01 03 ff', '61')],
  memcached: [text('many keys', 'get ', 'a '), text('a long key', 'get ', 'a')],
  xmpp: [
    text('many attributes', '<stream:stream', " a='b'"),
    text('spaces', '<stream:stream to', ' '),
    text('attributes that are almost it', '<stream:stream', ' to '),
    text('an attribute that does not end', "<stream:stream to='", 'a'),
    text('attributes that do not end', '<stream:stream', ` to='<`),
  ],
  git: [
    text('a long path', 'fff0git-upload-pack /', 'a'),
    text('many parameters', 'fff0git-upload-pack /\0', 'host=a\0'),
  ],
  ssh: [text('a long version', 'SSH-2.0-', 'a'), text('many lines', '', 'a\r\n')],
  socks4: [binary('a long user', '04 01 00 50 00 00 00 01', '61')],
  rdp: [text('a long cookie', '\x03\x00\xff\xff\xff\xe0\x00\x00\x00\x00\x00Cookie: mstshash=', 'a')],
  ldap: [binary('a long request', '30 84 00 00 ff ff 02 01 01 60 84 00 00 ff f0', '02')],
  snmp: [binary('a long community', '30 82 ff ff 02 01 01 04 82 ff f0', '61')],
  bittorrent: [text('a long dictionary', 'd1:ad2:id20:aaaaaaaaaaaaaaaaaaaa', '1:a1:b')],
  radius: [binary('many attributes', '01 01 ff ff'.concat(' 00'.repeat(16)), '01 03 61')],
  stun: [binary('many attributes', '00 01 ff fc 21 12 a4 42'.concat(' 00'.repeat(12)), '80 22 00 00')],
  ntp: [binary('many extensions', '23'.concat(' 00'.repeat(47)), '02 04 00 10'.concat(' 00'.repeat(12)))],
  dtls: [
    binary(
      'fragments of one byte',
      '',
      '16 fe fd 00 00 00 00 00 00 00 00 00 0d 01 00 ff f0 00 00 00 00 00 00 00 01 00',
    ),
  ],
};
