/** Routes by what real clients say first: user and database, client id, method; by the time; and what is excluded. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { freePort } from '../support/ports.js';
import { type Finished, type Running, runProgram, startProgram } from '../support/process.js';
import { listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { describeWith } from '../support/tools.js';

/** Where a client's session went, and as what. */
async function sessionOf(daemon: Daemon, client: () => Promise<Finished>) {
  const before = daemon.sessions.length;
  const { status } = await client();
  const session = (await daemon.ended(before + 1)).at(-1);
  return { status, upstream: session?.upstream, reason: session?.reason, facts: session?.facts };
}

/** Hangs up on whatever has been said. */
const hangUp = (peer: Peer): void => {
  peer.socket.once('data', () => peer.socket.end());
};

describeWith('psql')('PostgreSQL', () => {
  let server: Upstream;
  let daemon: Daemon;

  beforeAll(async () => {
    server = await listenTcp(hangUp);
    daemon = await startDaemon({
      routes: [
        { when: { user: 'admin', database: 'pay' }, to: 'reset' },
        { when: { protocol: 'postgres', database: ['staff', 'pay'], not: { user: 'guest' } }, to: 'inner' },
        { when: { protocol: 'postgres' }, to: 'outer' },
      ],
      upstreams: { inner: { endpoints: [server.target] }, outer: { endpoints: [server.target] } },
    });
  });

  afterAll(async () => {
    await daemon.stop();
    await server.close();
  });

  const psql = (user: string, database: string, mode = 'disable') =>
    runProgram('psql', [
      `host=127.0.0.1 port=${daemon.port} user=${user} dbname=${database} sslmode=${mode} gssencmode=disable`,
      '--command=select 1',
    ]);

  test.each([
    { user: 'al', database: 'staff', upstream: 'inner' },
    { user: 'al', database: 'pay', upstream: 'inner' },
    { user: 'admin', database: 'pay', upstream: null, reason: 'rejected' },
    { user: 'admin', database: 'staff', upstream: 'inner' },
    { user: 'guest', database: 'staff', upstream: 'outer' },
    { user: 'Admin', database: 'Pay', upstream: 'outer' },
  ])('$user on $database → $upstream', async ({ user, database, ...due }) =>
    expect(await sessionOf(daemon, () => psql(user, database))).toMatchObject({
      ...due,
      facts: { user, database },
    }),
  );

  test('who asks for TLS first says no name, and is refused where one is asked for', async () =>
    expect(await sessionOf(daemon, () => psql('al', 'staff', 'require'))).toMatchObject({
      upstream: null,
      reason: 'rejected',
    }));
});

describeWith('mosquitto', 'mosquitto_pub')('MQTT', () => {
  let broker: Running;
  let daemon: Daemon;

  beforeAll(async () => {
    const port = await freePort();
    broker = await startProgram('mosquitto', ['-p', String(port)], port, {
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
    });
    daemon = await startDaemon({
      routes: [
        { when: { client_id: ['sensor.1', 'sensor.2'] }, to: 'broker' },
        { when: { user: 'meter' }, to: 'broker' },
        { when: { protocol: 'mqtt' }, to: 'close' },
      ],
      upstreams: { broker: { endpoints: [`127.0.0.1:${port}`] } },
    });
  });

  afterAll(async () => {
    await daemon.stop();
    await broker.stop();
  });

  const publish = (...args: string[]) =>
    runProgram('mosquitto_pub', ['-p', String(daemon.port), '-t', 'a', '-m', 'b', ...args]);

  test.each([
    { args: ['-i', 'sensor.2'], status: 0, upstream: 'broker' },
    { args: ['-i', 'sensor.2', '-V', 'mqttv5'], status: 0, upstream: 'broker' },
    { args: ['-i', 'sensor.2.'], status: expect.not.closeTo(0), upstream: null },
    {
      args: ['-i', 'other', '-u', 'meter', '--will-topic', 'w', '--will-payload', 'p'],
      status: 0,
      upstream: 'broker',
    },
  ])('$args → $upstream', async ({ args, status, upstream }) =>
    expect(await sessionOf(daemon, () => publish(...args))).toMatchObject({ status, upstream }),
  );
});

describeWith('curl')('HTTP, with a clock', () => {
  let server: Upstream;
  let daemon: Daemon;
  /** Two hours, of which one is over and one is to come, on the wall clock of that zone. */
  const around = (zone: string, fromHours: number, toHours: number) => {
    const at = (hours: number) =>
      new Intl.DateTimeFormat('en-GB', {
        timeZone: zone,
        hour: '2-digit',
        minute: '2-digit',
        hourCycle: 'h23',
      }).format(Date.now() + hours * 3_600_000);
    return { from: at(fromHours), to: at(toHours), zone };
  };

  beforeAll(async () => {
    server = await listenTcp((peer) => {
      peer.socket.once('data', () => peer.socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n'));
    });
    const upstream = { endpoints: [server.target] };
    daemon = await startDaemon({
      routes: [
        {
          when: { method: ['PUT', 'DELETE'], path: '/now', time: around('Asia/Kathmandu', -1, 1) },
          to: 'now',
        },
        { when: { method: 'PUT', path: '/later', time: around('Pacific/Auckland', 1, 2) }, to: 'later' },
        { when: { protocol: 'http', not: [{ method: 'GET' }, { path: '/hidden/*' }] }, to: 'rest' },
      ],
      upstreams: { now: upstream, later: upstream, rest: upstream },
    });
  });

  afterAll(async () => {
    await daemon.stop();
    await server.close();
  });

  test.each([
    { method: 'PUT', path: '/now', upstream: 'now' },
    { method: 'DELETE', path: '/now', upstream: 'now' },
    { method: 'POST', path: '/now', upstream: 'rest' },
    { method: 'PUT', path: '/later', upstream: 'rest' },
    { method: 'GET', path: '/now', upstream: null },
    { method: 'POST', path: '/hidden/a', upstream: null },
  ])('$method $path → $upstream', async ({ method, path, upstream }) => {
    const curl = () =>
      runProgram('curl', ['-sS', '-o', '/dev/null', '-X', method, `http://127.0.0.1:${daemon.port}${path}`]);
    expect(await sessionOf(daemon, curl)).toMatchObject({ upstream });
  });
});
