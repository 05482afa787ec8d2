/** One UDP port, many protocols: the recorded openings of real clients arrive where their protocol goes, unchanged. */
import { writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { hex } from '../../cases/case.js';
import { type Flight, flights } from '../../cases/flights.js';
import { v2 } from '../../cases/proxy-headers.js';
import { type Daemon, startDaemon, type TestConfig } from '../../support/daemon.js';
import {
  type ClientOptions,
  type DatagramEndpoint,
  type DatagramPeer,
  datagramClient,
  listenUdp,
} from '../../support/datagrams.js';
import { freePort } from '../../support/ports.js';
import { tempFolder } from '../../support/temp.js';
import { eventually } from '../../support/wait.js';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

/** Answers each datagram with its own name and the datagram's length. */
async function endpointOf(name: string): Promise<DatagramEndpoint> {
  const endpoint = await listenUdp(({ bytes }, reply) => reply(`${name} ${bytes.length}`));
  open.push(() => endpoint.close());
  return endpoint;
}

async function clientOf(port: number, options?: ClientOptions): Promise<DatagramPeer> {
  const client = await datagramClient(port, options);
  open.push(() => client.close());
  return client;
}

interface Started {
  readonly daemon: Daemon;
  readonly port: number;
}

/** Flows end soon, so that they are in the log. */
async function start(config: TestConfig, listener: object = {}): Promise<Started> {
  const port = await freePort();
  const daemon = await startDaemon({
    security: { enable_rate_limit: false, enable_ddos_guard: false },
    ...config,
    server: { identify_timeout: '2s', udp: { idle_timeout: '1s' }, ...config.server },
    listeners: [{ name: 'any', address: `127.0.0.1:${port}`, transport: 'udp', ...listener }],
  });
  open.push(() => daemon.stop());
  return { daemon, port };
}

const recorded = (label: string): readonly Flight[] =>
  flights.filter(({ transport, label: own, expect: due }) => {
    return transport === 'udp' && own === label && due === 'match';
  });
const flight = (id: string): readonly Uint8Array[] => flights.find((each) => each.id === id)?.segments ?? [];

/** What an endpoint has from one sender of ours: those of one flow, in their order. */
const flowsAt = ({ peer, senders }: DatagramEndpoint): Buffer[][] =>
  senders.map((sender) => peer.received.filter(({ from }) => from === sender).map(({ bytes }) => bytes));

async function send(client: DatagramPeer, datagrams: readonly Uint8Array[]): Promise<void> {
  for (const datagram of datagrams) await client.send(datagram);
}

const inOrder = (list: readonly Buffer[]): Buffer[] => list.toSorted((a, b) => a.compare(b));

const PROTOCOLS = ['dns', 'stun', 'quic', 'dtls', 'wireguard', 'sip', 'snmp', 'ntp'] as const;
const OTHERS = ['coap', 'radius', 'openvpn', 'bittorrent', 'ldap', 'syslog', 'kcp'] as const;
const CUSTOM = { name: 'Telemetry', transport: 'udp', start_bytes: ['aa55'], min_bytes: 4, max_bytes: 64 };

describe('one port', () => {
  async function startAll() {
    const names = [...PROTOCOLS, ...OTHERS, 'telemetry'];
    const endpoints = new Map<string, DatagramEndpoint>();
    for (const name of names) endpoints.set(name, await endpointOf(name));
    const target = (name: string) => endpoints.get(name)?.target;
    const protocols = [
      ...[...PROTOCOLS, ...OTHERS].map((name) => ({ name, target: target(name) })),
      { ...CUSTOM, target: target('telemetry') },
    ];
    return { ...(await start({ protocols })), endpoints };
  }

  test('serves each recorded opening by its protocol, and gets what it is by its answer', async () => {
    const { daemon, port, endpoints } = await startAll();
    const all = [...PROTOCOLS, ...OTHERS].flatMap((name) =>
      recorded(name).map((flight) => ({ name, flight })),
    );
    await Promise.all(
      all.map(async ({ name, flight: { id, segments } }) => {
        const client = await clientOf(port);
        await send(client, segments);
        await eventually(`the answers to ${id}`, () => client.received.length === segments.length);
        expect(client.texts, id).toEqual(segments.map(({ length }) => `${name} ${length}`));
        expect(await daemon.sessionOf(client), id).toMatchObject({ protocol: name, reason: 'idle_timeout' });
      }),
    );
    for (const name of [...PROTOCOLS, ...OTHERS]) {
      const own = recorded(name);
      expect(own.length, name).toBeGreaterThan(0);
      const arrived = flowsAt(endpoints.get(name) as DatagramEndpoint).map((flow) => Buffer.concat(flow));
      expect(inOrder(arrived)).toEqual(inOrder(own.map(({ bytes }) => Buffer.from(bytes))));
    }
  });

  test('serves a custom protocol, whose datagrams have their lengths', async () => {
    const { daemon, port } = await startAll();
    const served = await clientOf(port);
    expect((await served.ask(hex('aa55 0001'))).bytes.toString()).toBe('telemetry 4');
    for (const bytes of [
      hex('aa55 00'),
      Buffer.concat([hex('aa55'), Buffer.alloc(63)]),
      hex('00aa55 0000'),
    ]) {
      const client = await clientOf(port);
      await client.send(bytes);
      expect(await daemon.sessionOf(client)).toMatchObject({ protocol: null, reason: 'unknown_protocol' });
    }
  });

  test('counts what it does not know, answers nothing, and serves the others', async () => {
    const { daemon, port } = await startAll();
    const noise = flights.filter(({ transport, expect: due }) => transport === 'udp' && due === 'none');
    expect(noise.length).toBeGreaterThan(3);
    const strangers: DatagramPeer[] = [];
    for (const { segments } of noise) {
      const client = await clientOf(port);
      await client.send(segments[0] as Uint8Array);
      strangers.push(client);
    }
    const nothing = await clientOf(port);
    await nothing.send('');
    await daemon.metricBecomes('anyport_sessions_total', noise.length + 1, { reason: 'unknown_protocol' });
    const client = await clientOf(port);
    const [query] = recorded('dns');
    expect((await client.ask(query?.bytes as Uint8Array)).bytes.toString()).toMatch(/^dns /);
    expect([...strangers, nothing].map(({ received }) => received.length)).toEqual(
      Array(noise.length + 1).fill(0),
    );
    await daemon.booksBalance();
  });

  test('what is not configured has its name in the log, and no route', async () => {
    const { daemon, port } = await start({ protocols: [{ name: 'DNS', target: 'reset' }] });
    const client = await clientOf(port);
    await client.send(recorded('wireguard')[0]?.bytes as Uint8Array);
    expect(await daemon.sessionOf(client)).toMatchObject({ protocol: 'wireguard', reason: 'no_route' });
  });
});

describe('hellos', () => {
  const SPLIT_QUIC = flight('quic-udp-201');
  const SPLIT_DTLS = flight('dtls-udp-005');

  async function startNamed(config: TestConfig = {}) {
    const [named, other] = [await endpointOf('named'), await endpointOf('other')];
    const started = await start({
      ...config,
      routes: [
        { when: { protocol: 'quic', sni: 'www.site.example', alpn: 'h3' }, to: 'named' },
        { when: { protocol: 'quic', sni: 'localhost' }, to: 'other' },
        { when: { protocol: 'dtls', sni: '*.example.com', alpn: 'proto39' }, to: 'named' },
        { when: { protocol: ['dtls', 'quic'] }, to: 'other' },
      ],
      upstreams: { named: { endpoints: [named.target] }, other: { endpoints: [other.target] } },
    });
    return { ...started, named, other };
  }

  test.each([
    { why: 'of QUIC in two datagrams', datagrams: SPLIT_QUIC, protocol: 'quic' },
    { why: 'of QUIC, the second one first', datagrams: SPLIT_QUIC.toReversed(), protocol: 'quic' },
    {
      why: 'of QUIC, the first one twice',
      datagrams: [SPLIT_QUIC[0], ...SPLIT_QUIC] as Uint8Array[],
      protocol: 'quic',
    },
    { why: 'of DTLS in three fragments', datagrams: SPLIT_DTLS, protocol: 'dtls' },
    {
      why: 'of DTLS, its later fragments not in order, one of them twice',
      datagrams: [0, 2, 2, 1].map((index) => SPLIT_DTLS[index]) as Uint8Array[],
      protocol: 'dtls',
    },
  ])('$why: routed by its name, and sent on as they came', async ({ datagrams, protocol }) => {
    const { daemon, port, named } = await startNamed();
    const client = await clientOf(port);
    await send(client, datagrams);
    await eventually('all of it', () => client.received.length === datagrams.length);
    expect(client.texts).toEqual(datagrams.map(({ length }) => `named ${length}`));
    expect(flowsAt(named)).toEqual([datagrams.map((each) => Buffer.from(each))]);
    const { facts, upstream } = await daemon.sessionOf(client);
    expect([facts.sni, upstream]).toEqual([
      protocol === 'quic' ? 'www.site.example' : 'www.example.com',
      'named',
    ]);
  });

  test('whole in one datagram wait for no other', async () => {
    const { port } = await startNamed();
    const client = await clientOf(port);
    expect((await client.ask(flight('quic-udp-001')[0] as Uint8Array)).bytes.toString()).toBe('other 1200');
  });

  test('that never become whole are refused where a route asks for their name', async () => {
    const { daemon, port, named, other } = await startNamed();
    const client = await clientOf(port);
    await client.send(SPLIT_QUIC[0] as Uint8Array);
    expect(await daemon.sessionOf(client)).toMatchObject({
      protocol: 'quic',
      reason: 'identify_timeout',
      by: 'timeout',
    });
    expect([...named.peer.received, ...other.peer.received]).toEqual([]);
  });

  test('are held up to sixteen datagrams', async () => {
    const { daemon, port } = await startNamed({ server: { identify_timeout: '60s' } });
    const client = await clientOf(port);
    await send(client, Array(17).fill(SPLIT_DTLS[0]));
    expect(await daemon.sessionOf(client)).toMatchObject({
      protocol: 'dtls',
      reason: 'rejected',
      during: 'route',
    });
  });
});

describe('facts of datagrams', () => {
  const query = (name: string, flags = '0100') =>
    Buffer.concat([
      hex(`1234 ${flags} 0001 0000 0000 0000`),
      ...name.split('.').map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`)),
      hex('00 0006 0001'),
    ]);

  test('decide routes: the name and the operation of DNS, the method and the host of SIP', async () => {
    const names = ['inside', 'primary', 'resolver', 'calls'];
    const endpoints = await Promise.all(names.map(endpointOf));
    const upstreams = Object.fromEntries(
      names.map((name, index) => [name, { endpoints: [(endpoints[index] as DatagramEndpoint).target] }]),
    );
    const { port } = await start({
      upstreams,
      routes: [
        { when: { protocol: 'dns', method: 'UPDATE' }, to: 'primary' },
        { when: { protocol: 'dns', host: '*.corp.example' }, to: 'inside' },
        { when: { protocol: 'dns' }, to: 'resolver' },
        { when: { protocol: 'sip', method: 'OPTIONS', host: 'b.example' }, to: 'calls' },
      ],
    });
    const sip = 'OPTIONS sip:a@b.example SIP/2.0\r\nVia: SIP/2.0/UDP c.example\r\n\r\n';
    const asked = [
      { bytes: query('a.CORP.example'), by: 'inside' },
      { bytes: query('a.example'), by: 'resolver' },
      { bytes: query('corp.example', '2800'), by: 'primary' },
      { bytes: Buffer.from(sip), by: 'calls' },
      // A datagram is whole: nothing is awaited behind a head that does not end.
      { bytes: Buffer.from(sip.slice(0, -2)), by: 'calls' },
    ];
    for (const { bytes, by } of asked) {
      const answer = await (await clientOf(port)).ask(bytes);
      expect(answer.bytes.toString()).toBe(`${by} ${bytes.length}`);
    }
  });
});

test('a route by source alone takes a flow before its first datagram is looked at', async () => {
  const [early, late] = [await endpointOf('early'), await endpointOf('late')];
  const { port } = await start({
    protocols: [{ name: 'DNS', target: 'late' }],
    routes: [{ when: { source: '127.0.0.9' }, to: 'early' }],
    upstreams: { early: { endpoints: [early.target] }, late: { endpoints: [late.target] } },
  });
  const query = recorded('dns')[0]?.bytes as Uint8Array;
  const [here, there] = [await clientOf(port, { from: '127.0.0.9' }), await clientOf(port)];
  expect((await here.ask('anything')).bytes.toString()).toBe('early 8');
  expect((await there.ask(query)).bytes.toString()).toBe(`late ${query.length}`);
});

test('a validator is asked once, about the whole datagram', async () => {
  const folder = tempFolder();
  open.push(() => folder.remove());
  const validator = `${folder.path}/validator.mjs`;
  const text = `export default (bytes) => bytes.length < 8 ? 'more' : bytes.at(-1) === 0x7a ? 'match' : 'no';`;
  writeFileSync(validator, text);
  const own = await endpointOf('own');
  const { daemon, port } = await start({
    protocols: [{ name: 'Mine', transport: 'udp', start_bytes: ['aa55'], validator, target: own.target }],
  });
  const client = await clientOf(port);
  expect((await client.ask(hex('aa55 0000 0000 007a'))).bytes.toString()).toBe('own 8');
  for (const bytes of [hex('aa55 7a'), hex('aa55 0000 0000 0000')]) {
    const stranger = await clientOf(port);
    await stranger.send(bytes);
    expect(await daemon.sessionOf(stranger)).toMatchObject({ protocol: null, reason: 'unknown_protocol' });
  }
});

describe('PROXY headers', () => {
  const header = (last: string) => v2(`21 12 000c c63364${last} cb007101 1267 0035`);
  const behind = (last: string, bytes: Uint8Array | string) =>
    Buffer.concat([header(last), Buffer.from(bytes)]);
  const query = recorded('dns')[0]?.bytes as Uint8Array;

  async function startTrusting() {
    const resolver = await endpointOf('resolver');
    const started = await start(
      {
        protocols: [{ name: 'DNS', target: 'to' }],
        routes: [{ when: { source: '198.51.100.9' }, to: 'reset' }],
        upstreams: { to: { endpoints: [resolver.target], proxy_protocol: 'v2' } },
      },
      { proxy_protocol: { accept: true, trusted: ['127.0.0.7'] } },
    );
    return { ...started, resolver };
  }

  test('of a trusted peer are before each datagram, in and out, and say DGRAM', async () => {
    const { daemon, port, resolver } = await startTrusting();
    const client = await clientOf(port, { from: '127.0.0.7' });
    for (let n = 1; n <= 3; n += 1) {
      await client.send(behind('07', query));
      await client.datagram(n - 1);
    }
    expect(resolver.peer.received.map(({ bytes }) => bytes)).toEqual(Array(3).fill(behind('07', query)));
    const line = await eventually('its session', () => daemon.sessions[0]);
    expect(line).toMatchObject({
      source: '198.51.100.7:4711',
      facts: { proxy: 'v2' },
      bytes_up: 3 * query.length,
    });
  });

  test('decide routes by the source that they announce', async () => {
    const { daemon, port, resolver } = await startTrusting();
    const client = await clientOf(port, { from: '127.0.0.7' });
    await client.send(behind('09', query));
    const line = await eventually('its session', () => daemon.sessions[0]);
    expect(line).toMatchObject({ source: '198.51.100.9:4711', reason: 'rejected' });
    expect(resolver.peer.received).toEqual([]);
  });

  test('are missing: rejected; those of strangers are no headers', async () => {
    const { daemon, port, resolver } = await startTrusting();
    const trusted = await clientOf(port, { from: '127.0.0.7' });
    const stranger = await clientOf(port, { from: '127.0.0.8' });
    await trusted.send(query);
    await stranger.send(behind('07', query));
    expect(await daemon.sessionOf(trusted)).toMatchObject({ reason: 'rejected', during: 'sniff' });
    expect(await daemon.sessionOf(stranger)).toMatchObject({ reason: 'unknown_protocol' });
    expect(resolver.peer.received).toEqual([]);
  });
});
