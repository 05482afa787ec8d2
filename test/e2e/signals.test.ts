/** Signals in every phase of the daemon: start, run, drain and stop. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, existsSync, openSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Daemon, launchDaemon, type StartOptions, type startDaemon } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { freePort } from '../support/ports.js';
import { catches, listeningPorts } from '../support/proc.js';
import { accepts, collect } from '../support/process.js';
import { dial, echo, listenTcp, type Upstream } from '../support/tcp.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { describeAsRoot } from '../support/tools.js';
import { startGenerations } from '../support/upgrade.js';
import { eventually, within } from '../support/wait.js';

let upstream: Upstream;
let folder: TempFolder;
const started: Daemon[] = [];

/** A daemon left behind by a failed test would occupy the debugger's port. */
function keep(daemon: Daemon): Daemon {
  started.push(daemon);
  return daemon;
}

const launch: typeof launchDaemon = async (...args) => keep(await launchDaemon(...args));
const start: typeof startDaemon = async (...args) => (await launch(...args)).ready();

beforeEach(async () => {
  folder = tempFolder();
  upstream = await listenTcp(echo);
});

afterEach(async () => {
  for (const daemon of started.splice(0)) daemon.signal('SIGKILL');
  await upstream.close();
  folder.remove();
});

const handler = (name: string) => resolve(`test/e2e/handlers/${name}.mjs`);

async function answers(daemon: Daemon): Promise<void> {
  const client = await dial(daemon.port);
  client.send(redisPing);
  await client.bytes(redisPing.length);
  client.reset();
}

/** Repeats the signal until the process is ready. */
async function flood(daemon: Daemon, signal: NodeJS.Signals): Promise<void> {
  // Before the handlers are installed any signal would kill the process.
  await eventually(`a handler of ${signal}`, () => catches(daemon.pid, signal));
  while (daemon.child.exitCode === null && !daemon.lines.some(({ msg }) => msg === 'ready')) {
    daemon.signal(signal);
    await sleep(1);
  }
}

describe('SIGUSR1 opens no debugger', () => {
  const starts: { why: string; options: StartOptions }[] = [
    { why: 'as installed', options: { asInstalled: true } },
    { why: 'by its main module', options: {} },
  ];

  test.each(starts)('from the very start of the process: $why', async ({ options }) => {
    const daemon = await launch({ protocols: [{ name: 'Redis', target: upstream.target }] }, options);
    await flood(daemon, 'SIGUSR1');
    daemon.signal('SIGUSR1');
    await daemon.ready();
    const wanted = [daemon.port, daemon.metricsPort].sort((a, b) => a - b);
    await eventually('no port beside its own', () => `${listeningPorts(daemon.pid)}` === `${wanted}`);
    if (options.asInstalled) expect(daemon.stderr).not.toContain('Debugger listening');
    await answers(daemon);
    await daemon.stop();
  });

  test('while a worker hangs', async () => {
    const daemon = await start({
      protocols: [{ name: 'Hang', handler: handler('hang'), start_bytes: ['cc'] }],
    });
    const client = await dial(daemon.port);
    client.send(Buffer.from([0xcc]));
    daemon.signal('SIGUSR1');
    await eventually('the answer to the signal', () =>
      daemon.lines.some((line) => line.signal === 'SIGUSR1'),
    );
    expect(daemon.stderr).toBe('');
    expect(listeningPorts(daemon.pid)).toHaveLength(2);
    daemon.signal('SIGKILL');
    await daemon.stop();
  });
});

test('SIGUSR1 opens no debugger while a new process takes over, in none of the two', async () => {
  const generations = await startGenerations({ protocols: [{ name: 'Redis', target: upstream.target }] });
  const { daemon } = generations;
  const upgraded = generations.upgrade();
  const { successor } = await generations.line(/a new process is started/);
  const pid = successor as number;
  // From the moment at which Node has a handler of its own, which would open the debugger.
  await eventually('a handler of SIGUSR1', () => catches(pid, 'SIGUSR1'));
  let sent = 0;
  while (generations.pids.length < 2) {
    for (const each of [daemon.pid, pid]) generations.signal('SIGUSR1', each);
    sent += 2;
    await sleep(1);
  }
  expect(await upgraded).toBe(pid);
  expect(sent).toBeGreaterThan(20);
  const wanted = [daemon.port, daemon.metricsPort].sort((a, b) => a - b);
  await eventually('no port beside its own', () => `${listeningPorts(pid)}` === `${wanted}`);
  await answers(daemon);
  await generations.stop();
});

test('SIGUSR1 opens no debugger while configurations are read, over and over', async () => {
  const config = { protocols: [{ name: 'Redis', target: upstream.target }] };
  const daemon = await start(config);
  const ports = listeningPorts(daemon.pid);
  for (let turn = 0; turn < 5; turn += 1) {
    const reloaded = daemon.reload({ ...config, server: { idle_timeout: `${turn + 1}m` } });
    for (let sent = 0; sent < 50; sent += 1) {
      daemon.signal('SIGUSR1');
      await sleep(1);
    }
    expect((await reloaded).msg).toMatch(/^reloaded/);
    expect(listeningPorts(daemon.pid)).toEqual(ports);
  }
  await daemon.stop();
});

describe("Node's debugger that somebody asked for", () => {
  const inspecting = async () => ({ NODE_OPTIONS: `--inspect=127.0.0.1:${await freePort()}` });
  const config = () => ({ protocols: [{ name: 'Redis', target: upstream.target }] });

  test('is a warning', async () => {
    const daemon = await start(config(), { environment: await inspecting() });
    const [warned] = daemon.lines.filter(({ msg }) => msg.includes('debugger is open'));
    expect(warned).toMatchObject({ level: 'warn' });
    await daemon.stop();
  });

  describeAsRoot('by root', () =>
    test('is refused without --allow-root', async () => {
      const daemon = await launch(config(), { environment: await inspecting(), asRoot: 'refused' });
      expect(await daemon.exit()).toBe(2);
      expect(daemon.stderr).toMatch(/anyport: Node's debugger is open .*`--allow-root`/);
      daemon.folder.remove();
    }),
  );
});

test('SIGUSR1 opens no debugger in a command that reads on', async () => {
  const command = spawn(resolve('bin/anyport'), ['identify', '--jsonl'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const [said, complained] = [collect(command.stdout), collect(command.stderr)];
  const ask = (id: number) => command.stdin.write(`{"id":${id},"segments":["${btoa('SSH-2.0-x\\r\\n')}"]}\n`);
  ask(1);
  await eventually('the first answer', () => said().includes('"id":1'));
  command.kill('SIGUSR1');
  ask(2);
  await eventually('the second answer', () => said().includes('"id":2'));
  expect(listeningPorts(command.pid ?? -1)).toEqual([]);
  command.stdin.end();
  await once(command, 'close');
  expect({ status: command.exitCode, complained: complained() }).toEqual({ status: 0, complained: '' });
});

describe('told to stop while it starts, it stops at the first signal', () => {
  test('a handler whose import never settles', async () => {
    const path = `${folder.path}/front.sock`;
    const daemon = await launch({
      server: { listen: `unix:${path}` },
      protocols: [{ name: 'Never', handler: handler('never'), start_bytes: ['cc'] }],
    });
    await eventually('the socket', () => existsSync(path));
    daemon.signal('SIGTERM');
    expect(await daemon.exit()).toBe(0);
    const told = daemon.lines.map(({ msg }) => msg);
    expect(told).not.toContain('ready');
    expect(told.at(-1)).toBe('stopped');
    expect(existsSync(path)).toBe(false);
    await daemon.stop();
  });
});

test('a log that nobody reads does not keep the process', async () => {
  const metricsPort = await freePort();
  const port = await freePort();
  const file = `${folder.path}/anyport.json`;
  writeFileSync(
    file,
    JSON.stringify({
      server: { listen: `127.0.0.1:${port}`, workers: 1 },
      monitoring: { metrics_port: metricsPort, enable_health_check: false },
      protocols: [{ name: 'Redis', target: upstream.target }],
      logging: { access_log_rate: 100_000 },
    }),
  );
  // A FIFO with a blocking writer: Node's own child pipes return EAGAIN instead.
  const pipe = `${folder.path}/log`;
  execFileSync('mkfifo', [pipe]);
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(pipe, constants.O_WRONLY);
  const child = spawn(resolve('bin/anyport'), ['run', '-c', file], { stdio: ['ignore', writer, 'inherit'] });
  closeSync(writer);
  await eventually('the daemon', () => accepts(port));
  // The FIFO takes 64 KiB; further lines block in a libuv thread.
  for (let round = 0; round < 20; round++) {
    const clients = await Promise.all(Array.from({ length: 20 }, () => dial(port)));
    for (const client of clients) client.send(redisPing).finish();
    await Promise.all(clients.map((client) => client.end()));
  }
  child.kill('SIGTERM');
  await within('the daemon to end', once(child, 'exit'));
  expect({ code: child.exitCode, signal: child.signalCode }).toEqual({ code: 0, signal: null });
  closeSync(reader);
});

describe('no signal has its default action', () => {
  test('after the second SIGTERM: the exit status is its own, the socket file is gone', async () => {
    const path = `${folder.path}/front.sock`;
    const daemon = await start({
      server: { listen: `unix:${path}`, workers: 2, graceful_shutdown_timeout: '60s' },
      protocols: [{ name: 'Redis', target: upstream.target }],
    });
    for (let round = 0; round < 200 && daemon.child.exitCode === null; round++) {
      for (const signal of ['SIGTERM', 'SIGHUP', 'SIGUSR2', 'SIGUSR1', 'SIGINT'] as const)
        daemon.signal(signal);
      await sleep(1);
    }
    await daemon.exit();
    expect({ code: daemon.child.exitCode, signal: daemon.child.signalCode }).toEqual({
      code: 0,
      signal: null,
    });
    expect(existsSync(path)).toBe(false);
    await daemon.stop();
  });

  test('a flood of signals that ask for what can not be done is not a flood of lines', async () => {
    const daemon = await start({ protocols: [{ name: 'Redis', target: upstream.target }] });
    const SENT = 3000;
    const startMs = performance.now();
    for (let sent = 0; sent < SENT; sent++) {
      daemon.signal('SIGUSR1');
      if (sent % 10 === 0) await sleep(1);
    }
    await answers(daemon);
    const told = daemon.lines.filter(({ signal }) => signal !== undefined);
    // One line per second, however long sending takes.
    const seconds = Math.ceil((performance.now() - startMs) / 1000);
    expect(new Set(told.map(({ signal }) => signal))).toEqual(new Set(['SIGUSR1']));
    expect(told.length).toBeLessThanOrEqual(seconds + 1);
    await daemon.stop();
  });
});
