/** Invalid configurations, each with all the lines that the user reads. */

import { describe, expect, test } from 'vitest';
import { compile } from '../../src/config/compile.js';
import { NOTHING_DISCOVERED } from '../../src/model/config.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { configOf, problemsOf, warningsOf } from './support.js';

interface Case {
  readonly why: string;
  readonly text: string;
  /** Beginnings of the lines, in order. */
  readonly says: readonly string[];
}

const checkOverUdp = (keys: string) =>
  `protocols: [{ name: HTTP, target: web }]
upstreams: { web: { endpoints: ["h:1"], health_check: { type: send_expect, transport: udp, ${keys} } } }`;

const wrongValues: Case[] = [
  {
    why: 'a misspelled key',
    text: 'server: { max_conections: 5 }',
    says: [
      'any.yaml:1:11: server.max_conections: unknown key `max_conections`: did you mean `max_connections`?',
    ],
  },
  {
    why: 'a misspelled section',
    text: 'securty: {}',
    says: ['any.yaml:1:1: securty: unknown key `securty`: did you mean `security`?'],
  },
  {
    why: 'two unknown keys, each in its place',
    text: 'server:\n  lisen: ":1"\n  wrokers: 2',
    says: ['any.yaml:2:3: server.lisen: unknown key', 'any.yaml:3:3: server.wrokers: unknown key'],
  },
  {
    why: 'a number out of bounds',
    text: 'server: { workers: 257 }',
    says: ['any.yaml:1:11: server.workers: expected `auto` or a whole number from 1 to 256, got 257'],
  },
  {
    why: 'a bare number is no duration',
    text: 'server: { idle_timeout: 5 }',
    says: ['any.yaml:1:11: server.idle_timeout: expected a duration such as `250ms`'],
  },
  {
    why: 'a duration out of bounds',
    text: 'server: { identify_timeout: 1h }',
    says: ['any.yaml:1:11: server.identify_timeout: expected a duration such as'],
  },
  {
    why: 'a decimal unit',
    text: 'server: { buffer_size: 64KB }',
    says: ['any.yaml:1:11: server.buffer_size: expected bytes, or a size such as `64KiB`'],
  },
  {
    why: 'one of a few',
    text: 'server: { accept: reuse_port }',
    says: ['any.yaml:1:11: server.accept: unknown value `reuse_port`: did you mean `reuseport`?'],
  },
  {
    why: 'TLS of a check over UDP',
    text: checkOverUdp('tls: true, rounds: [{ send: x, expect: y }]'),
    says: ['any.yaml:2:92: upstreams.web.health_check.tls: needs `transport: tcp`: there is no TLS over UDP'],
  },
  {
    why: 'a check over UDP that nothing can fail',
    text: checkOverUdp('rounds: [{ send: x }]'),
    says: [
      'any.yaml:2:92: upstreams.web.health_check.rounds: expects nothing: over UDP only an answer shows',
    ],
  },
  {
    why: 'a check over UDP that waits before it asks',
    text: checkOverUdp('rounds: [{ expect: hello }, { send: x, expect: y }]'),
    says: ['any.yaml:2:101: upstreams.web.health_check.rounds[0]: expects an answer before anything is sent'],
  },
  {
    why: 'an address',
    text: 'server: { listen: [":1", "example.com:80"] }',
    says: ['any.yaml:1:26: server.listen[1]: expected an address such as `:9090`'],
  },
  {
    why: 'an address without a port',
    text: 'monitoring: { address: "127.0.0.1:9091" }',
    says: ['any.yaml:1:15: monitoring.address: expected an address without a port such as `127.0.0.1`'],
  },
  {
    why: 'a mapping is expected',
    text: 'logging: loud',
    says: ['any.yaml:1:1: logging: expected a mapping of keys and values, got "loud"'],
  },
  {
    why: 'a list is expected',
    text: 'routes: {}',
    says: ['any.yaml:1:1: routes: expected a list, got a mapping'],
  },
  { why: 'the whole is not a mapping', text: '- a', says: ['any.yaml:1:1: expected a mapping'] },
  {
    why: 'what is not implemented yet is checked too',
    text: 'security: { ip_blacklist: ["10.0.0.0/40"], rate_limit: { brust_size: 1 } }',
    says: [
      'any.yaml:1:28: security.ip_blacklist[0]: expected an address or a network',
      'any.yaml:1:58: security.rate_limit.brust_size: unknown key `brust_size`: did you mean `burst_size`?',
    ],
  },
  {
    why: 'a reference that is not set, once',
    text: `logging: { level: "$\{LEVEL}" }\nserver: { workers: 0 }`,
    says: ['any.yaml:1:12: logging.level: `$', 'any.yaml:2:11: server.workers: expected'],
  },
];

const wrongWholes: Case[] = [
  {
    why: 'more bytes are waited for than fit',
    text: 'server: { buffer_size: 1024, identify_min_bytes: 2KiB }',
    says: ['any.yaml:1:30: server.identify_min_bytes: 2048 bytes do not fit into buffer_size, which is 1024'],
  },
  {
    why: 'the same, although another key of the section is wrong',
    text: 'server: { buffer_size: 1024, identify_min_bytes: 2KiB, wrkers: 1 }',
    says: ['any.yaml:1:30: server.identify_min_bytes: 2048', 'any.yaml:1:56: server.wrkers: unknown key'],
  },
  {
    why: 'a protocol that nobody knows',
    text: 'protocols: [{ name: Htpp, target: "a:80" }]',
    says: ['any.yaml:1:15: protocols[0].name: unknown protocol `Htpp`: did you mean `http`?'],
  },
  {
    why: 'the same protocol twice, in any case',
    text: 'protocols: [{ name: HTTP, target: "a:80" }, { name: http, target: "b:80" }]',
    says: ['any.yaml:1:47: protocols[1].name: protocol `http` is listed twice'],
  },
  {
    why: 'an upstream that does not exist',
    text: 'protocols: [{ name: SSH, target: bastoin }]\nupstreams: { bastion: { endpoints: ["a:22"] } }',
    says: ['any.yaml:1:26: protocols[0].target: unknown upstream `bastoin`: did you mean `bastion`?'],
  },
  {
    why: 'an upstream that is broken exists all the same',
    text: 'protocols: [{ name: SSH, target: bastion }]\nupstreams: { bastion: { endpoints: ["a"] } }',
    says: ['any.yaml:2:37: upstreams.bastion.endpoints[0]: expected an address such as'],
  },
  {
    why: 'each address of a target',
    text: 'protocols: [{ name: SSH, target: "a:22,b,c:0" }]',
    says: ['any.yaml:1:26: protocols[0].target: expected', 'any.yaml:1:26: protocols[0].target: expected'],
  },
  {
    why: 'a PROXY header of no version, and TLVs that there are not',
    text: `upstreams:
  a: { endpoints: ["a:1"], proxy_protocol: v3 }
  b: { endpoints: ["a:1"], proxy_protocol: { version: v1, tlvs: [alpn] } }
  c: { endpoints: ["a:1"], proxy_protocol: { tlvs: [sni] } }
  d: { endpoints: ["a:1"], proxy_protocol: { tlvs: [alpn, alpn] } }`,
    says: [
      'any.yaml:2:28: upstreams.a.proxy_protocol: expected `off`, `v1`, `v2`, or a mapping such as',
      'any.yaml:3:59: upstreams.b.proxy_protocol.tlvs: only version 2 has TLVs',
      'any.yaml:4:53: upstreams.c.proxy_protocol.tlvs[0]: unknown value `sni`',
      'any.yaml:5:46: upstreams.d.proxy_protocol.tlvs: one of them is listed twice',
    ],
  },
  {
    why: 'socket options that the kernel would refuse',
    text: 'upstreams: { web: { endpoints: ["a:1"], tcp: { mss: 87, keepalive: 10h }, dscp: 64 } }',
    says: [
      'any.yaml:1:48: upstreams.web.tcp.mss: expected 0 or a whole number from 88 to 32767, got 87',
      'any.yaml:1:57: upstreams.web.tcp.keepalive: expected a duration',
      'any.yaml:1:75: upstreams.web.dscp: expected a whole number from 0 to 63, got 64',
    ],
  },
  {
    why: 'limits of speed',
    text: 'upstreams: { web: { endpoints: ["a:1"], bandwidth: { up: -1, down: fast, per: sesion } } }',
    says: [
      'any.yaml:1:54: upstreams.web.bandwidth.up: expected bytes, or a size such as `64KiB`',
      'any.yaml:1:62: upstreams.web.bandwidth.down: expected bytes, or a size such as `64KiB`',
      'any.yaml:1:74: upstreams.web.bandwidth.per: unknown value `sesion`',
    ],
  },
  {
    why: 'an endpoint twice',
    text: 'upstreams: { web: { endpoints: ["a:1", "a:1"] } }',
    says: ['any.yaml:1:40: upstreams.web.endpoints[1]: endpoint `a:1` is listed twice'],
  },
  {
    why: 'two places to go',
    text: 'protocols: [{ name: SSH, target: "a:22", handler: "builtin:echo" }]',
    says: ['any.yaml:1:13: protocols[0]: has both `target` and `handler`'],
  },
  {
    why: 'a handler that is not there',
    text: 'protocols: [{ name: SSH, handler: ./ssh.js }, { name: TLS, handler: "builtin:eco" }]',
    says: [
      'any.yaml:1:26: protocols[0].handler: no such file: /etc/anyport/ssh.js',
      'any.yaml:1:60: protocols[1].handler: unknown handler `builtin:eco`: did you mean `builtin:echo`?',
    ],
  },
  {
    why: 'a custom protocol without a signature',
    text: 'protocols: [{ name: Mine, target: "a:1", min_bytes: 4 }]',
    says: ['any.yaml:1:13: protocols[0]: says nothing to recognise it by: give `start_bytes`,'],
  },
  {
    why: 'an empty list is no signature either',
    text: 'protocols: [{ name: Mine, target: "a:1", contains: [] }]',
    says: ['any.yaml:1:13: protocols[0]: says nothing to recognise it by: give `start_bytes`,'],
  },
  {
    why: 'a validator that is not there',
    text: 'protocols: [{ name: Mine, target: "a:1", start_bytes: [aa], validator: v.js }]',
    says: ['any.yaml:1:61: protocols[0].validator: no such file: /etc/anyport/v.js'],
  },
  {
    why: 'its signature is wrong: that is all there is to say',
    text: 'protocols: [{ name: Mine, target: "a:1", start_bytes: ["abc"] }]',
    says: ['any.yaml:1:56: protocols[0].start_bytes[0]: expected bytes in hexadecimal'],
  },
  {
    why: 'a pattern that can not be linear',
    text: `protocols: [{ name: Mine, target: "a:1", regex: ['^(a)\\1'] }]`,
    says: ['any.yaml:1:42: protocols[0].regex: pattern'],
  },
  {
    why: 'a pattern without anchor',
    text: `protocols: [{ name: Mine, target: "a:1", regex: ['abc'] }]`,
    says: ['any.yaml:1:42: protocols[0].regex: pattern "abc"'],
  },
  {
    why: 'an upstream with a name that means something else',
    text: 'upstreams: { reset: { endpoints: ["a:1"] } }',
    says: ['any.yaml:1:14: upstreams.reset: an upstream can not be called `reset`'],
  },
  {
    why: 'an upstream to nowhere',
    text: 'upstreams: { web: {} }',
    says: ['any.yaml:1:14: upstreams.web: needs either `endpoints`, `file_sd` or `handler`'],
  },
  {
    why: 'an upstream and a protocol’s own of the same name',
    text: 'upstreams: { SSH: { endpoints: ["a:1"] } }\nprotocols: [{ name: SSH, target: "b:22" }]',
    says: ['any.yaml:2:13: protocols[0]: makes an upstream `SSH`, but upstreams.SSH is another'],
  },
  {
    why: 'names in routes',
    text: `routes: [{ when: { protocol: sss, listener: bcak }, to: webb }]
listeners: [{ name: back, address: ":1" }]
upstreams: { web: { endpoints: ["a:1"] } }`,
    says: [
      'any.yaml:1:20: routes[0].when.protocol: unknown protocol `sss`',
      'any.yaml:1:35: routes[0].when.listener: unknown listener `bcak`: did you mean `back`?',
      'any.yaml:1:53: routes[0].to: unknown upstream `webb`: did you mean `web`?',
    ],
  },
  {
    why: 'an address where a name belongs',
    text: 'routes: [{ when: {}, to: "10.0.0.1:80" }]',
    says: ['any.yaml:1:22: routes[0].to: unknown upstream `10.0.0.1:80`: name an upstream'],
  },
  {
    why: 'conditions of routes',
    text: 'routes: [{ when: { sni: "a.*", source: [x], protocl: tls }, to: close }]',
    says: [
      'any.yaml:1:20: routes[0].when.sni: expected a host name',
      'any.yaml:1:41: routes[0].when.source[0]: expected an address or a network',
      'any.yaml:1:45: routes[0].when.protocl: unknown key `protocl`: did you mean `protocol`?',
    ],
  },
  {
    why: 'a condition on what no session of the protocol has',
    text: `protocols: [{ name: Mine, start_bytes: [aa] }]
routes: [{ when: { protocol: ssh, sni: a.b }, to: close }, { when: { protocol: tls, host: a.b }, to: close },
  { when: { protocol: http2, alpn: h2, host: a.b }, to: close }, { when: { protocol: Mine, host: a.b }, to: close }]`,
    says: [
      'any.yaml:2:35: routes[0].when.sni: no session of `ssh` has it, so the route never holds: it is known of `postgres`, `dtls`, `quic`, `tls`',
      'any.yaml:2:85: routes[1].when.host: no session of `tls` has it, so the route never holds: it is known of ',
      'any.yaml:3:30: routes[2].when.alpn: no session of `http2` has it',
      'any.yaml:3:92: routes[3].when.host: no session of `Mine` has it',
    ],
  },
  {
    why: 'conditions that no protocol has together',
    text: 'routes: [{ when: { sni: a.b, host: a.b }, to: close }]',
    says: ['any.yaml:1:12: routes[0].when: no protocol has `sni` and `host`, so the route never holds'],
  },
  {
    why: 'more bytes of an opening than there are',
    text: 'server: { identify_max_bytes: 128KiB }',
    says: [
      'any.yaml:1:11: server.identify_max_bytes: 131072 bytes are more than 65536: raise buffer_size too',
    ],
  },
  {
    why: 'fewer bytes of an opening than are waited for',
    text: 'server: { identify_max_bytes: 1KiB, identify_min_bytes: 2KiB }',
    says: [
      'any.yaml:1:11: server.identify_max_bytes: 1024 bytes are less than identify_min_bytes, which is 2048',
    ],
  },
  {
    why: 'a silence longer than the total time',
    text: 'server: { identify_timeout: 1s }\nlisteners: [{ name: a, address: ":1", on_silence: { after: 1s, to: close } }]',
    says: [
      'any.yaml:2:53: listeners[0].on_silence.after: is not shorter than server.identify_timeout, which is 1000 ms',
    ],
  },
  {
    why: 'PROXY headers on a unix socket',
    text: 'listeners: [{ name: a, address: "unix:/a", proxy_protocol: { accept: true, trusted: ["10.0.0.0/8"] } }]',
    says: ['any.yaml:1:44: listeners[0].proxy_protocol: a unix socket has clients without an address'],
  },
  {
    why: 'PROXY headers from the peers of another socket',
    text: 'listeners: [{ name: a, address: ":1", proxy_protocol: { accept: true, trusted: [::1, unix] } }]',
    says: [
      'any.yaml:1:86: listeners[0].proxy_protocol.trusted[1]: `unix` means the clients of a unix socket',
    ],
  },
  {
    why: 'PROXY headers from nobody',
    text: 'listeners: [{ name: a, address: ":1", proxy_protocol: { accept: true } }]',
    says: ['any.yaml:1:39: listeners[0].proxy_protocol: accepts headers from nobody: list the networks'],
  },
  {
    why: 'names in listeners',
    text: 'listeners: [{ name: a, address: ":1", protocols: [tsl], on_unknown: rest, on_silence: { to: x } }]',
    says: [
      'any.yaml:1:51: listeners[0].protocols[0]: unknown protocol `tsl`: did you mean `tls`?',
      'any.yaml:1:57: listeners[0].on_unknown: unknown upstream `rest`: did you mean `reset`?',
      'any.yaml:1:89: listeners[0].on_silence.to: unknown upstream `x`',
    ],
  },
  {
    why: 'a listener that is broken has a name all the same',
    text: 'listeners: [{ name: a, address: "x" }]\nroutes: [{ when: { listener: a }, to: close }]',
    says: ['any.yaml:1:24: listeners[0].address: expected an address'],
  },
  {
    why: 'an address and a name twice',
    text: 'server: { listen: ":80" }\nlisteners: [{ name: a, address: ":80-81" }, { name: a, address: ":82" }]',
    says: [
      'any.yaml:2:13: listeners[0]: `:80` is taken already, by server.listen',
      'any.yaml:2:47: listeners[1].name: listener `a` is listed twice',
    ],
  },
  {
    why: 'every address, and one of them',
    text: 'server: { listen: [":80", "127.0.0.1:80"] }',
    says: [
      'any.yaml:1:27: server.listen[1]: `:80` takes the clients of `127.0.0.1:80` too (the other is listed by server.listen[0]): leave one out',
    ],
  },
  {
    why: 'every IPv4 address, and one of them',
    text: 'server: { listen: ["127.0.0.1:80", "0.0.0.0:80"] }',
    says: ['any.yaml:1:36: server.listen[1]: `0.0.0.0:80` takes the clients of `127.0.0.1:80` too'],
  },
  {
    why: 'both families, and one of them',
    text: 'server: { listen: ["[::]:80", ":80", "0.0.0.0:80"] }',
    says: [
      'any.yaml:1:31: server.listen[1]: `:80` takes the clients of `[::]:80` too',
      'any.yaml:1:38: server.listen[2]: `:80` takes the clients of `0.0.0.0:80` too',
    ],
  },
  {
    why: 'one address in two spellings',
    text: 'server: { listen: ["[::1]:80", "[0::1]:80", "127.0.0.1:80", "[::ffff:127.0.0.1]:80"] }',
    says: [
      'any.yaml:1:32: server.listen[1]: `[0::1]:80`',
      'any.yaml:1:61: server.listen[3]: `[::ffff:127.0.0.1]:80`',
    ],
  },
  {
    why: 'permissions without a file',
    text: 'listeners: [{ name: a, address: ":1", mode: 0660 }, { name: b, address: "unix:@b", mode: 0660 }]',
    says: [
      "any.yaml:1:39: listeners[0].mode: is for a unix socket's file, such as `unix:/run/a.sock`",
      "any.yaml:1:84: listeners[1].mode: is for a unix socket's file",
    ],
  },
  {
    why: 'permissions that are none',
    text: 'listeners: [{ name: a, address: "unix:/a", mode: 0999 }, { name: b, address: "unix:/b", mode: rw }]',
    says: [
      'any.yaml:1:44: listeners[0].mode: expected permissions in octal such as `0660`, got "0999"',
      'any.yaml:1:89: listeners[1].mode: expected permissions in octal such as `0660`, got "rw"',
    ],
  },
  {
    why: 'more bits than an address has, quoted',
    text: 'routes: [{ when: { source: ["10.0.0.0/33"] }, to: close }]\nsecurity: { ip_whitelist: ["::/129"] }',
    says: [
      'any.yaml:1:29: routes[0].when.source[0]: expected an address or a network such as `10.0.0.0/8`, got "10.0.0.0/33": `/33` is longer than the 32 bits of an IPv4 address',
      'any.yaml:2:28: security.ip_whitelist[0]: expected an address or a network such as `10.0.0.0/8`, got "::/129": `/129` is',
    ],
  },
  {
    why: 'nothing that can be listened on',
    text: 'listeners: []',
    says: ['any.yaml:1:1: listeners: there is no listener: list one, or leave `listeners` out'],
  },
  {
    why: 'no address at all',
    text: 'server: { listen: [] }',
    says: ['any.yaml:1:11: server.listen: there is no address to listen on'],
  },
  {
    why: 'an empty application protocol',
    text: 'routes: [{ when: { alpn: "" }, to: close }]',
    says: ['any.yaml:1:20: routes[0].when.alpn: expected the name of an application protocol such as `h2`'],
  },
  {
    why: 'more sockets than anybody means',
    text: 'server: { listen: "1-65535" }',
    says: ['any.yaml:1:1: listeners: 65535 addresses to listen on are too many: at most 1024'],
  },
];

describe.each([
  { kind: 'values', cases: wrongValues },
  { kind: 'wholes', cases: wrongWholes },
])('wrong $kind', ({ cases }) => {
  test.each(cases)('$why', ({ text, says }) => {
    const problems = problemsOf(text);
    expect(problems).toHaveLength(says.length);
    for (const [index, beginning] of says.entries())
      expect(problems[index]?.startsWith(beginning), problems[index]).toBe(true);
  });
});

test('everything that is wrong is said at once', () => {
  const all = [...wrongWholes].filter(({ text }) => text.startsWith('routes:') && !text.includes('\n'));
  const text = `routes:\n${all.map((each) => each.text.replace(/^routes: \[(.*)\]$/, '  - $1')).join('\n')}`;
  const count = all.reduce((sum, { says }) => sum + says.length, 0);
  expect(count).toBeGreaterThan(3);
  expect(problemsOf(text)).toHaveLength(count);
});

describe('warnings', () => {
  test('a protocol that no listener can tell', () => {
    const text = `
protocols: [{ name: QUIC, target: "a:443" }, { name: HTTP, target: "a:80" }]
routes: [{ when: { protocol: wireguard }, to: reset }]`;
    expect(warningsOf(text)).toEqual([
      'protocol `QUIC` is spoken in datagrams, which no listener takes',
      'protocol `wireguard` is spoken in datagrams, which no listener takes',
    ]);
    expect(configOf(text).protocols.map(({ id }) => id)).toEqual(['http']);
    expect(configOf(text).routes).toEqual([]);
  });

  test('a configuration that leads nowhere', () =>
    expect(warningsOf('')).toEqual(['nothing is routed: every session will be closed']));
});

test('as many protocols as a classifier holds, and no more', () => {
  const custom = (count: number) =>
    `protocols: [${Array.from({ length: count }, (_, n) => `{ name: P${n}, target: "a:1", start_bytes: ["${String(n).padStart(6, '0')}"] }`)}]`;
  const [problem] = problemsOf(custom(257));
  expect(problem).toMatch(/^any\.yaml:1:1: protocols: at most \d+ protocols that are not built in, got 257$/);
  const most = Number(problem?.match(/at most (\d+)/)?.[1]);
  // Those that are not configured are told too, to name a session.
  expect(compile(configOf(custom(most)), NOTHING_DISCOVERED, 1, new IdRegistry()).protocols).toHaveLength(
    256,
  );
});
