/** UDP ASSOCIATE of SOCKS 5 (RFC 1928 section 7): datagrams to where clients may go, and to nowhere else. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { hashPassword } from '../../../src/forward-proxy/users/scrypt.js';
import {
  type Association,
  answered,
  associate,
  associateCode,
  requestAssociation,
  targetHeader,
} from '../../support/associations.js';
import type { Daemon, SessionLine } from '../../support/daemon.js';
import {
  type DatagramEndpoint,
  datagramClient,
  echoDatagrams,
  listenUdp,
  type ServeDatagram,
} from '../../support/datagrams.js';
import { freePort } from '../../support/ports.js';
import { runProgram } from '../../support/process.js';
import type { Peer } from '../../support/tcp.js';
import { describeAsRoot, describeWith } from '../../support/tools.js';
import { startGenerations } from '../../support/upgrade.js';
import { eventually } from '../../support/wait.js';
import { dns } from '../udp/real/services/dns.js';
import { loopbackService } from '../udp/real/services/service.js';
import { onThisMachine, useStage } from './stage.js';

const stage = useStage();
const shared = useStage('all');

const udp = { socks: true, udp: true } as const;

async function endpoint(serve: ServeDatagram = echoDatagrams, host?: string): Promise<DatagramEndpoint> {
  const server = await listenUdp(serve, host);
  stage.later(() => server.close());
  return server;
}

async function client(daemon: Daemon, options?: Parameters<typeof associate>[1]): Promise<Association> {
  const association = await associate(daemon.port, options);
  stage.later(() => association.peer.close());
  stage.later(() => association.control.socket.destroy());
  return association;
}

/** The line of the flow to a target. */
const lineOf = (daemon: Daemon, { peer }: Association, target: string): Promise<SessionLine> =>
  eventually(`the line of ${target}`, () =>
    daemon.sessions.find(({ source, endpoint: to }) => source === peer.address && to === target),
  );

const dropped = (daemon: Daemon, reason: string) => daemon.metric('anyport_udp_dropped_total', { reason });

let open: Daemon;
beforeAll(async () => {
  const allow = ['127.0.0.0/8:*', '[::1]:*'];
  open = await shared.proxy(
    { ...udp, allow, deny: ['127.0.0.9/32:*'] },
    { server: { udp: { idle_timeout: '1h' } } },
  );
});

describe('an association', () => {
  test('relays to each target what is for it, and says who has answered', async () => {
    const [one, two] = [await endpoint(), await endpoint()];
    const association = await client(open);
    expect(await association.ask(one.target, 'first')).toEqual({ from: one.target, data: 'first' });
    expect(await association.ask(two.target, 'second')).toEqual({ from: two.target, data: 'second' });
    expect(await association.ask(one.target, 'third')).toEqual({ from: one.target, data: 'third' });
    expect(one.peer.texts).toEqual(['first', 'third']);
    expect(one.senders).toHaveLength(1);
    association.control.finish();
    expect(await association.control.end()).toBe('fin');
    expect(await open.sessionOf(association.control)).toMatchObject({
      protocol: 'socks5',
      upstream: 'connect_proxy',
      reason: 'done',
      bytes_up: 0,
      bytes_down: 0,
    });
    expect(await lineOf(open, association, one.target)).toMatchObject({
      protocol: 'socks5',
      transport: 'udp',
      upstream: 'connect_proxy',
      bytes_up: 10,
      bytes_down: 10,
      by: 'client',
      reason: 'done',
    });
    await open.booksBalance();
  });

  test('many datagrams of any length, the largest and empty ones too, in their order', async () => {
    const server = await endpoint();
    const association = await client(open);
    await association.ask(server.target, 'begun');
    const lengths = [0, 1, 1200, 1200, 1200, 500, 8900, 0, 65_497];
    for (const length of lengths) await association.send(server.target, Buffer.alloc(length, 'x'));
    await association.peer.datagram(lengths.length);
    const came = association.peer.received.slice(1);
    expect(came.map((each) => answered(each).data.length)).toEqual(lengths);
  });

  test('to IPv6', async () => {
    const server = await endpoint(echoDatagrams, '::1');
    const association = await client(open);
    await association.send(server.target, 'six');
    const header = targetHeader('::1', server.port);
    expect((await association.peer.datagram(0)).bytes).toEqual(Buffer.concat([header, Buffer.from('six')]));
  });

  test('ends with its connection: flows end, and the relay is closed', async () => {
    const server = await endpoint();
    const association = await client(open);
    await association.ask(server.target, 'x');
    association.control.reset();
    expect(await lineOf(open, association, server.target)).toMatchObject({ by: 'client', reason: 'done' });
    const { host = '', port = 0 } = association.peer.target ?? {};
    const probe = createSocket('udp4');
    probe.connect(port, host);
    stage.later(() => probe.close());
    await once(probe, 'connect');
    probe.send('?');
    expect(await once(probe, 'error')).toMatchObject([{ code: 'ECONNREFUSED' }]);
  });

  test('ends when its client sends anything on its connection', async () => {
    const association = await client(open);
    association.control.send('?');
    expect(await association.control.end()).toBe('reset');
    expect(await open.sessionOf(association.control)).toMatchObject({ by: 'proxy', reason: 'rejected' });
  });

  test('is not idle as long as datagrams move', async () => {
    const server = await endpoint();
    const daemon = await stage.proxy({ ...udp, idle_timeout: '1500ms' });
    const association = await client(daemon);
    const begun = Date.now();
    await eventually('more than its idle time to pass', async () => {
      await association.ask(server.target, 'x');
      return Date.now() - begun > 1800;
    });
    expect(association.control.ending).toBeUndefined();
    const line = await daemon.sessionOf(association.control);
    expect(line).toMatchObject({ by: 'timeout', reason: 'idle_timeout' });
    expect(line.duration_ms).toBeGreaterThan(1800);
  });
});

describe('who may use a relay', () => {
  test('only its client, from the port of its first datagram', async () => {
    const server = await endpoint();
    const association = await client(open);
    await association.ask(server.target, 'mine');
    const before = await dropped(open, 'foreign');
    const { host = '', port = 0 } = association.peer.target ?? {};
    const others = [
      await datagramClient(port, { host }),
      await datagramClient(port, { host, from: '127.0.0.2' }),
    ];
    const header = targetHeader('127.0.0.1', server.port);
    for (const other of others) {
      stage.later(() => other.close());
      await other.send(Buffer.concat([header, Buffer.from('theirs')]));
    }
    await open.metricBecomes('anyport_udp_dropped_total', before + 2, { reason: 'foreign' });
    expect(await association.ask(server.target, 'mine again')).toMatchObject({ data: 'mine again' });
    expect(server.peer.texts).toEqual(['mine', 'mine again']);
  });

  test('only from the port that the request names', async () => {
    const server = await endpoint();
    const association = await client(open, { port: 'own' });
    const before = await dropped(open, 'foreign');
    const { host = '', port = 0 } = association.peer.target ?? {};
    const other = await datagramClient(port, { host });
    stage.later(() => other.close());
    await other.send(Buffer.concat([targetHeader('127.0.0.1', server.port), Buffer.from('first')]));
    await open.metricBecomes('anyport_udp_dropped_total', before + 1, { reason: 'foreign' });
    expect(await association.ask(server.target, 'mine')).toEqual({ from: server.target, data: 'mine' });
    expect(server.peer.texts).toEqual(['mine']);
  });

  test('targets that were not sent to reach nobody', async () => {
    const [server, stranger] = [await endpoint(), await endpoint()];
    const association = await client(open);
    await association.ask(server.target, 'x');
    const [sender = ''] = server.senders;
    await stranger.peer.send('unasked', sender);
    await server.peer.send('asked', sender);
    expect(answered(await association.peer.datagram(1))).toEqual({ from: server.target, data: 'asked' });
    expect(association.peer.received).toHaveLength(2);
  });
});

describe('where datagrams may go', () => {
  test.each([
    ['denied', '127.0.0.9:53'],
    ['private', '10.0.0.1:53'],
    ['metadata', '169.254.169.254:80'],
    ['not listed', '192.0.2.1:53'],
    ['denied in the clothes of IPv6', '[::ffff:127.0.0.9]:53'],
  ])('a target that is %s gets nothing, and the line says why', async (_, target) => {
    const association = await client(open);
    await association.send(target, 'x');
    const line = await lineOf(open, association, target.replace('[::ffff:127.0.0.9]', '127.0.0.9'));
    expect(line).toMatchObject({
      by: 'proxy',
      reason: 'rejected',
      status: 403,
      bytes_up: 0,
      transport: 'udp',
    });
    expect(line.error).toMatch(/denied|allowed/);
  });

  test('ports are those of `ports`, for datagrams too', async () => {
    const server = await endpoint();
    const daemon = await stage.proxy({ ...udp, allow: ['127.0.0.0/8'], ports: [server.port] });
    const other = await endpoint();
    const association = await client(daemon);
    await association.send(other.target, 'x');
    expect(await lineOf(daemon, association, other.target)).toMatchObject({ status: 403 });
    expect(await association.ask(server.target, 'x')).toEqual({ from: server.target, data: 'x' });
    expect(other.peer.received).toEqual([]);
  });

  test('a target whose port is closed ends, and the next datagram begins anew', async () => {
    const server = await listenUdp(echoDatagrams);
    const association = await client(open);
    await association.ask(server.target, 'x');
    await server.close();
    await association.send(server.target, 'x');
    expect(await lineOf(open, association, server.target)).toMatchObject({
      by: 'upstream',
      reason: 'upstream_gone',
    });
    const again = await listenUdp(echoDatagrams, '127.0.0.1', server.port);
    stage.later(() => again.close());
    expect(await association.ask(server.target, 'y')).toEqual({ from: server.target, data: 'y' });
  });
});

test('what can not be read as a datagram for a target is dropped and counted', async () => {
  const server = await endpoint();
  const association = await client(open);
  const whole = Buffer.concat([targetHeader('127.0.0.1', server.port), Buffer.from('x')]);
  const before = { malformed: await dropped(open, 'malformed'), fragment: await dropped(open, 'fragment') };
  const bad = [Buffer.alloc(0), Buffer.from('hello'), whole.subarray(0, 9), targetHeader('127.0.0.1', 0)];
  for (const each of bad) await association.peer.send(each);
  for (const number of [1, 0x80]) await association.peer.send(targetHeader('127.0.0.1', server.port, number));
  await open.metricBecomes('anyport_udp_dropped_total', before.malformed + bad.length, {
    reason: 'malformed',
  });
  await open.metricBecomes('anyport_udp_dropped_total', before.fragment + 2, { reason: 'fragment' });
  expect(await association.ask(server.target, 'good')).toMatchObject({ data: 'good' });
  expect(server.peer.texts).toEqual(['good']);
});

describe('limits', () => {
  const TARGETS_MAX = 256;
  const ASSOCIATIONS_MAX = 4096;
  /** Asked for at the same time: fewer than wait in a backlog. */
  const AT_ONCE = 256;

  test('an association has so many targets, and those go on', async () => {
    const server = await endpoint(undefined, '0.0.0.0');
    const association = await client(open);
    const before = await dropped(open, 'per_ip');
    const target = (n: number) => `127.0.${1 + Math.floor(n / 200)}.${1 + (n % 200)}:${server.port}`;
    for (let n = 0; n < TARGETS_MAX; n += 1) {
      await association.send(target(n), `${n}`);
      if (n % 16 === 15) await server.peer.datagram(n);
    }
    await association.send(target(TARGETS_MAX), 'one too many');
    await open.metricBecomes('anyport_udp_dropped_total', before + 1, { reason: 'per_ip' });
    await association.send(target(0), 'the first again');
    expect((await server.peer.datagram(TARGETS_MAX)).bytes.toString()).toBe('the first again');
  });

  test('a worker has so many associations; when one ends there is place for another', async () => {
    const daemon = await stage.proxy(udp, { server: { max_connections: 6000 } });
    const all: Peer[] = [];
    stage.later(() => {
      for (const { socket } of all) socket.destroy();
    });
    const codes = new Map<number, number>();
    while (all.length < ASSOCIATIONS_MAX + 2) {
      const more = Math.min(AT_ONCE, ASSOCIATIONS_MAX + 2 - all.length);
      const asked = await Promise.all(Array.from({ length: more }, () => requestAssociation(daemon.port)));
      for (const { control, code } of asked) {
        all.push(control);
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }
    }
    expect([...codes]).toEqual([
      [0, ASSOCIATIONS_MAX],
      [1, 2],
    ]);
    expect(await daemon.sessionOf(all.at(-1) as Peer)).toMatchObject({ reason: 'over_limit', status: 503 });
    all[0]?.finish();
    await daemon.sessionOf(all[0] as Peer);
    expect(await associateCode(daemon.port)).toBe(0);
  });

  test("of a user: associations and targets are sessions of his, and other people's have theirs", async () => {
    const hash = await hashPassword(Buffer.from('secret'), { ln: 14, r: 8, p: 1 });
    const users = { alice: { hash, max_connections: 2 }, bob: hash };
    const daemon = await stage.proxy({ ...udp, users, log_users: true });
    const [alice, bob] = [{ user: ['alice', 'secret'] }, { user: ['bob', 'secret'] }] as const;
    const [server, other] = [await endpoint(), await endpoint()];
    const association = await client(daemon, alice);
    await association.ask(server.target, 'x');
    await association.send(other.target, 'x');
    expect(await lineOf(daemon, association, other.target)).toMatchObject({
      reason: 'over_limit',
      user: 'alice',
    });
    expect(await associateCode(daemon.port, alice)).toBe(1);
    expect(await associateCode(daemon.port, bob)).toBe(0);
    expect(other.peer.received).toEqual([]);
  });

  test('a target that is silent ends, and its association does not', async () => {
    const server = await endpoint();
    const daemon = await stage.proxy(udp, { server: { udp: { idle_timeout: '50ms' } } });
    const association = await client(daemon);
    await association.ask(server.target, 'x');
    expect(await lineOf(daemon, association, server.target)).toMatchObject({ reason: 'idle_timeout' });
    expect(await association.ask(server.target, 'y')).toEqual({ from: server.target, data: 'y' });
  });
});

describe('changes', () => {
  test('a new target is judged by the configuration in force, and those that are relayed go on', async () => {
    const [one, two] = [await endpoint(), await endpoint()];
    const daemon = await stage.proxy(udp);
    const association = await client(daemon);
    await association.ask(one.target, 'x');
    const config = { connect_proxy: { ...onThisMachine, ...udp, deny: ['127.0.0.1/32:*'] } };
    expect(await daemon.reload(config)).toMatchObject({ msg: 'reloaded' });
    expect(await association.ask(one.target, 'y')).toEqual({ from: one.target, data: 'y' });
    await association.send(two.target, 'x');
    expect(await lineOf(daemon, association, two.target)).toMatchObject({ status: 403 });
    expect(await daemon.reload({ connect_proxy: { ...onThisMachine, socks: true } })).toMatchObject({
      msg: 'reloaded',
    });
    const three = await endpoint();
    await association.send(three.target, 'x');
    expect(await lineOf(daemon, association, three.target)).toMatchObject({ status: 405 });
    expect(await association.ask(one.target, 'z')).toEqual({ from: one.target, data: 'z' });
    expect([...two.peer.received, ...three.peer.received]).toEqual([]);
  });

  test('of a user who has gone: what is relayed goes on, and nothing new begins', async () => {
    const hash = await hashPassword(Buffer.from('secret'), { ln: 14, r: 8, p: 1 });
    const [one, two] = [await endpoint(), await endpoint()];
    const daemon = await stage.proxy({ ...udp, users: { alice: hash } });
    const association = await client(daemon, { user: ['alice', 'secret'] });
    await association.ask(one.target, 'x');
    const config = { connect_proxy: { ...onThisMachine, ...udp, users: { bob: hash } } };
    expect(await daemon.reload(config)).toMatchObject({ msg: 'reloaded' });
    await association.send(two.target, 'x');
    expect(await lineOf(daemon, association, two.target)).toMatchObject({ status: 407 });
    expect(await association.ask(one.target, 'y')).toEqual({ from: one.target, data: 'y' });
  });
});

describe('the end of the process', () => {
  test('through an upgrade an association goes on where it is, for new targets too; its end is that of the process', async () => {
    const [one, two] = [await endpoint(), await endpoint()];
    const generations = await startGenerations({
      connect_proxy: { ...onThisMachine, ...udp },
      server: { graceful_shutdown_timeout: '10m' },
    });
    stage.later(() => generations.stop());
    const { daemon } = generations;
    const association = await client(daemon);
    await association.ask(one.target, 'x');
    await generations.upgrade();
    await generations.line(/^draining$/);
    expect(await association.ask(one.target, 'y')).toEqual({ from: one.target, data: 'y' });
    expect(await association.ask(two.target, 'x')).toEqual({ from: two.target, data: 'x' });
    const later = await client(daemon);
    expect(await later.ask(two.target, 'z')).toEqual({ from: two.target, data: 'z' });
    expect(one.senders).toHaveLength(1);
    expect(generations.living).toHaveLength(2);
    association.control.finish();
    await eventually('the end of the process before', () => generations.living.length === 1);
    expect(await lineOf(daemon, association, one.target)).toMatchObject({ by: 'client', reason: 'done' });
    expect(await later.ask(one.target, 'z')).toEqual({ from: one.target, data: 'z' });
  });

  test('a drain waits for associations as for connections, and the last one is its end', async () => {
    const server = await endpoint();
    const daemon = await stage.proxy(udp, { server: { graceful_shutdown_timeout: '10m' } });
    const association = await client(daemon);
    await association.ask(server.target, 'x');
    daemon.signal('SIGTERM');
    await eventually('the drain', () => daemon.lines.some(({ msg }) => msg === 'draining'));
    expect(await association.ask(server.target, 'y')).toEqual({ from: server.target, data: 'y' });
    association.control.finish();
    expect(await daemon.exit()).toBe(0);
    expect(await lineOf(daemon, association, server.target)).toMatchObject({ by: 'client', reason: 'done' });
  });

  test('at the deadline of a drain associations and their targets end', async () => {
    const server = await endpoint();
    const daemon = await stage.proxy(udp, { server: { graceful_shutdown_timeout: '50ms' } });
    const association = await client(daemon);
    await association.ask(server.target, 'x');
    daemon.signal('SIGTERM');
    expect(await association.control.end()).toBe('reset');
    await daemon.exit();
    const late = { by: 'timeout', reason: 'drain_timeout' };
    expect(await daemon.sessionOf(association.control)).toMatchObject(late);
    expect(daemon.sessions.find(({ transport }) => transport === 'udp')).toMatchObject({
      ...late,
      endpoint: server.target,
    });
  });
});

describeWith(
  'socksify',
  'drill',
  'unbound',
  'dig',
)('a real client: drill, by the socksify of Dante, to unbound', () => {
  test.each([
    ['without a user', undefined],
    ['with user and password', { SOCKS_USERNAME: 'alice', SOCKS_PASSWORD: 'secret' }],
  ])('%s', async (_, credentials) => {
    const server = await loopbackService(dns, freePort).start();
    stage.later(() => server.stop());
    const hash = await hashPassword(Buffer.from('secret'), { ln: 14, r: 8, p: 1 });
    const daemon = await stage.proxy(credentials === undefined ? udp : { ...udp, users: { alice: hash } });
    const [, port = ''] = server.target.split(':');
    const folder = stage.folder();
    writeFileSync(
      `${folder}/socks.conf`,
      [
        `route { from: 0.0.0.0/0 to: 127.0.0.1/32 port = ${port} via: 127.0.0.1 port = ${daemon.port}`,
        'proxyprotocol: socks_v5',
        'protocol: tcp udp',
        'command: connect udpassociate',
        `method: ${credentials === undefined ? 'none' : 'username'}`,
        '}',
        '',
      ].join('\n'),
    );
    const { stdout } = await runProgram('socksify', ['drill', '-p', port, '@127.0.0.1', 'known.example'], {
      env: {
        ...process.env,
        ...credentials,
        SOCKS_CONF: `${folder}/socks.conf`,
        // Else it goes to this machine by itself.
        SOCKS_AUTOADD_LANROUTES: 'no',
      },
    });
    expect(stdout).toMatch(/^known\.example\.\s+\d+\s+IN\s+A\s+192\.0\.2\.7$/m);
    const lines = await daemon.ended(2);
    expect(lines.find(({ transport }) => transport === 'udp')).toMatchObject({
      protocol: 'socks5',
      endpoint: server.target,
      reason: 'done',
    });
  });
});

describeAsRoot('by name', () => {
  const names = { allow: ['*.test:*', '127.0.0.0/8:*'] } as const;

  test('the name is looked up once, what comes meanwhile is held, and the address of the answer is told', async () => {
    const server = await endpoint();
    const { dns, options } = await stage.names();
    dns.names.set('good.test', ['127.0.0.1']);
    const daemon = await stage.proxy({ ...udp, ...names }, { options });
    const association = await client(daemon);
    const target = `good.test:${server.port}`;
    for (const text of ['one', 'two', 'three']) await association.send(target, text);
    await association.peer.datagram(2);
    const from = server.target;
    expect(association.peer.received.map(answered)).toEqual([
      { from, data: 'one' },
      { from, data: 'two' },
      { from, data: 'three' },
    ]);
    dns.names.set('good.test', ['127.0.0.2']);
    expect(await association.ask(target, 'four')).toEqual({ from, data: 'four' });
    expect(server.senders).toHaveLength(1);
    association.control.finish();
    expect(await lineOf(daemon, association, target)).toMatchObject({ reason: 'done' });
  });

  test('a name that nobody answers for ends in time, holds so many datagrams, and holds nobody else up', async () => {
    const server = await endpoint();
    const { dns, options } = await stage.names();
    dns.names.set('silent.test', 'silence');
    dns.names.set('bad.test', ['10.0.0.1']);
    const daemon = await stage.proxy({ ...udp, ...names, resolve_timeout: '1s' }, { options });
    const association = await client(daemon);
    const HELD = 16;
    for (let n = 0; n < HELD + 4; n += 1) await association.send('silent.test:53', 'x');
    await daemon.metricBecomes('anyport_udp_dropped_total', 4, { reason: 'queue_full' });
    expect(await association.ask(server.target, 'y')).toEqual({ from: server.target, data: 'y' });
    await association.send('bad.test:53', 'x');
    expect(await lineOf(daemon, association, 'bad.test:53')).toMatchObject({ status: 403 });
    expect(await lineOf(daemon, association, 'silent.test:53')).toMatchObject({ status: 504, by: 'timeout' });
  });

  test('its client leaves while a name is looked up', async () => {
    const { dns, options } = await stage.names();
    dns.names.set('silent.test', 'silence');
    const daemon = await stage.proxy({ ...udp, ...names, resolve_timeout: '60s' }, { options });
    const association = await client(daemon);
    await association.send('silent.test:53', 'x');
    await eventually('the question', () => dns.asked.length > 0);
    association.control.reset();
    expect(await lineOf(daemon, association, 'silent.test:53')).toMatchObject({
      by: 'client',
      reason: 'done',
    });
    await daemon.booksBalance();
  });
});
