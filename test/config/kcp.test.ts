/** Profiles of reliable UDP, and who names them. */
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/config/compile.js';
import { diffConfigs } from '../../src/config/diff/index.js';
import { keyText, pskOf, publicKeyOf } from '../../src/kcp/keys.js';
import { NOTHING_DISCOVERED } from '../../src/model/config.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { configOf, problemsOf, type World, warningsOf } from './support.js';

const SECRET = 'correct-horse-battery-staple';
const privateKey = Buffer.alloc(32, 0x5a);
const publicKey = publicKeyOf(privateKey);

const world: World = {
  keys: {
    '/etc/anyport/server.key': { text: `${keyText(privateKey)}\n`, isShared: false },
    '/etc/anyport/shared.key': { text: keyText(privateKey), isShared: true },
    '/etc/anyport/wrong.key': { text: 'hunter2', isShared: false },
  },
};

const rest = 'protocols: [{ name: HTTP, target: "10.0.0.1:80" }]\n';
const file = (keys: string) => `${rest}kcp: { link: { ${keys} } }`;
const profileOf = (keys: string) => configOf(file(keys), world).kcp[0];
/** Without the file and the position. */
const complaints = (text: string) => problemsOf(text, world).map((line) => line.replace(/^[^ ]* /, ''));
const complaintsOf = (keys: string) => complaints(file(keys));

describe('a profile', () => {
  test('has defaults, and the key that follows from its secret', () => {
    expect(profileOf(`secret: ${SECRET}`)).toEqual({
      name: 'link',
      security: {
        wire: 'anyport',
        cipher: 'chacha20-poly1305',
        psk: pskOf(SECRET).toString('hex'),
        serverKey: null,
        privateKey: null,
      },
      mode: { nodelay: false, intervalMs: 30, resend: 2, nc: true },
      mtu: 1350,
      sendWindow: 1024,
      receiveWindow: 1024,
      fec: { data: 10, parity: 3, adaptive: false },
      heartbeatMs: 3000,
      deadAfterMs: 15_000,
      statusLogMs: 0,
    });
  });

  test('of kcptun has other ones', () => {
    expect(profileOf("wire: kcptun, kcptun: { key: it's a secrect }")).toMatchObject({
      security: { wire: 'kcptun', crypt: 'aes', smux: 1, compression: true },
      heartbeatMs: 10_000,
      deadAfterMs: 30_000,
    });
  });

  test.each([
    ['normal', { nodelay: false, intervalMs: 40, resend: 2, nc: true }],
    ['fast3', { nodelay: true, intervalMs: 10, resend: 2, nc: true }],
    ['{ interval: 50ms, resend: 0, nc: false }', { nodelay: false, intervalMs: 50, resend: 0, nc: false }],
  ])('mode %s', (written, mode) =>
    expect(profileOf(`secret: ${SECRET}, mode: ${written}`)).toMatchObject({ mode }),
  );

  test('has the key pair of its file, or the public key alone', () => {
    expect(profileOf(`secret: ${SECRET}, private_key_file: server.key`)?.security).toMatchObject({
      privateKey: privateKey.toString('hex'),
      serverKey: null,
    });
    expect(profileOf(`secret: ${SECRET}, server_key: "${keyText(publicKey)}"`)?.security).toMatchObject({
      privateKey: null,
      serverKey: publicKey.toString('hex'),
    });
    const both = `secret: ${SECRET}, private_key_file: server.key, server_key: "${keyText(publicKey)}"`;
    expect(profileOf(both)?.security).toMatchObject({ privateKey: privateKey.toString('hex') });
  });

  test('without a secret is accepted where it says that it is insecure', () => {
    expect(profileOf('insecure: true, cipher: none')?.security).toMatchObject({ psk: null, cipher: 'none' });
  });
});

const wrong = [
  [
    '',
    'kcp.link: needs a `secret`, the same at both ends; `insecure: true` does without, and then anybody may be the other end',
  ],
  [
    `secret: ${SECRET}, cipher: none`,
    'kcp.link.cipher: `none` neither hides nor protects what is sent: write `insecure: true` if that is meant, or another cipher',
  ],
  [
    `secret: ${SECRET}, cipher: aes-128-gmc`,
    'kcp.link.cipher: unknown value `aes-128-gmc`: did you mean `aes-128-gcm`?',
  ],
  [
    `secret: ${SECRET}, cipher: chacha20`,
    'kcp.link.cipher: unknown value `chacha20`: did you mean `chacha20-poly1305`?',
  ],
  [
    `secret: ${SECRET}, cipher: salsa20`,
    'kcp.link.cipher: unknown value `salsa20`: did you mean `xsalsa20-poly1305`?',
  ],
  [`secret: ${SECRET}, mode: fast4`, 'kcp.link.mode: unknown value `fast4`: did you mean `fast`?'],
  [`secret: ${SECRET}, mtu: 575`, 'kcp.link.mtu: expected a whole number from 576 to 1500, got 575'],
  [`secret: ${SECRET}, mtu: 1501`, 'kcp.link.mtu: expected a whole number from 576 to 1500, got 1501'],
  [
    `secret: ${SECRET}, send_window: 0`,
    'kcp.link.send_window: expected a whole number from 1 to 65535, got 0',
  ],
  [
    `secret: ${SECRET}, receive_window: 65536`,
    'kcp.link.receive_window: expected a whole number from 1 to 65535, got 65536',
  ],
  [`secret: ${SECRET}, sndwnd: 5`, 'kcp.link.sndwnd: unknown key `sndwnd`: did you mean `send_window`?'],
  [
    `secret: ${SECRET}, fec: { data: 0 }`,
    'kcp.link.fec.data: is 0 and `parity` is not: write both as 0 for none',
  ],
  [
    `secret: ${SECRET}, dead_after: 3s`,
    'kcp.link.dead_after: is not longer than `heartbeat`, which is 3000 ms: let it be several times as long',
  ],
  [`secret: ${SECRET}, status_log: 10ms`, 'kcp.link.status_log: expected `0s`, or at least 1s'],
  [
    `secret: ${SECRET}, server_key: abc`,
    'kcp.link.server_key: expected a key in base64, as `anyport kcp-key` prints it',
  ],
  [
    `secret: ${SECRET}, private_key_file: no.key`,
    'kcp.link.private_key_file: no such file: /etc/anyport/no.key',
  ],
  [
    `secret: ${SECRET}, private_key_file: wrong.key`,
    'kcp.link.private_key_file: has no key: expected one line with a key in base64, as `anyport kcp-key` prints it: /etc/anyport/wrong.key',
  ],
  [
    `secret: ${SECRET}, private_key_file: server.key, server_key: "${keyText(publicKeyOf(Buffer.alloc(32, 1)))}"`,
    `kcp.link.server_key: is not of the key in \`private_key_file\`, which is \`${keyText(publicKey)}\``,
  ],
  [
    `insecure: true, server_key: "${keyText(publicKey)}"`,
    'kcp.link.server_key: needs a `secret` too, which keeps strangers from asking',
  ],
  [
    `secret: ${SECRET}, kcptun: { key: k }`,
    'kcp.link.kcptun: has no effect: write `wire: kcptun`, or leave it out',
  ],
  ['wire: kcptun', "kcp.link: needs `key`, kcptun's `--key`: write `kcptun: { key: … }`"],
  [
    'wire: kcptun, kcptun: { crypt: aes }',
    "kcp.link.kcptun: needs `key`, kcptun's `--key`: write `kcptun: { key: … }`",
  ],
  [
    'wire: kcptun, kcptun: { key: k, crypt: none }',
    'kcp.link.kcptun.crypt: `none` hides nothing, and anybody may be the other end: write `insecure: true` if that is meant, or another one',
  ],
  [
    'wire: kcptun, kcptun: { key: k, crypt: aes-265 }',
    'kcp.link.kcptun.crypt: unknown value `aes-265`: did you mean `aes-192`?',
  ],
  [
    'wire: kcptun, kcptun: { key: k, qpp: true }',
    'kcp.link.kcptun.qpp: `qpp`: QPP is not spoken here: leave it out, and run kcptun without `--QPP`',
  ],
  [
    'wire: kcptun, kcptun: { key: k, smux: 3 }',
    'kcp.link.kcptun.smux: expected a whole number from 1 to 2, got 3',
  ],
  [
    `wire: kcptun, kcptun: { key: k }, secret: ${SECRET}`,
    'kcp.link.secret: is for `wire: anyport`: kcptun has `kcptun: { key, crypt }`, leave it out',
  ],
  [
    'wire: kcptun, kcptun: { key: k }, fec: { adaptive: true }',
    'kcp.link.fec.adaptive: kcptun takes groups of one size: leave it out',
  ],
] as const;

describe('wrong', () => {
  test.each(wrong)('%s', (keys, message) => expect(complaintsOf(keys)).toEqual([message]));

  test('neither a secret nor the content of a key file is ever shown', () => {
    const texts = [
      file('secret: [hunter2]'),
      file('secret: { hunter2: 1 }'),
      file(`secret: 1234567`),
      file(`secret: ${SECRET}, private_key_file: wrong.key`),
      file('wire: kcptun, kcptun: { key: 7654321 }'),
    ];
    for (const text of texts) {
      const said = problemsOf(text, world);
      expect(said).not.toEqual([]);
      expect(said.join('\n')).not.toMatch(/hunter2|1234567|7654321/);
    }
  });

  test('too many profiles', () => {
    const many = Array.from({ length: 65 }, (_, index) => `p${index}: { insecure: true }`).join(', ');
    expect(complaints(`${rest}kcp: { ${many} }`)).toEqual(['kcp: 65 profiles are too many: at most 64']);
  });
});

describe('told of', () => {
  test('a profile that nobody names', () =>
    expect(warningsOf(file(`secret: ${SECRET}`), world)).toContain(
      'kcp.link: has no effect: no listener and no upstream names it',
    ));

  test('a secret that can be guessed, and a key that others may read', () => {
    expect(warningsOf(file('secret: password, private_key_file: shared.key'), world)).toEqual(
      expect.arrayContaining([
        expect.stringContaining('kcp.link.secret: has fewer than 16 characters'),
        expect.stringContaining('kcp.link.private_key_file: may be read by other users'),
      ]),
    );
  });
});

const KCP = `kcp: { link: { secret: ${SECRET} } }\n`;
const listeners = (keys: string, kcp = KCP) => complaints(`${rest}${kcp}listeners: [{ name: a, ${keys} }]`);
const upstream = (keys: string, kcp = KCP) =>
  complaints(`${rest}${kcp}upstreams: { web: { endpoints: ["10.0.0.2:80"], ${keys} } }`);

describe('a listener', () => {
  const wrongOnes = [
    ['address: ":1", transport: kcp', 'listeners[0]: needs `kcp`, the name of a profile: `link`'],
    [
      'address: ":1", kcp: link',
      'listeners[0].kcp: needs datagrams: write `transport: kcp`, `udp` or `tcp+udp`',
    ],
    [
      'address: ":1", transport: kcp, kcp: lnk',
      'listeners[0].kcp: unknown profile `lnk`: did you mean `link`?',
    ],
    [
      'address: "unix:/run/a.sock", transport: kcp, kcp: link',
      'listeners[0].transport: `unix:/run/a.sock` takes no datagrams: write `transport: tcp`, or an address with a port',
    ],
  ] as const;
  test.each(wrongOnes)('%s', (keys, message) => expect(listeners(keys)).toEqual([message]));

  test('needs the private key where the profile has a public one', () => {
    const kcp = `kcp: { link: { secret: ${SECRET}, server_key: "${keyText(publicKey)}" } }\n`;
    expect(listeners('address: ":1", transport: kcp, kcp: link', kcp)).toEqual([
      'listeners[0].kcp: `link` has `server_key`, which is for clients: a listener needs `private_key_file`',
    ]);
  });

  test('without a section', () =>
    expect(listeners('address: ":1", transport: udp, kcp: link', '')).toEqual([
      'listeners[0].kcp: unknown profile `link`: there is no section `kcp`',
    ]));

  test('for links has a socket of datagrams, and protocols of streams', () => {
    const dns = 'protocols: [{ name: DNS, target: "10.0.0.5:53" }, { name: HTTP, target: "10.0.0.6:80" }]\n';
    const planOf = (transport: string) =>
      compile(
        configOf(`${dns}${KCP}listeners: [{ name: a, address: ":53", transport: ${transport}, kcp: link }]`),
        NOTHING_DISCOVERED,
        1,
        new IdRegistry(),
      );
    expect(planOf('kcp').listeners[0]).toMatchObject({ kcp: 0, protocols: [0, 1], datagramProtocols: [] });
    expect(planOf('udp').listeners[0]).toMatchObject({ kcp: 0, protocols: [0, 1], datagramProtocols: [0] });
    const [form] = planOf('kcp').protocols;
    expect([form?.stream !== null, form?.datagram !== null]).toEqual([true, false]);
  });

  test('for links may share its port with one for connections alone', () => {
    const both =
      '[{ name: a, address: ":53", transport: kcp, kcp: link }, { name: b, address: ":53", transport: tcp }]';
    expect(complaints(`${rest}${KCP}listeners: ${both}`)).toEqual([]);
    const twice = both.replace('transport: tcp', 'transport: udp');
    expect(complaints(`${rest}${KCP}listeners: ${twice}`)).toEqual([
      'listeners[1]: `:53` is taken already, by listeners[0]',
    ]);
  });
});

describe('an upstream', () => {
  const wrongOnes = [
    ['kcp: link', 'upstreams.web.kcp: has no effect: write `over: kcp` too, or leave it out'],
    ['over: kcp', 'upstreams.web.over: needs `kcp`, the name of a profile: `link`'],
    ['over: kcp, kcp: lnk', 'upstreams.web.kcp: unknown profile `lnk`: did you mean `link`?'],
    ['over: kpc, kcp: link', 'upstreams.web.over: unknown value `kpc`: did you mean `kcp`?'],
    [
      'over: kcp, kcp: link, health_check: {}',
      'upstreams.web.health_check: has no effect with `over: kcp`: the heartbeat of the link is the check, and `passive_health` hears of failures',
    ],
    [
      'over: kcp, kcp: link, pool: { warm: 2 }',
      'upstreams.web.pool.warm: has no effect with `over: kcp`: sessions are streams of one link',
    ],
    [
      'over: kcp, kcp: link, source: { address: 10.0.0.9 }',
      'upstreams.web.source.address: has no effect with `over: kcp`: leave it out',
    ],
  ] as const;
  test.each(wrongOnes)('%s', (keys, message) => expect(upstream(keys)).toEqual([message]));

  test('needs the public key where the profile has a private one', () => {
    const kcp = `kcp: { link: { secret: ${SECRET}, private_key_file: server.key } }\n`;
    expect(upstream('over: kcp, kcp: link', kcp)).toEqual([
      'upstreams.web.kcp: `link` has `private_key_file`, which is for the server: a client needs `server_key`',
    ]);
  });

  test('without an address of datagrams', () =>
    expect(
      complaints(
        `${rest}${KCP}upstreams: { web: { endpoints: ["unix:/run/a.sock"], over: kcp, kcp: link } }`,
      ),
    ).toEqual([
      'upstreams.web.endpoints[0]: takes no datagrams, and `over: kcp` sends them: write an address with a port',
    ]));

  test('to which datagrams come', () => {
    const dns =
      'protocols: [{ name: DNS, target: far }]\nlisteners: [{ name: a, address: ":53", transport: tcp+udp }]\n';
    const far = 'upstreams: { far: { endpoints: ["10.0.0.5:4000"], over: kcp, kcp: link } }';
    expect(complaints(`${dns}${KCP}${far}`)).toEqual([
      'upstreams.far.over: a link carries streams alone, and datagrams come here too: send these to an upstream of their own',
    ]);
  });

  test('of a forward, and of a protocol', () => {
    const target = '{ endpoints: ["10.0.0.2:4000"], over: kcp, kcp: link }';
    const text = `protocols: [{ name: SSH, target: ${target} }]\n${KCP}forwards: [{ listen: 7878, target: ${target} }]`;
    expect(complaints(text)).toEqual([]);
    const plan = compile(configOf(text), NOTHING_DISCOVERED, 1, new IdRegistry());
    expect(plan.upstreams.map(({ kcp }) => kcp)).toEqual([0, 0]);
    expect(complaints(text.replaceAll('kcp: link }', 'kcp: lnk }'))).toHaveLength(2);
  });
});

describe('a change', () => {
  const between = (before: string, after: string) =>
    diffConfigs(configOf(file(before), world), configOf(file(after), world)).filter(
      ({ kind }) => kind === 'profile',
    );

  test('is told by key, and a secret is not shown', () => {
    const [item] = between(`secret: ${SECRET}`, `secret: ${SECRET}-2, mtu: 1200`);
    expect(item).toMatchObject({
      name: 'link',
      change: 'changed',
      fields: [
        { key: 'secret', from: '(a secret)', to: '(a secret)' },
        { key: 'mtu', from: 1350, to: 1200 },
      ],
    });
    const key = between(`secret: ${SECRET}`, `secret: ${SECRET}, private_key_file: server.key`);
    expect(key[0]?.fields).toEqual([{ key: 'private_key', from: null, to: '(a secret)' }]);
    expect(JSON.stringify(key)).not.toContain(privateKey.toString('hex'));
  });

  test('makes another profile of it, whose links are its own', () => {
    const ids = new IdRegistry();
    const idOf = (keys: string) =>
      compile(configOf(file(keys), world), NOTHING_DISCOVERED, 1, ids).ids.kcp[0];
    const id = idOf(`secret: ${SECRET}`);
    expect(idOf(`secret: ${SECRET}`)).toBe(id);
    expect(idOf(`secret: ${SECRET}-2`)).not.toBe(id);
    expect(idOf(`secret: ${SECRET}, mtu: 1200`)).not.toBe(id);
    expect(idOf(`secret: ${SECRET}`)).toBe(id);
  });
});
