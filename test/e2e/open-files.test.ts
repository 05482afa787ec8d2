/** Open files that do not suffice: what is said of it at start, and who still has an answer when all are taken. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startControlled } from '../support/control.js';
import { type Daemon, launchDaemon, type TestConfig } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { cpuNanoseconds, openFiles } from '../support/proc.js';
import { runProgram } from '../support/process.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { describeWith } from '../support/tools.js';
import { eventually } from '../support/wait.js';

let upstream: Upstream;

beforeEach(async () => {
  upstream = await listenTcp(echo);
});
afterEach(() => upstream.close());

const limited = (files: number) => ({ wrapper: ['prlimit', `--nofile=${files}:${files}`] });
const redis = (): TestConfig => ({ protocols: [{ name: 'Redis', target: upstream.target }] });

/** Clients that are served. */
async function served(daemon: Daemon, count: number): Promise<Peer[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => dial(daemon.port)));
  for (const client of clients) client.send(redisPing);
  await Promise.all(clients.map((client) => client.bytes(redisPing.length)));
  return clients;
}

/** Connections that say nothing. */
async function idle(port: number, count: number): Promise<Socket[]> {
  const one = async () => {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    socket.resume();
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => {});
    return socket;
  };
  return Promise.all(Array.from({ length: count }, one));
}

/** CPU share of the process: a spinning thread gives 1. */
async function share(daemon: Daemon): Promise<number> {
  const [cpu, time] = [cpuNanoseconds(daemon.pid), performance.now()];
  await sleep(1_000);
  return (cpuNanoseconds(daemon.pid) - cpu) / 1e6 / (performance.now() - time);
}

describeWith('prlimit').each([
  { accept: 'reuseport', files: 256 },
  { accept: 'handoff', files: 256 },
])('$files open files, accept: $accept', ({ accept, files }) => {
  test('with every place taken metrics, health, the control interface and a reload have their files', async () => {
    const config = { ...redis(), server: { accept, workers: 2 } };
    const { daemon, site, port } = await startControlled(config, limited(files));
    const places = await daemon.metric('anyport_max_connections');
    expect(places).toBeGreaterThan(0);
    const clients = await served(daemon, places);
    const crowd = [...(await idle(daemon.metricsPort, 60)), ...(await idle(port, 60))];
    const over = await Promise.all(Array.from({ length: 40 }, () => dial(daemon.port).catch(() => null)));
    await daemon.metricBecomes('anyport_refused_total', 40);

    expect((await daemon.get('/health/live')).status).toBe(200);
    expect((await daemon.get('/health/ready')).status).toBe(200);
    expect((await site.get('/api/v1/status')).body.activeConnections).toBe(places);
    const changed = {
      ...config,
      admin: { listen: `127.0.0.1:${port}` },
      server: { ...config.server, idle_timeout: '2h' },
    };
    expect((await daemon.reload(changed)).msg).toBe('reloaded');
    expect(openFiles(daemon.pid)).toBeLessThan(files);
    expect(await share(daemon)).toBeLessThan(0.4);

    for (const socket of crowd) socket.destroy();
    for (const refused of over) refused?.socket.destroy();
    for (const client of clients) client.finish();
    await daemon.metricBecomes('anyport_sessions_active', 0);
    for (const client of await served(daemon, places)) client.finish();
    await daemon.metricBecomes('anyport_sessions_active', 0);
    await daemon.booksBalance();
    await daemon.stop();
  });
});

describeWith('prlimit').each(['reuseport', 'handoff'])('lowered while it runs, accept: %s', (accept) => {
  test('no crash, no spin, every connection counted; raised again, all are served', async () => {
    const config = { ...redis(), server: { accept, workers: 2 } };
    const { daemon, site, port } = await startControlled(config);
    const clients = await served(daemon, 60);
    const administrators = await idle(port, 24);
    await limitFiles(daemon, openFiles(daemon.pid) - 10);
    for (const client of clients.splice(0, 10)) client.finish();
    const more = await Promise.all(Array.from({ length: 60 }, () => dial(daemon.port).catch(() => null)));
    for (const client of more) client?.send(redisPing);
    await sleep(500);
    expect(more.filter((client) => client && client.length > 0).length).toBeLessThan(20);
    expect(await share(daemon)).toBeLessThan(0.4);

    await limitFiles(daemon, 4096);
    for (const client of more) client?.socket.destroy();
    for (const client of clients) client.finish();
    for (const socket of administrators) socket.destroy();
    await daemon.metricBecomes('anyport_sessions_active', 0);
    expect((await site.get('/api/v1/status')).status).toBe(200);
    for (const client of await served(daemon, 100)) client.finish();
    await daemon.metricBecomes('anyport_sessions_active', 0);
    await daemon.booksBalance();
    await daemon.stop();
  });

  async function limitFiles({ pid }: Daemon, count: number): Promise<void> {
    const { status } = await runProgram('prlimit', [`--pid=${pid}`, `--nofile=${count}:`]);
    expect(status).toBe(0);
  }
});

describeWith('prlimit')('said at start', () => {
  test('how many are needed, what takes them, what to raise and what to lower to', async () => {
    const { daemon } = await startControlled(redis(), limited(256));
    const warning = daemon.lines.find(({ msg }) => msg.startsWith('too few open files'));
    const effective = await daemon.metric('anyport_max_connections');
    expect(warning).toMatchObject({ level: 'warn', max_connections: 1024, files_allowed: 256, effective });
    expect(warning?.msg).toMatch(
      new RegExp(
        '^too few open files for max_connections, which is lowered: needs 2,\\d+ open files: 1,024 connections x 2, ' +
          '.*; the limit is 256: raise it by `ulimit -n 2\\d+` .* or lower server\\.max_connections to ' +
          `${effective}$`,
      ),
    );
    await daemon.stop();
  });

  test('when not one connection fits, the start fails and names what takes most', async () => {
    const config = {
      server: { tarpit_max: 200 },
      protocols: [{ name: 'Redis', target: { endpoints: [upstream.target], pool: { warm: 250 } } }],
      routes: [{ when: { protocol: 'http' }, to: 'tarpit' }],
    };
    const daemon = await launchDaemon(config, limited(400));
    await eventually('its end', () => daemon.child.exitCode !== null);
    expect(daemon.child.exitCode).toBe(1);
    const { level, msg } = daemon.lines.at(-1) ?? {};
    expect(level).toBe('fatal');
    expect(msg).toMatch(/^too few open files to serve one connection: needs 2,\d+ open files: /);
    expect(msg).toMatch(/250 opened ahead, 200 held by the tarpit, .*; the limit is 400: raise it by /);
    expect(msg).toMatch(
      /or lower upstreams\.NAME\.pool\.warm \(takes 250\) and server\.tarpit_max \(takes 200\)$/,
    );
    daemon.folder.remove();
  });
});
