/** Listeners for streams and for datagrams: what each of them can have. */
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/config/compile.js';
import { diffConfigs } from '../../src/config/diff/index.js';
import { type Config, NOTHING_DISCOVERED } from '../../src/model/config.js';
import type { PlanForm } from '../../src/model/plan.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { createMatcher } from '../../src/protocols/matcher.js';
import { configOf, problemsOf, warningsOf } from './support.js';

const planOf = (text: string) => compile(configOf(text), NOTHING_DISCOVERED, 1, new IdRegistry());

const file = (listeners: string, rest = '') => `
protocols: [{ name: DNS, target: ns }, { name: HTTP, target: web }]
upstreams: { ns: { endpoints: ["10.0.0.5:53"] }, web: { endpoints: ["10.0.0.6:80"] } }
listeners: [${listeners}]
${rest}`;

const protocolsOf = (transport: string, keys = '') =>
  configOf(file(`{ name: a, address: ":53", transport: ${transport}${keys} }`)).listeners[0]?.protocols;

describe('protocols', () => {
  test('are those that its transports have, by default', () => {
    expect(protocolsOf('tcp')).toEqual(['DNS', 'HTTP']);
    expect(protocolsOf('udp')).toEqual(['DNS']);
    expect(protocolsOf('tcp+udp')).toEqual(['DNS', 'HTTP']);
    expect(protocolsOf('tcp+udp', ', protocols: [HTTP]')).toEqual(['HTTP']);
  });

  test('that are not spoken in datagrams are named, with what to write', () => {
    expect(problemsOf(file('{ name: a, address: ":53", transport: udp, protocols: [DNS, HTTP] }'))).toEqual([
      'any.yaml:4:73: listeners[0].protocols[1]: `HTTP` is not spoken in datagrams: leave it out, or write `transport: tcp+udp`',
    ]);
  });
});

describe('custom protocols', () => {
  const custom = (transport: string, listeners = '{ name: a, address: ":53", transport: tcp+udp }') => `
protocols: [{ name: Mine, target: "10.0.0.7:9", start_bytes: [aa55], transport: ${transport} }]
listeners: [${listeners}]`;

  test.each([
    { transport: 'tcp', over: { protocols: [0], datagramProtocols: [] } },
    { transport: 'udp', over: { protocols: [], datagramProtocols: [0] } },
    { transport: 'tcp+udp', over: { protocols: [0], datagramProtocols: [0] } },
  ])('are of connections, of datagrams, or of both: $transport', ({ transport, over }) => {
    const plan = planOf(custom(transport));
    expect(plan.listeners[0]).toMatchObject(over);
    const [{ stream, datagram } = { stream: null, datagram: null }] = plan.protocols;
    expect([stream !== null, datagram !== null]).toEqual([
      over.protocols.length > 0,
      over.datagramProtocols.length > 0,
    ]);
  });

  test('of datagrams, which no listener takes, are told of', () => {
    const text = custom('udp', '{ name: a, address: ":53" }');
    expect(warningsOf(text)).toContain('protocol `Mine` is spoken in datagrams, which no listener takes');
  });

  test('a built-in has the transports that it has', () => {
    const text = `
protocols: [{ name: DNS, target: "10.0.0.7:53", transport: udp }]
listeners: [{ name: a, address: ":53", transport: udp }]`;
    expect(problemsOf(text)).toEqual([
      'any.yaml:2:49: protocols[0].transport: is for custom protocols: `DNS` is built in, and recognised over tcp+udp',
    ]);
  });

  test('bound the length of datagrams, and of the opening of connections', () => {
    const text = `
protocols: [{ name: Mine, target: "10.0.0.7:9", start_bytes: [aa55], max_bytes: 8, transport: tcp+udp }]
listeners: [{ name: a, address: ":53", transport: tcp+udp }]`;
    const [{ stream, datagram } = { stream: null, datagram: null }] = planOf(text).protocols;
    const matches = (form: PlanForm | null, bytes: number) => {
      const matcher = createMatcher({ automata: [(form as PlanForm).automaton], routable: 1 });
      matcher.advance(Buffer.from('aa55'.padEnd(2 * bytes, '0'), 'hex'));
      return matcher.finish().verdict;
    };
    expect([matches(datagram, 8), matches(datagram, 9), matches(stream, 9)]).toEqual([
      'match',
      'unknown',
      'match',
    ]);
  });

  test('under the name of a built-in they are in its place over every transport', () => {
    const text = `
protocols: [{ name: STUN, target: "10.0.0.7:9", start_bytes: [aa55], transport: udp }]
listeners: [{ name: a, address: ":53", transport: tcp+udp }]`;
    const plan = planOf(text);
    expect(plan.protocols.filter(({ id }) => id === 'stun')).toMatchObject([{ stream: null }]);
  });

  test('another transport is a difference', () => {
    const [before, after] = ['tcp', 'udp'].map((transport) => configOf(custom(transport)));
    expect(diffConfigs(before as Config, after as Config)).toMatchObject([
      { kind: 'protocol', name: 'Mine', fields: [{ key: 'transport', from: 'tcp', to: 'udp' }] },
    ]);
  });
});

test('a handler of connections alone is not for datagrams', () => {
  const text = (handler: string, protocol = 'DNS') => `
protocols: [{ name: ${protocol}, handler: "${handler}" }]
listeners: [{ name: a, address: ":53", transport: tcp+udp }]`;
  expect(problemsOf(text('builtin:redis'))).toEqual([
    'any.yaml:2:26: protocols[0].handler: `builtin:redis` serves connections alone, and datagrams come here too: leave them to `builtin:echo` or a module of your own',
  ]);
  expect(problemsOf(text('builtin:echo'))).toEqual([]);
  expect(problemsOf(text('builtin:redis', 'Redis'))).toEqual([]);
});

describe('the Plan', () => {
  const forms = (transport: string) => {
    const { protocols } = planOf(file(`{ name: a, address: ":53", transport: ${transport} }`));
    const of = (id: string) => protocols.find((protocol) => protocol.id === id);
    return ['dns', 'http', 'quic'].map((id) => {
      const { stream = null, datagram = null } = of(id) ?? {};
      return `${id} ${stream === null ? '' : 'stream '}${datagram === null ? '' : 'datagram'}`.trim();
    });
  };

  test('has the forms of protocols that listeners take, also of those that only name a session', () => {
    expect(forms('tcp')).toEqual(['dns stream', 'http stream', 'quic']);
    expect(forms('udp')).toEqual(['dns datagram', 'http', 'quic datagram']);
    expect(forms('tcp+udp')).toEqual(['dns stream datagram', 'http stream', 'quic datagram']);
  });
});

describe('addresses', () => {
  test('may be listed once for streams and once for datagrams', () => {
    const text = file('{ name: a, address: ":53" }, { name: b, address: ":53", transport: udp }');
    expect(problemsOf(text)).toEqual([]);
  });

  test.each([
    { one: 'udp', other: 'udp' },
    { one: 'tcp+udp', other: 'udp' },
    { one: 'tcp', other: 'tcp+udp' },
  ])('but not twice for one of them: $one and $other', ({ one, other }) => {
    const text = file(
      `{ name: a, address: ":53", transport: ${one} }, { name: b, address: ":53", transport: ${other} }`,
    );
    expect(problemsOf(text)).toEqual([expect.stringContaining('`:53` is taken already, by listeners[0]')]);
  });

  test('[::] takes IPv4 too unless a listener of its transport has the port', () => {
    const ipv6Only = (transport: string) => {
      const listeners = `{ name: a, address: "[::]:53", transport: udp }, { name: b, address: "0.0.0.0:53", transport: ${transport} }`;
      const [{ address } = { address: null }] = configOf(file(listeners)).listeners;
      return address?.kind === 'inet' && address.ipv6Only === true;
    };
    expect(ipv6Only('tcp')).toBe(false);
    expect(ipv6Only('udp')).toBe(true);
    expect(ipv6Only('tcp+udp')).toBe(true);
  });

  test('a warning where [::] loses the IPv4 of one of its transports alone', () => {
    const listeners =
      '{ name: a, address: "[::]:53", transport: tcp+udp }, { name: b, address: "0.0.0.0:53" }';
    expect(warningsOf(file(listeners))).toContain(
      'listeners[0]: `[::]:53` takes IPv6 alone, because an IPv4 address of its port is listed',
    );
    const both =
      '{ name: a, address: "[::]:53", transport: udp }, { name: b, address: "0.0.0.0:53", transport: tcp+udp }';
    expect(warningsOf(file(both)).filter((each) => each.includes('IPv6 alone'))).toEqual([]);
  });

  test('a unix socket takes no datagrams', () =>
    expect(problemsOf(file('{ name: a, address: "unix:/run/a.sock", transport: tcp+udp }'))).toEqual([
      expect.stringContaining(
        'listeners[0].transport: `unix:/run/a.sock` takes no datagrams: write `transport: tcp`, or an address with a port',
      ),
    ]));

  test('metrics and the control interface may have the port of datagrams', () => {
    const rest =
      'monitoring: { metrics_port: 9091, health_check_port: 9093 }\nadmin: { listen: "127.0.0.1:9092" }';
    const listeners = (transport: string) =>
      file(`{ name: a, address: "127.0.0.1:9091-9092", transport: ${transport} }`, rest);
    expect(warningsOf(listeners('udp')).filter((each) => each.includes('metrics_port'))).toEqual([]);
    expect(problemsOf(listeners('tcp'))).toEqual([expect.stringContaining('admin.listen')]);
  });
});

describe('what only connections have', () => {
  test.each([
    { key: 'on_silence: { to: web }', path: 'on_silence', says: 'a client of datagrams is there once' },
    { key: 'max_connections: 5', path: 'max_connections', says: '`server.udp.max_flows`' },
  ])('$path is refused for datagrams alone', ({ key, path, says }) => {
    const text = (transport: string) => file(`{ name: a, address: ":53", transport: ${transport}, ${key} }`);
    expect(problemsOf(text('udp'))).toEqual([
      expect.stringMatching(new RegExp(`listeners\\[0\\]\\.${path}: has no effect: .*${says}`)),
    ]);
    expect(problemsOf(text('tcp+udp'))).toEqual([]);
  });
});

describe('options of upstreams', () => {
  const with_ = (transport: string, upstream: string, rest = '') => `
protocols: [{ name: DNS, target: ns }]
upstreams: { ns: { endpoints: ["10.0.0.5:53"], ${upstream} } }
listeners: [{ name: a, address: ":53", transport: ${transport} }]
${rest}`;

  test('udp has no effect where no datagram comes', () => {
    const warning = 'upstreams.ns.udp: has no effect: no listener that leads here takes datagrams';
    expect(warningsOf(with_('tcp', 'udp: { responses: 1 }'))).toEqual([warning]);
    expect(warningsOf(with_('udp', 'udp: { responses: 1 }'))).toEqual([]);
    expect(warningsOf(with_('tcp+udp', 'udp: { responses: 1 }'))).toEqual([]);
  });

  test('quic has no effect where no datagram comes, or each goes its own way', () => {
    const nowhere = 'upstreams.ns.quic: has no effect: no listener that leads here takes datagrams';
    const follows = 'quic: { follow_connection_id: true }';
    expect(warningsOf(with_('tcp', follows))).toEqual([nowhere]);
    expect(warningsOf(with_('udp', follows))).toEqual([]);
    expect(warningsOf(with_('udp', `${follows}, udp: { per: datagram }`))).toEqual([
      'upstreams.ns.quic.follow_connection_id: has no effect with `udp.per: datagram`: every datagram goes where it is its turn to',
    ]);
    expect(warningsOf(with_('udp', 'quic: { connection_id_length: 8 }'))).toEqual([
      'upstreams.ns.quic.connection_id_length: has no effect without `follow_connection_id: true`',
    ]);
  });

  test('connection ids have lengths that do not come about by chance', () => {
    const ofLength = (bytes: number) =>
      with_('udp', `quic: { follow_connection_id: true, connection_id_length: ${bytes} }`);
    for (const bytes of [3, 21])
      expect(problemsOf(ofLength(bytes))).toEqual([
        expect.stringContaining(
          `upstreams.ns.quic.connection_id_length: expected 0 or a whole number from 4 to 20, got ${bytes}`,
        ),
      ]);
    expect(configOf(ofLength(4)).upstreams[0]?.options.quic).toEqual({
      follow_connection_id: true,
      connection_id_length: 4,
    });
    expect(configOf(with_('udp', '')).upstreams[0]?.options.quic).toEqual({
      follow_connection_id: false,
      connection_id_length: 0,
    });
  });

  test('a check over TCP of what only datagrams come to', () => {
    const warning = (type: string) =>
      `upstreams.ns.health_check.type: \`${type}\` asks over TCP, but only datagrams come here: an endpoint that takes no connections will be down; \`dns\`, \`stun\` and \`send_expect\` with \`transport: udp\` ask over UDP`;
    const check = (transport: string, keys: string) =>
      warningsOf(with_(transport, `health_check: { ${keys} }`));
    expect(check('udp', 'interval: 5s')).toEqual([warning('tcp')]);
    expect(check('udp', 'type: dns, transport: tcp')).toEqual([warning('dns')]);
    const rounds = 'rounds: [{ send: x, expect: y }]';
    expect(check('udp', `type: send_expect, ${rounds}`)).toEqual([warning('send_expect')]);
    expect(check('udp', `type: send_expect, transport: udp, ${rounds}`)).toEqual([]);
    expect(check('udp', 'type: dns')).toEqual([]);
    expect(check('udp', 'type: tcp, port: 8053')).toEqual([]);
    expect(check('tcp+udp', 'type: tcp')).toEqual([]);
  });

  test('a protocol without datagrams leads none there, whatever the listener', () => {
    const text = `
protocols: [{ name: HTTP, target: { endpoints: ["10.0.0.5:80"], udp: { responses: 1 } } }]
listeners: [{ name: a, address: ":53", transport: tcp+udp }]`;
    expect(warningsOf(text)).toEqual([
      'protocols[0].target.udp: has no effect: no listener that leads here takes datagrams',
    ]);
  });

  test('tcp, pool and the timeouts of connections have none where only datagrams come', () => {
    const keys = 'tcp: { mss: 1000 }, pool: { warm: 3 }, half_close_timeout: 1s, idle_timeout: 1s';
    expect(warningsOf(with_('udp', keys))).toEqual([
      'upstreams.ns.tcp: has no effect: only datagrams come here',
      'upstreams.ns.pool: has no effect: only datagrams come here',
      'upstreams.ns.half_close_timeout: has no effect: only datagrams come here',
      'upstreams.ns.idle_timeout: has no effect: only datagrams come here; that of flows is `udp.idle_timeout`',
    ]);
    expect(warningsOf(with_('tcp+udp', keys))).toEqual([]);
  });

  test('a unix endpoint takes no datagrams', () => {
    const text = `
protocols: [{ name: DNS, target: ns }]
upstreams: { ns: { endpoints: ["unix:/run/ns.sock"] } }
listeners: [{ name: a, address: ":53", transport: tcp+udp }]`;
    expect(warningsOf(text)).toEqual([
      'upstreams.ns.endpoints[0]: `unix:/run/ns.sock` takes no datagrams: flows that come here can not go there',
    ]);
  });

  test('a PROXY header of version 1 is for connections alone', () => {
    const problem =
      'upstreams.ns.proxy_protocol: version 1 is for connections alone, and datagrams come here too: write `v2`';
    for (const transport of ['udp', 'tcp+udp'])
      expect(problemsOf(with_(transport, 'proxy_protocol: v1'))).toEqual([expect.stringContaining(problem)]);
    expect(problemsOf(with_('tcp', 'proxy_protocol: v1'))).toEqual([]);
    expect(problemsOf(with_('udp', 'proxy_protocol: v2'))).toEqual([]);
  });

  test('are in the configuration, with the server for what is left out', () => {
    const rest =
      'server: { udp: { idle_timeout: 5s, max_flows: 10, max_flows_per_ip: 0, receive_buffer: 1MiB } }';
    const config = configOf(
      with_(
        'udp',
        'udp: { idle_timeout: 2s, responses: 1, amplification: 3, on_reload: close, per: datagram }',
        rest,
      ),
    );
    expect(config.server.udp).toEqual({
      idleTimeoutMs: 5000,
      maxFlows: 10,
      maxFlowsPerSource: 0,
      receiveBufferBytes: 1024 ** 2,
    });
    expect(config.upstreams[0]?.options.udp).toEqual({
      idle_timeout: 2000,
      responses: 1,
      amplification: 3,
      on_reload: 'close',
      per: 'datagram',
    });
    expect(configOf(with_('udp', '')).upstreams[0]?.options.udp).toEqual({
      responses: 0,
      amplification: 0,
      on_reload: 'move',
      per: 'flow',
    });
  });
});

test('a difference names the transport, and the options in the form of the file', () => {
  const [before, after] = [
    file('{ name: a, address: ":53" }'),
    file('{ name: a, address: ":53", transport: tcp+udp }', 'server: { udp: { idle_timeout: 90s } }').replace(
      '"10.0.0.5:53"]',
      '"10.0.0.5:53"], udp: { idle_timeout: 5s, responses: 1 }',
    ),
  ];
  const lines = diffConfigs(configOf(before), configOf(after)).flatMap(({ kind, name, fields }) =>
    fields.map(({ key, from, to }) => `${kind} ${name} ${key}: ${from} → ${to}`),
  );
  expect(lines).toEqual([
    'setting server.udp.idle_timeout udp.idle_timeout: 1m → 90s',
    'listener a transport: tcp → tcp+udp',
    'upstream ns udp.responses: 0 → 1',
    'upstream ns udp.idle_timeout: null → 5s',
  ]);
});
