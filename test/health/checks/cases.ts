/** Answers of real servers (Debian 12), as they were recorded, and what each check makes of them. */
import { Buffer } from 'node:buffer';
import type { CheckName } from '../../../src/health/checks/index.js';
import type { Script } from './script.js';

export interface CheckCase extends Script {
  readonly why: string;
  readonly type: CheckName;
  /** As in a configuration, beside `type`. */
  readonly options?: object;
  /** Exact `well`, or what `why` matches. */
  readonly expect: object | RegExp;
  /** Bytes of the last answer that decide; default: all. */
  readonly decidedBy?: number;
}

const text = (answer: string): Buffer => Buffer.from(answer, 'latin1');
const hex = (answer: string): Buffer => Buffer.from(answer.replaceAll(' ', ''), 'hex');

const well = { well: true };
const http = (status: string, headers: string, body: string): Buffer =>
  text(`HTTP/1.1 ${status}\r\nServer: nginx/1.22.1\r\n${headers}\r\n${body}`);

const greeting = hex(
  `64 000000 0a 352e352e352d31302e31312e31392d4d6172696144422d302b646562313275310005000000
   3060744746664f3b 00 fef7 08 0200 ff81 15 000000000000 1d000000 7561624a2b387463712f335300
   6d7973716c5f6e61746976655f70617373776f726400`.replace(/\s+/g, ''),
);
const loginOk = hex('07000002 00 0000 0200 0000');
const mysqlError = (sequence: number, code: number, message: string): Buffer => {
  const payload = Buffer.concat([Buffer.of(0xff, code & 0xff, code >> 8), text(message)]);
  return Buffer.concat([Buffer.of(payload.length, 0, 0, sequence), payload]);
};
const pgError = (code: string, message: string): Buffer => {
  const fields = text(
    `SFATAL\0VFATAL\0C${code}\0M${message}\0Fpostmaster.c\0L2415\0RProcessStartupPacket\0\0`,
  );
  const head = Buffer.alloc(5);
  head.write('E', 0);
  head.writeUInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
};
const smtpHello = text(
  '250-mail.example.com Hello localhost [127.0.0.1], pleased to meet you\r\n250-8BITMIME\r\n250-SIZE 36700160\r\n250 HELP\r\n',
);
const stunAnswer = (type: number, attributes: Buffer) => (asked: Buffer) => {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(attributes.length, 2);
  return Buffer.concat([head, asked.subarray(4, 20), attributes]);
};
/** The query with the flags of a response; `before`: bytes of its length, on a stream. */
const dnsAnswer =
  (flags: number, before = 0) =>
  (asked: Buffer) => {
    const answer = Buffer.from(asked);
    answer.writeUInt16BE(flags, before + 2);
    return answer;
  };

const http200 = http('200 OK', 'Content-Length: 16\r\nConnection: close\r\n', 'served by nginx\n');
const statusLine = 'HTTP/1.1 200 OK\r\n'.length;

export const cases: readonly CheckCase[] = [
  // ---- http
  { why: 'nginx', type: 'http', answers: [http200], expect: well, decidedBy: statusLine },
  {
    why: 'a status that is not wanted',
    type: 'http',
    answers: [http('503 Service Unavailable', '', '')],
    expect: /^answered with status 503$/,
    decidedBy: 'HTTP/1.1 503 Service Unavailable\r\n'.length,
  },
  {
    why: 'statuses as numbers, ranges and classes',
    type: 'http',
    options: { status: [204, '300-302', '4xx'] },
    answers: [http('404 Not Found', '', '')],
    expect: well,
    decidedBy: 'HTTP/1.1 404 Not Found\r\n'.length,
  },
  {
    why: 'one status',
    type: 'http',
    options: { status: 204 },
    answers: [http('200 OK', '', '')],
    expect: /status 200/,
    decidedBy: statusLine,
  },
  {
    why: 'its body has the text',
    type: 'http',
    options: { body: 'by nginx' },
    answers: [http200],
    expect: well,
    decidedBy: http200.length - 1,
  },
  {
    why: 'its body has it not',
    type: 'http',
    options: { body: 'by apache' },
    answers: [http200],
    expect: /^its answer does not contain the wanted text$/,
  },
  {
    why: 'only its head has the text',
    type: 'http',
    options: { body: 'nginx/1.22' },
    answers: [http200],
    expect: /does not contain/,
  },
  {
    why: 'the text lies across two chunks',
    type: 'http',
    options: { body: 'all is well' },
    answers: [http('200 OK', 'Transfer-Encoding: chunked\r\n', '6\r\nall is\r\n5;x=1\r\n well\r\n0\r\n\r\n')],
    expect: well,
    decidedBy: http('200 OK', 'Transfer-Encoding: chunked\r\n', '6\r\nall is\r\n5;x=1\r\n well').length,
  },
  {
    why: 'chunks without the text',
    type: 'http',
    options: { body: '5;x' },
    answers: [http('200 OK', 'Transfer-Encoding: chunked\r\n', '5;x=1\r\n well\r\n0\r\n\r\n')],
    expect: /does not contain/,
    decidedBy: http('200 OK', 'Transfer-Encoding: chunked\r\n', '5;x=1\r\n well\r\n0\r\n').length,
  },
  {
    why: 'an answer whose end is that of the connection',
    type: 'http',
    options: { body: 'well' },
    answers: [text('HTTP/1.0 200 OK\n\nall is well')],
    expect: well,
  },
  {
    why: 'early hints come before the answer',
    type: 'http',
    answers: [text('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n')],
    expect: well,
    decidedBy: 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\n'.length,
  },
  {
    why: 'HTTP/2 without a request for it',
    type: 'http',
    answers: [hex('000018 04 00 00000000')],
    expect: /^does not answer in HTTP\/1$/,
    decidedBy: 1,
  },
  {
    why: 'a status of four digits',
    type: 'http',
    answers: [text('HTTP/1.1 2000 OK\r\n')],
    expect: /HTTP\/1/,
  },

  // ---- redis
  { why: 'redis', type: 'redis', answers: [text('+PONG\r\n')], expect: well },
  {
    why: 'a password and a user',
    type: 'redis',
    options: { user: 'check', password: 'secret' },
    answers: [text('+OK\r\n'), text('+PONG\r\n')],
    expect: well,
  },
  {
    why: 'the role',
    type: 'redis',
    options: { role: 'master' },
    answers: [text('+PONG\r\n'), text('*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n')],
    expect: well,
    decidedBy: '*3\r\n$6\r\nmaster\r\n'.length,
  },
  {
    why: 'a replica is no master',
    type: 'redis',
    options: { role: 'master' },
    answers: [
      text('+PONG\r\n'),
      text('*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:1\r\n$7\r\nconnect\r\n:-1\r\n'),
    ],
    expect: /^is a replica$/,
    decidedBy: '*5\r\n$5\r\nslave\r\n'.length,
  },
  ...(
    [
      ['LOADING Redis is loading the dataset in memory', /^is loading its data$/],
      ['READONLY You can not write against a read only replica.', /^is a read-only replica$/],
      ['MASTERDOWN Link with MASTER is down', /lost its master/],
      ['NOAUTH Authentication required.', /asks for a password/],
      ['DENIED Redis is running in protected mode', /protected mode/],
      ['MISCONF Redis is configured to save RDB snapshots', /can not write/],
      ['ERR <script>alert(1)</script>', /^answered with an error$/],
    ] as const
  ).map(
    ([error, expect]): CheckCase => ({
      why: error.split(' ')[0] ?? '',
      type: 'redis',
      answers: [text(`-${error}\r\n`)],
      expect,
    }),
  ),
  {
    why: 'a wrong password',
    type: 'redis',
    options: { password: 'x' },
    answers: [text('-WRONGPASS invalid username-password pair or user is disabled.\r\n')],
    expect: /^refuses the password of its check$/,
  },
  {
    why: 'another simple answer',
    type: 'redis',
    answers: [text('+PONGO\r\n')],
    expect: /Redis protocol/,
  },

  // ---- mysql
  { why: 'mariadb', type: 'mysql', speaksFirst: true, answers: [greeting], expect: well },
  {
    why: 'a login',
    type: 'mysql',
    options: { user: 'anyport' },
    speaksFirst: true,
    answers: [greeting, loginOk],
    expect: well,
  },
  {
    why: 'a login by another method',
    type: 'mysql',
    options: { user: 'anyport' },
    speaksFirst: true,
    answers: [
      greeting,
      Buffer.concat([hex('2c000002 fe'), text('caching_sha2_password\0AAAAAAAAAAAAAAAAAAAA\0')]),
      hex('07000004 00 0000 0200 0000'),
    ],
    expect: well,
  },
  {
    why: 'a login that is refused',
    type: 'mysql',
    options: { user: 'nobody' },
    speaksFirst: true,
    answers: [greeting, mysqlError(2, 1045, "#28000Access denied for user 'nobody'@'127.0.0.1'")],
    expect: /^refuses the user of its check$/,
  },
  {
    why: 'too many connections',
    type: 'mysql',
    speaksFirst: true,
    answers: [mysqlError(0, 1040, 'Too many connections')],
    expect: /^has too many connections$/,
  },
  {
    why: 'a host that is blocked',
    type: 'mysql',
    speaksFirst: true,
    answers: [mysqlError(0, 1129, "Host 'a' is blocked because of many connection errors")],
    expect: /^blocks this host/,
  },
  {
    why: 'an error that is not listed',
    type: 'mysql',
    speaksFirst: true,
    answers: [mysqlError(0, 9999, 'x')],
    expect: /^answered with error 9999$/,
  },
  {
    why: 'protocol 9, of 1998',
    type: 'mysql',
    speaksFirst: true,
    answers: [Buffer.concat([hex('0e000000 09'), text('3.20.32a\0abcd')])],
    expect: /MySQL's protocol/,
    decidedBy: 5,
  },

  // ---- postgres
  { why: 'no TLS', type: 'postgres', answers: [text('N')], expect: well },
  { why: 'TLS', type: 'postgres', answers: [text('S')], expect: well },
  {
    why: 'an error instead of the offer',
    type: 'postgres',
    answers: [pgError('53300', 'sorry, too many clients already')],
    expect: /^has too many connections$/,
  },
  {
    why: 'a password is asked for',
    type: 'postgres',
    options: { user: 'check' },
    answers: [hex('52 00000017 0000000a 534352414d2d5348412d323536 0000')],
    expect: well,
  },
  {
    why: 'no password is needed',
    type: 'postgres',
    options: { user: 'check', database: 'app' },
    answers: [hex('52 00000008 00000000')],
    expect: well,
  },
  {
    why: 'it is starting',
    type: 'postgres',
    options: { user: 'check' },
    answers: [pgError('57P03', 'the database system is starting up')],
    expect: /^is starting up, shutting down or recovering$/,
  },
  {
    why: 'a code that is not listed',
    type: 'postgres',
    options: { user: 'check' },
    answers: [pgError('XX000', 'x')],
    expect: /^answered with error XX000$/,
  },
  {
    why: 'an error of before 2003',
    type: 'postgres',
    options: { user: 'check' },
    answers: [text('EFATAL:  no pg_hba.conf entry\n\0')],
    expect: /PostgreSQL's protocol/,
    decidedBy: 5,
  },

  // ---- smtp
  {
    why: 'opensmtpd',
    type: 'smtp',
    speaksFirst: true,
    answers: [text('220 mail.example.com ESMTP OpenSMTPD\r\n'), smtpHello, text('221 2.0.0 Bye\r\n')],
    expect: well,
  },
  {
    why: 'a greeting of several lines',
    type: 'smtp',
    speaksFirst: true,
    answers: [text('220-welcome\r\n220-to\r\n220 mail\r\n'), text('250 mail\r\n'), text('221 bye\r\n')],
    expect: well,
  },
  {
    why: 'it takes no mail for now',
    type: 'smtp',
    speaksFirst: true,
    answers: [text('421 4.3.2 try again later\r\n')],
    expect: /^takes no mail for now \(421\)$/,
  },
  {
    why: 'it refuses EHLO',
    type: 'smtp',
    speaksFirst: true,
    answers: [text('220 mail\r\n'), text('502 5.5.1 no\r\n')],
    expect: /^answered with 502, not 250$/,
  },
  {
    why: 'FTP greets alike, but knows no EHLO',
    type: 'smtp',
    speaksFirst: true,
    answers: [text('220 (vsFTPd 3.0.3)\r\n'), text('530 Please login with USER and PASS.\r\n')],
    expect: /530/,
  },

  // ---- ssh
  {
    why: 'openssh',
    type: 'ssh',
    speaksFirst: true,
    answers: [text('SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10\r\n')],
    expect: well,
  },
  {
    why: 'lines before the identification',
    type: 'ssh',
    speaksFirst: true,
    answers: [text('authorised use only\r\nSSH-1.99-Cisco-1.25\n')],
    expect: well,
  },
  {
    why: 'version 1',
    type: 'ssh',
    speaksFirst: true,
    answers: [text('SSH-1.5-OpenSSH_3.4\n')],
    expect: /^does not speak SSH 2$/,
  },
  {
    why: 'too many logins',
    type: 'ssh',
    speaksFirst: true,
    answers: [text('Exceeded MaxStartups\r\n')],
    expect: /^has too many logins under way$/,
  },

  // ---- ldap
  {
    why: 'slapd',
    type: 'ldap',
    answers: [hex('300c 020101 61070a0100 0400 0400')],
    expect: well,
  },
  {
    why: 'the root DSE',
    type: 'ldap',
    options: { request: 'root_dse' },
    answers: [hex('3009 020101 6404 0400 3000 300c 020101 65070a0100 0400 0400')],
    expect: well,
  },
  {
    why: 'lengths in four bytes, as Active Directory writes them',
    type: 'ldap',
    answers: [hex('308400000010 020101 618400000007 0a0100 0400 0400')],
    expect: well,
  },
  {
    why: 'no anonymous bind',
    type: 'ldap',
    answers: [hex('3025 020101 6120 0a0130 0400 0419 616e6f6e796d6f75732062696e6420646973616c6c6f776564')],
    expect: /^refuses an anonymous bind$/,
  },
  {
    why: 'it ends the session',
    type: 'ldap',
    answers: [hex('3024 020100 781f 0a0134 0400 0400 8a16 312e332e362e312e342e312e313436362e3230303336')],
    expect: /^is unavailable$/,
  },
  {
    why: 'the result of something else',
    type: 'ldap',
    answers: [hex('300c 020101 6b070a0100 0400 0400')],
    expect: /LDAP/,
  },

  // ---- mqtt
  { why: 'mosquitto', type: 'mqtt', answers: [hex('20020000')], expect: well },
  {
    why: 'it wants to know who asks',
    type: 'mqtt',
    answers: [hex('20020005')],
    expect: /^does not let its check in/,
  },
  { why: 'a broker of MQTT 5', type: 'mqtt', answers: [hex('20030084 00')], expect: /3\.1\.1/, decidedBy: 4 },
  { why: 'a code of nobody', type: 'mqtt', answers: [hex('200200fe')], expect: /code 254$/ },
  { why: 'another packet', type: 'mqtt', answers: [hex('d000')], expect: /MQTT/, decidedBy: 1 },

  // ---- dns
  { why: 'dnsmasq', type: 'dns', answers: [dnsAnswer(0x8580)], expect: well, decidedBy: 12 },
  {
    why: 'it refuses',
    type: 'dns',
    answers: [dnsAnswer(0x8105)],
    expect: /^answered with refused$/,
    decidedBy: 12,
  },
  {
    why: 'no such name is well, too, where that is said',
    type: 'dns',
    options: { name: 'no.example', record: 'A', rcode: ['noerror', 'nxdomain'] },
    answers: [dnsAnswer(0x8183)],
    expect: well,
    decidedBy: 12,
  },
  {
    why: 'a code of nobody',
    type: 'dns',
    answers: [dnsAnswer(0x818f)],
    expect: /response code 15/,
    decidedBy: 12,
  },

  {
    why: 'dnsmasq over TCP',
    type: 'dns',
    options: { transport: 'tcp' },
    answers: [dnsAnswer(0x8580, 2)],
    expect: well,
    decidedBy: 14,
  },
  {
    why: 'it refuses over TCP',
    type: 'dns',
    options: { transport: 'tcp' },
    answers: [dnsAnswer(0x8105, 2)],
    expect: /^answered with refused$/,
    decidedBy: 14,
  },

  // ---- stun
  {
    why: 'coturn over TCP',
    type: 'stun',
    options: { transport: 'tcp' },
    answers: [stunAnswer(0x0101, hex('0020 0008 0001 a147 e112a643'))],
    expect: well,
    decidedBy: 32,
  },
  {
    why: 'coturn',
    type: 'stun',
    answers: [stunAnswer(0x0101, hex('0020 0008 0001 a147 e112a643'))],
    expect: well,
    decidedBy: 32,
  },
  {
    why: 'an error',
    type: 'stun',
    answers: [stunAnswer(0x0111, hex('8022 0004 74657374 0009 0008 0000 0500 6f6f7073'))],
    expect: /^answered with error 500$/,
  },

  // ---- agent
  ...(
    [
      ['up\n', well],
      ['75%\n', { well: true, share: 192 }],
      ['up 50% # half of it\r\n', { well: true, share: 128, note: 'half of it' }],
      ['250%\n', { well: true, share: 256 }],
      ['ready,UP\t0%\n', { well: true, share: 0, state: 'ready' }],
      ['drain\n', { well: true, state: 'drain' }],
      ['maint # disk\x1b[31m\n', { well: true, state: 'maint', note: 'disk 31m' }],
      ['maxconn:30\n', well],
      ['down # too <hot>\n', /^is down, says its agent: too hot$/],
      ['fail\n', /^is down, says its agent$/],
      ['failed\n', /is down/],
      ['stopped\n', /is down/],
      ['down up\n', well],
      ['whatever 10 %\n', /says nothing that is known/],
      ['\n', /says nothing that is known/],
    ] as const
  ).map(
    ([said, expect]): CheckCase => ({
      why: JSON.stringify(said),
      type: 'agent',
      speaksFirst: true,
      answers: [text(said)],
      expect,
      decidedBy: said.search(/[\r\n]/) + 1,
    }),
  ),

  // ---- send_expect
  {
    why: 'rounds',
    type: 'send_expect',
    options: {
      rounds: [
        { expect: 'hello' },
        { send: 'A\r\n', expect_hex: '0d 0a' },
        { send_hex: 'ff00', expect_regex: '^(?:x|\\d+)\\n' },
      ],
    },
    speaksFirst: true,
    answers: [text('* hello'), text('b\r\n'), text('123\n')],
    expect: well,
  },
  {
    why: 'the rest of an answer is for the next round',
    type: 'send_expect',
    options: { rounds: [{ send: 'x', expect: '+OK\r\n' }, { expect_regex: '^\\+PONG' }] },
    answers: [text('+OK\r\n+PONG')],
    expect: well,
  },
  {
    why: 'an answer that does not match',
    type: 'send_expect',
    options: { rounds: [{ send: 'x', expect_regex: '^\\+PONG' }] },
    answers: [text('-ERR')],
    expect: /^does not answer round 1 as expected$/,
    decidedBy: 1,
  },
  {
    why: 'a later round fails, and is named',
    type: 'send_expect',
    options: { rounds: [{ expect: 'hello' }, { send: 'x', expect_regex: '^valid' }] },
    speaksFirst: true,
    answers: [text('hello'), text('-ERR')],
    expect: /^does not answer round 2 as expected$/,
    decidedBy: 1,
  },
  {
    why: 'anything but an error, as soon as there is a byte',
    type: 'send_expect',
    options: { rounds: [{ send: 'x', expect_regex: '^[^-]' }] },
    answers: [text('valid')],
    expect: well,
    decidedBy: 1,
  },
  {
    why: 'an error where anything else would do',
    type: 'send_expect',
    options: { rounds: [{ send: 'x', expect_regex: '^[^-]' }] },
    answers: [text('-ERR')],
    expect: /^does not answer round 1 as expected$/,
    decidedBy: 1,
  },
  {
    why: 'rounds over UDP',
    type: 'send_expect',
    options: {
      transport: 'udp',
      rounds: [
        { send_hex: 'ffffffff 54', expect_hex: 'ff:ff:ff:ff:41' },
        { send: 'next', expect: 'map' },
        { send: 'last', expect_regex: '^\\d+\\n' },
      ],
    },
    answers: [hex('ffffffff41'), text('a map'), text('7\n')],
    expect: well,
  },
  {
    why: 'another datagram than is expected',
    type: 'send_expect',
    options: { transport: 'udp', rounds: [{ send: 'x', expect: 'PONG' }] },
    answers: [text('ERR')],
    expect: /^does not answer round 1 as expected$/,
    decidedBy: 1,
  },
  {
    why: 'a datagram is the whole answer',
    type: 'send_expect',
    options: { transport: 'udp', rounds: [{ send: 'x', expect_regex: '^PONG\\n' }] },
    answers: [text('PONG')],
    expect: /^does not answer round 1 as expected$/,
    decidedBy: 1,
  },
];
