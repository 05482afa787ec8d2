/** The units in packaging/: what systemd says of them, what they let the daemon do, and sockets that systemd opens. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Daemon, launchDaemon, type TestConfig } from '../support/daemon.js';
import { datagramClient, echoDatagrams, listenUdp } from '../support/datagrams.js';
import { redisPing } from '../support/flights.js';
import { freePort } from '../support/ports.js';
import { runProgram } from '../support/process.js';
import { dial, echo, listenTcp, Peer } from '../support/tcp.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { describeWith } from '../support/tools.js';
import { startGenerations } from '../support/upgrade.js';
import { eventually } from '../support/wait.js';

const units = ['anyport.service', 'anyport.socket'];
const textOf = (unit: string) => readFileSync(`packaging/systemd/${unit}`, 'utf8');
const service = textOf('anyport.service');

const redis = [{ name: 'Redis', handler: 'builtin:redis' }];

let folder: TempFolder;
const daemons: Daemon[] = [];

beforeEach(() => {
  folder = tempFolder();
});

afterEach(async () => {
  for (const daemon of daemons.splice(0)) await daemon.stop();
  folder.remove();
});

test.each(units)('the guide shows %s as it is', (unit) =>
  expect(readFileSync('docs/operations.md', 'utf8')).toContain(`\`\`\`ini\n${textOf(unit)}\`\`\``),
);

test('the package has the units', () =>
  expect(JSON.parse(readFileSync('package.json', 'utf8')).files).toContain('packaging'));

test('memory that is written and then run is allowed, or V8 could not compile', () =>
  expect(service).not.toMatch(/^MemoryDenyWriteExecute/m));

describeWith('systemd-analyze')('systemd', () => {
  test('finds nothing wrong with the units', async () => {
    for (const unit of units) {
      const text = textOf(unit).replaceAll('/usr/bin/anyport', resolve('bin/anyport'));
      writeFileSync(`${folder.path}/${unit}`, text);
    }
    const files = units.map((unit) => `${folder.path}/${unit}`);
    expect(await runProgram('systemd-analyze', ['verify', '--man=no', ...files])).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    });
  });

  test('finds the service as closed as the guide says', async () => {
    const args = ['security', '--offline=true', '--no-pager', 'packaging/systemd/anyport.service'];
    const { stdout } = await runProgram('systemd-analyze', args);
    const [, found] = /Overall exposure level for anyport\.service: ([\d.]+)/.exec(stdout) ?? [];
    const [, told] = /exposure level of ([\d.]+)/.exec(readFileSync('docs/operations.md', 'utf8')) ?? [];
    // Other releases of systemd weigh differently.
    expect(Number(found)).toBeLessThan(Number(told) + 0.5);
  });
});

/** System calls that the unit allows, of the release of systemd that is here. */
function allowedCalls(): Set<string> {
  const allowed = new Set<string>();
  for (const [, no, words = ''] of service.matchAll(/^SystemCallFilter=(~?)(.*)$/gm)) {
    for (const name of words.split(/\s+/).flatMap(membersOf)) {
      if (no) allowed.delete(name);
      else allowed.add(name);
    }
  }
  return allowed;
}

function membersOf(name: string): string[] {
  if (!name.startsWith('@')) return [name];
  return execFileSync('systemd-analyze', ['syscall-filter', name], { encoding: 'utf8' })
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap(membersOf);
}

/** From a summary of strace -c: the last column. */
const calledIn = (summary: string): string[] =>
  readFileSync(summary, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/).at(-1) ?? '')
    .filter((name) => /^[a-z]\w*$/.test(name) && !['syscall', 'total'].includes(name));

async function answers(socket: { port: number; host?: string } | { path: string }): Promise<void> {
  const client = new Peer(connect({ ...socket, allowHalfOpen: true }));
  client.send(redisPing).finish();
  expect(await client.end()).toBe('fin');
  expect(`${client.received}`).toBe('+PONG\r\n');
}

describeWith('strace', 'systemd-analyze')('the filter of system calls', () => {
  test('lets the daemon do what it does: serve, reload, reopen, check, replace workers, upgrade, drain', async () => {
    const summary = `${folder.path}/calls`;
    const log = `${folder.path}/anyport.log`;
    const check = `${folder.path}/check`;
    writeFileSync(check, '#!/bin/sh\nexit 0\n');
    chmodSync(check, 0o755);
    const upstream = await listenTcp(echo);
    const config: TestConfig = {
      server: { workers: 2, reload_on_change: true },
      admin: { listen: `unix:${folder.path}/admin.sock` },
      upstreams: {
        web: {
          endpoints: [upstream.target, 'localhost:1'],
          health_check: { type: 'exec', command: check, interval: '1s' },
          pool: { warm: 1 },
        },
      },
      protocols: [
        ...redis,
        { name: 'Mine', target: 'web', start_bytes: ['6d'] },
        { name: 'Exits', handler: resolve('test/e2e/handlers/exit.mjs'), start_bytes: ['ee'] },
      ],
    };
    const wrapper = ['strace', '-D', '-f', '-qq', '-c', '-U', 'name', '-o', summary];
    const generations = await startGenerations(config, {}, wrapper);
    const { daemon } = generations;
    await answers({ port: daemon.port });
    const client = await dial(daemon.port);
    client.send('mine');
    await client.bytes(4);
    const dying = await dial(daemon.port);
    dying.send(Buffer.from([0xee]));
    await dying.end();
    await daemon.metricBecomes('anyport_worker_restarts_total', 1);
    daemon.configure({ ...config, server: { workers: 3, accept: 'handoff' } });
    generations.signal('SIGHUP');
    await generations.line(/^reloaded/);
    await answers({ port: daemon.port });
    generations.signal('SIGUSR1');
    await generations.upgrade();
    await answers({ port: daemon.port });
    client.reset();
    await upstream.close();
    const files = { ...config, logging: { file: log } };
    daemon.configure(files);
    generations.signal('SIGHUP');
    await eventually('the log file', () => existsSync(log) && readFileSync(log, 'utf8').includes('reloaded'));
    renameSync(log, `${log}.1`);
    generations.signal('SIGUSR1');
    await eventually('the new file', () => existsSync(log));
    await generations.stop();
    await eventually(
      'the summary',
      () => existsSync(summary) && readFileSync(summary, 'utf8').includes('total'),
    );
    const allowed = allowedCalls();
    expect(allowed.size).toBeGreaterThan(200);
    const called = calledIn(summary);
    expect(called).toEqual(expect.arrayContaining(['epoll_ctl', 'accept4', 'execve', 'setpriority']));
    expect(called.filter((name) => !allowed.has(name))).toEqual([]);
  });
});

describeWith('systemd-socket-activate')('sockets that systemd opens', () => {
  const activated = (names: string, ...args: readonly string[]) => [
    'systemd-socket-activate',
    ...args,
    `--fdname=${names}`,
  ];

  /** systemd starts the daemon when somebody comes. */
  async function start(config: TestConfig, wrapper: readonly string[], first: Parameters<typeof answers>[0]) {
    const daemon = await launchDaemon({ protocols: redis, ...config }, { wrapper });
    daemons.push(daemon);
    await eventually('systemd to listen', () => /Listening on/.test(daemon.stderr));
    await answers(first);
    return daemon;
  }

  const addressesOf = ({ lines }: Daemon) => {
    const listeners = lines.find(({ msg }) => msg === 'ready')?.listeners ?? [];
    return (listeners as { name: string; address: string }[]).map(
      ({ name, address }) => `${name} ${address}`,
    );
  };

  test('go to listeners by their names, TCP and Unix', async () => {
    const port = await freePort();
    const path = `${folder.path}/back.sock`;
    const listeners = [
      { name: 'back', address: `unix:${folder.path}/not-this.sock` },
      { name: 'front', address: '127.0.0.1:1' },
    ];
    const wrapper = activated('front:back', '-l', `127.0.0.1:${port}`, '-l', path);
    const daemon = await start({ listeners }, wrapper, { port });
    await answers({ path });
    expect(addressesOf(daemon).toSorted((a, b) => a.localeCompare(b))).toEqual([
      `back unix:${path}`,
      `front 127.0.0.1:${port}`,
    ]);
    expect(existsSync(`${folder.path}/not-this.sock`)).toBe(false);
  });

  test('go to the listener with their address where they have no name of one', async () => {
    const port = await freePort();
    const server = { listen: `127.0.0.1:${port}` };
    const daemon = await start({ server }, activated('anyport.socket', '-l', `127.0.0.1:${port}`), { port });
    expect(addressesOf(daemon)).toEqual([`127.0.0.1:${port} 127.0.0.1:${port}`]);
  });

  test('of datagrams go to a listener of datagrams, with the datagram that started it', async () => {
    const port = await freePort();
    const endpoint = await listenUdp(echoDatagrams);
    const daemon = await launchDaemon(
      {
        listeners: [{ name: 'any', address: `127.0.0.1:${port}`, transport: 'udp', on_unknown: 'to' }],
        upstreams: { to: { endpoints: [endpoint.target] } },
      },
      { wrapper: activated('dgrams', '-d', '-l', `127.0.0.1:${port}`) },
    );
    daemons.push(daemon);
    await eventually('systemd to listen', () => /Listening on/.test(daemon.stderr));
    const client = await datagramClient(port);
    expect((await client.ask('hello')).bytes.toString()).toBe('hello');
    expect(addressesOf(daemon)).toEqual([`any 127.0.0.1:${port}`]);
    await client.close();
    await endpoint.close();
  });

  test('of datagrams on a path are refused, by number and name', async () => {
    const path = `${folder.path}/datagrams.sock`;
    const wrapper = activated('dgrams', '-d', '-l', path);
    const daemon = await launchDaemon({ protocols: redis }, { wrapper });
    daemons.push(daemon);
    await eventually('systemd to listen', () => /Listening on/.test(daemon.stderr));
    execFileSync('python3', [
      '-c',
      `import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', '${path}')`,
    ]);
    expect(await daemon.exit()).toBe(1);
    expect(daemon.lines.at(-1)).toMatchObject({
      level: 'fatal',
      msg: 'descriptor 3 of the service manager (`dgrams`) can not be served: it takes neither streams nor UDP: write ListenStream=, or ListenDatagram= with a port',
    });
  });
});
