/** Upgrade in place on the built daemon: SIGUSR2 replaces the process, and no session notices. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { anyport, type TestConfig } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { total } from '../support/metrics.js';
import { listeningSockets, openFiles } from '../support/proc.js';
import { dial, echo, listenTcp, Peer, type Upstream } from '../support/tcp.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { type Generations, isAlive, runs, startGenerations } from '../support/upgrade.js';
import { eventually, waited } from '../support/wait.js';

let upstream: Upstream;
let folder: TempFolder;
const running: Generations[] = [];

beforeEach(async () => {
  upstream = await listenTcp(echo);
  folder = tempFolder();
});

afterEach(async () => {
  await upstream.close(); // ends what a failed test has left open
  for (const generations of running.splice(0)) await generations.stop();
  folder.remove();
});

const config = (server: Record<string, unknown> = {}): TestConfig => ({
  server: { workers: 2, graceful_shutdown_timeout: '10m', upgrade_timeout: '60s', ...server },
  protocols: [{ name: 'Redis', target: upstream.target }],
});

async function start(server: Record<string, unknown> = {}): Promise<Generations> {
  const generations = await startGenerations(config(server));
  running.push(generations);
  return generations;
}

/** One short session; rejects when it is refused, cut or answered wrongly. */
async function session(port: number): Promise<void> {
  const client = await dial(port);
  client.send(redisPing);
  const answer = await client.bytes(redisPing.length);
  if (!answer.equals(Buffer.from(redisPing))) throw new Error('another answer');
  client.finish();
  if ((await client.end()) !== 'fin') throw new Error('cut');
}

/** Short sessions, several at once, until `stop`. */
function load(port: number, lanes = 8) {
  const failures: string[] = [];
  let made = 0;
  let goesOn = true as boolean;
  const lane = async () => {
    while (goesOn) {
      await session(port).then(
        () => {
          made += 1;
        },
        (error) => failures.push(String(error)),
      );
    }
  };
  const all = Promise.all(Array.from({ length: lanes }, lane));
  return {
    failures,
    get made() {
      return made;
    },
    async stop(): Promise<void> {
      goesOn = false;
      await all;
    },
  };
}

/** A session that stays open. */
async function longSession(port: number): Promise<Peer> {
  const client = await dial(port);
  client.send(redisPing);
  await client.bytes(redisPing.length);
  return client;
}

async function stillWorks(client: Peer): Promise<void> {
  const before = client.length;
  client.send(redisPing);
  await client.bytes(before + redisPing.length);
}

describe('an upgrade under load', () => {
  test('fails and cuts no session, whatever the number of workers and the way of accepting', async () => {
    const generations = await start();
    const { daemon } = generations;
    const long = await Promise.all(Array.from({ length: 20 }, () => longSession(daemon.port)));
    const short = load(daemon.port);
    for (const server of [
      { workers: 3 },
      { workers: 1 },
      { workers: 2, accept: 'handoff' },
      { workers: 2 },
    ]) {
      const before = short.made;
      daemon.configure(config(server));
      await generations.upgrade();
      await eventually('sessions after the upgrade', () => short.made > before + 50);
    }
    await short.stop();
    expect(short.failures).toEqual([]);
    for (const client of long) await stillWorks(client);
    for (const client of long) client.finish();
    for (const client of long) expect(await client.end()).toBe('fin');
    await eventually('the old processes to end', () => generations.living.length === 1);
    const samples = await daemon.metrics();
    expect(total(samples, 'anyport_accepted_total')).toBe(short.made + long.length);
    await daemon.metricBecomes('anyport_sessions_total', short.made + long.length, { reason: 'done' });
    await daemon.metricBecomes('anyport_sessions_active', 0);
    expect(daemon.sessions.filter(({ reason }) => reason !== 'done')).toEqual([]);
  });

  const rounds = process.env.ANYPORT_SOAK ? 10 : 3;
  test(`${rounds} times in a row, with groups of sockets that grow and shrink meanwhile`, {
    timeout: 300_000,
  }, async () => {
    const generations = await start();
    const { daemon } = generations;
    const long = await Promise.all(Array.from({ length: 100 }, () => longSession(daemon.port)));
    const short = load(daemon.port);
    for (let each = 0; each < rounds; each += 1) {
      daemon.configure(config({ workers: each % 2 === 0 ? 3 : 1 }));
      await generations.upgrade();
      // At once, and when sockets have retired.
      await sleep(each % 3 === 0 ? 2500 : 0);
    }
    await short.stop();
    expect(short.failures).toEqual([]);
    for (const client of long) await stillWorks(client);
    for (const client of long) client.finish();
    await eventually('the old processes to end', () => generations.living.length === 1);
    const samples = await daemon.metrics();
    expect(total(samples, 'anyport_accepted_total')).toBe(short.made + long.length);
    await daemon.metricBecomes('anyport_sessions_total', short.made + long.length, { reason: 'done' });
  });

  test('never turns a counter back, and every scrape is answered', async () => {
    const generations = await start();
    const { daemon } = generations;
    const short = load(daemon.port, 4);
    const seen: number[] = [];
    let goesOn = true as boolean;
    const scrapes = (async () => {
      while (goesOn) seen.push(total(await daemon.metrics(), 'anyport_accepted_total'));
    })();
    for (let each = 0; each < 3; each += 1) {
      await generations.upgrade();
      await sleep(200);
    }
    await short.stop();
    goesOn = false;
    await scrapes;
    expect(short.failures).toEqual([]);
    expect(seen.length).toBeGreaterThan(10);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    await daemon.metricBecomes('anyport_accepted_total', short.made);
  });
});

describe('processes that follow each other', () => {
  test('count as one, while each drains and when all have ended', async () => {
    const generations = await start();
    const { daemon } = generations;
    const clients: Peer[] = [];
    for (let each = 0; each < 4; each += 1) {
      clients.push(await longSession(daemon.port));
      await generations.upgrade();
    }
    expect(generations.living).toHaveLength(5);
    await daemon.metricBecomes('anyport_sessions_active', 4);
    await daemon.metricBecomes('anyport_endpoint_sessions', 4);
    // Those in the middle pass on the totals of the oldest.
    for (const client of [clients[3], clients[2], clients[1]]) client?.finish();
    await daemon.metricBecomes('anyport_sessions_active', 1);
    await stillWorks(clients[0] as Peer);
    expect(generations.living.length).toBeGreaterThan(2);
    clients[0]?.finish();
    await eventually('the old processes to end', () => generations.living.length === 1);
    await daemon.metricBecomes('anyport_sessions_total', 4, { reason: 'done' });
    await daemon.metricBecomes('anyport_session_seconds_count', 4);
    await daemon.booksBalance();
  });

  test('a session has until the deadline of its process', async () => {
    const deadlineMs = 1000;
    const generations = await start({ graceful_shutdown_timeout: `${deadlineMs}ms` });
    const { daemon } = generations;
    const client = await longSession(daemon.port);
    await generations.upgrade();
    expect(await client.end()).toBe('reset');
    const { reason, time } = await daemon.sessionOf(client);
    expect(reason).toBe('drain_timeout');
    const { time: drainedFrom } = await generations.line(/^draining/);
    expect(Date.parse(`${time}`) - Date.parse(`${drainedFrom}`)).toBeGreaterThan(waited(deadlineMs));
    await daemon.metricBecomes('anyport_sessions_total', 1, { reason: 'drain_timeout' });
  });

  test('what an old process had open counts as reset when it dies', async () => {
    const generations = await start();
    const { daemon } = generations;
    const client = await longSession(daemon.port);
    const unknown = await dial(daemon.port);
    await daemon.metricBecomes('anyport_accepted_total', 2);
    await generations.upgrade();
    await daemon.metricBecomes('anyport_sessions_active', 2);
    generations.signal('SIGKILL', generations.pids[0]);
    await daemon.metricBecomes('anyport_sessions_total', 2, { reason: 'reset' });
    await daemon.metricBecomes('anyport_sessions_active', 0);
    await daemon.booksBalance();
    for (const peer of [client, unknown]) peer.socket.destroy();
  });

  test('the newest one ends all the others with it, if all are told to', async () => {
    const generations = await start();
    const client = await longSession(generations.daemon.port);
    await generations.upgrade();
    for (const pid of generations.living) generations.signal('SIGTERM', pid);
    await sleep(300);
    expect(generations.living).toHaveLength(2);
    await stillWorks(client);
    client.finish();
    await eventually('all to end', () => generations.living.length === 0);
  });
});

describe('sockets', () => {
  test('a Unix socket keeps its file, which the last process removes', async () => {
    const path = `${folder.path}/front.sock`;
    const generations = await start({ listen: `unix:${path}` });
    const call = async () => {
      const client = new Peer(connect({ path, allowHalfOpen: true }));
      client.send(redisPing);
      await client.bytes(redisPing.length);
      client.finish();
      await client.end();
    };
    for (let each = 0; each < 2; each += 1) {
      await call();
      await generations.upgrade();
      await eventually('the old process to end', () => generations.living.length === 1);
      expect(existsSync(path)).toBe(true);
    }
    await call();
    generations.signal('SIGTERM');
    await eventually('the end', () => generations.living.length === 0);
    expect(existsSync(path)).toBe(false);
  });

  test('are as many as workers, once the old process has given way', async () => {
    const generations = await start({ workers: 2 });
    const { daemon } = generations;
    for (const workers of [4, 1, 2]) {
      daemon.configure(config({ workers }));
      await generations.upgrade();
      await eventually(`${workers} sockets`, () => listeningSockets(daemon.port) === workers);
      for (let each = 0; each < 8; each += 1) await session(daemon.port);
    }
    expect(daemon.lines.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  test('of the control interface passes on, with its file', async () => {
    const path = `${folder.path}/admin.sock`;
    const generations = await startGenerations({ ...config(), admin: { listen: `unix:${path}` } });
    running.push(generations);
    const status = async () => {
      const { status: code, stdout, stderr } = await anyport(['status', '--admin', `unix:${path}`, '--json']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return JSON.parse(stdout).pid as number;
    };
    expect(await status()).toBe(generations.pid);
    for (let each = 0; each < 2; each += 1) {
      await generations.upgrade();
      expect(await status()).toBe(generations.pid);
      await eventually('the old process to end', () => generations.living.length === 1);
      expect(await status()).toBe(generations.pid);
    }
    generations.signal('SIGTERM');
    await eventually('the end', () => generations.living.length === 0);
    expect(existsSync(path)).toBe(false);
  });

  test('the file of bans is that of the process that has the sockets', async () => {
    const [admin, file] = [`unix:${folder.path}/admin.sock`, `${folder.path}/bans`];
    const generations = await startGenerations({
      ...config(),
      admin: { listen: admin },
      security: { ban_export: file },
    });
    running.push(generations);
    const becomes = (text: string) =>
      eventually(`the file to be ${JSON.stringify(text)}`, () => readFileSync(file, 'utf8') === text);
    const ban = (ip: string, time: string) => anyport(['ban', 'add', ip, '--for', time, '--admin', admin]);
    await ban('192.0.2.1', '1h');
    await ban('192.0.2.2', '5s');
    await becomes('192.0.2.1\n192.0.2.2\n');
    const client = await longSession(generations.daemon.port);
    await generations.upgrade();
    await becomes('');
    // The old process knows of one ban still, and of a change.
    await generations.line(/^ban over/);
    await sleep(500);
    expect(readFileSync(file, 'utf8')).toBe('');
    await stillWorks(client);
    client.finish();
  });

  test('of a listener that the new configuration does not have are closed, those of a new one are opened', async () => {
    const path = `${folder.path}/second.sock`;
    const generations = await start();
    const { daemon } = generations;
    daemon.configure(config({ listen: `unix:${path}` }));
    await generations.upgrade();
    expect(await generations.line(/inherited socket is not configured/)).toMatchObject({
      address: `127.0.0.1:${daemon.port}`,
    });
    await eventually('the old process to end', () => generations.living.length === 1);
    await expect(session(daemon.port)).rejects.toThrow(/ECONNREFUSED/);
    expect(existsSync(path)).toBe(true);
  });

  test('nothing is inherited but the standard descriptors and the hand-over', async () => {
    const generations = await start();
    const list = `${folder.path}/fds`;
    generations.replace(`(ls -l /proc/$$/fd > ${list})\n${runs()}`);
    const client = await longSession(generations.daemon.port);
    await generations.upgrade();
    const fds = readFileSync(list, 'utf8')
      .split('\n')
      .filter((line) => line.includes(' -> ') && !line.includes(generations.launcher))
      .map((line) => Number(/(\d+) -> /.exec(line)?.[1]));
    expect(fds.toSorted()).toEqual([0, 1, 2, 3]);
    client.finish();
  });
});

describe('an upgrade that fails changes nothing, and the log says why', () => {
  const cases = [
    { why: 'exits', script: 'echo out of luck >&2; exit 3', reason: /status 3/, stderr: /out of luck/ },
    { why: 'is killed', script: 'kill -9 $$', reason: /SIGKILL/ },
    {
      why: 'prints garbage into the hand-over',
      script: 'echo garbage >&3; exec sleep 60',
      reason: /no message/,
    },
    { why: 'closes the hand-over', script: 'exec 3>&-; exec sleep 60', reason: /left the hand-over/ },
    {
      why: 'hangs',
      script: 'exec sleep 60',
      reason: /not ready within 1 s/,
      server: { upgrade_timeout: '1s' },
    },
    {
      why: 'hangs and ignores SIGTERM',
      script: 'trap "" TERM; exec sleep 60',
      reason: /not ready within 1 s/,
      server: { upgrade_timeout: '1s' },
    },
  ];

  test.each(cases)('the new program $why', async ({ script, reason, stderr, server }) => {
    const generations = await start(server);
    const { daemon, pid } = generations;
    const client = await longSession(daemon.port);
    const short = load(daemon.port, 2);
    generations.replace(script);
    const line = await generations.refused();
    expect(line.reason).toMatch(reason);
    if (stderr) expect(line.stderr).toMatch(stderr);
    await short.stop();
    expect(short.failures).toEqual([]);
    await stillWorks(client);
    expect(generations.pid).toBe(pid);
    await eventually('the new process to end', () => !isAlive(line.successor as number));
    // The next one works.
    await daemon.reload(config());
    generations.replace();
    expect(await generations.upgrade()).not.toBe(pid);
    await stillWorks(client);
    client.finish();
  });

  test('the launcher is gone', async () => {
    const generations = await start();
    rmSync(generations.launcher);
    expect((await generations.refused()).reason).toMatch(/ENOENT/);
    await session(generations.daemon.port);
  });

  test('the configuration is bad: every problem with its place', async () => {
    const generations = await start();
    const { daemon } = generations;
    daemon.configure({ ...config(), protocols: [{ name: 'Redis', target: 'nowhere at all' }], nonsense: {} });
    const { reason, stderr } = await generations.refused();
    expect(reason).toMatch(/status 2/);
    expect(stderr).toMatch(/anyport\.yaml:\d+:\d+.*nonsense/);
    await session(daemon.port);
  });

  test('a socket can not be opened: it says which', async () => {
    const generations = await start();
    const { daemon } = generations;
    const listeners = [
      { name: 'front', address: `127.0.0.1:${daemon.port}` },
      { name: 'other', address: upstream.target },
    ];
    daemon.configure({ ...config(), listeners });
    expect((await generations.refused()).reason).toMatch(/listener other can not listen.*in use/);
    await session(daemon.port);
  });

  test('nothing of it is left in the process that goes on', async () => {
    const generations = await start();
    const { daemon, pid } = generations;
    await session(daemon.port);
    generations.replace('exit 1');
    await generations.refused();
    const before = openFiles(pid);
    for (let each = 0; each < 5; each += 1) await generations.refused();
    await eventually('no more files', () => openFiles(pid) <= before);
  });
});

describe('signals while an upgrade is under way', () => {
  test('a second SIGUSR2 is said and ignored', async () => {
    const generations = await start();
    generations.replace(`sleep 1; ${runs()}`);
    generations.signal('SIGUSR2');
    await generations.line(/a new process is started/);
    generations.signal('SIGUSR2');
    expect((await generations.line(/no upgrade is begun/)).reason).toMatch(/under way/);
    await eventually('one more process', () => generations.pids.length === 2);
    await eventually('the old one to end', () => generations.living.length === 1);
  });

  test('SIGTERM ends both', async () => {
    const generations = await start();
    const client = await longSession(generations.daemon.port);
    generations.replace(`sleep 1; ${runs()}`);
    generations.signal('SIGUSR2');
    const { successor } = await generations.line(/a new process is started/);
    generations.signal('SIGTERM');
    await eventually('the new process to end', () => !isAlive(successor as number));
    await stillWorks(client);
    client.finish();
    expect(await generations.daemon.exit()).toBe(0);
  });
});
