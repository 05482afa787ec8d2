/** `logging.file`: lines go to a file, which may be renamed, removed, full or not writable at any time. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { anyport, type Daemon, type LogLine, launchDaemon, type TestConfig } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { listeningPorts, openFiles, residentBytes } from '../support/proc.js';
import { accepts, runProgram } from '../support/process.js';
import { dial } from '../support/tcp.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { describeAsRoot } from '../support/tools.js';
import { eventually } from '../support/wait.js';

const redis = [{ name: 'Redis', handler: 'builtin:redis' }];

let folder: TempFolder;
let file: string;
const started: Daemon[] = [];

beforeEach(() => {
  folder = tempFolder();
  chmodSync(folder.path, 0o755);
  file = `${folder.path}/anyport.log`;
});

afterEach(async () => {
  for (const daemon of started.splice(0)) await daemon.stop();
  folder.remove();
});

function linesOf(path: string): LogLine[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  expect(lines.pop()).toBe(''); // the last line is whole
  return lines.map((line) => JSON.parse(line));
}

const sessionsIn = (path: string) => linesOf(path).filter(({ msg }) => msg === 'session');

const saidIn = (path: string, msg: RegExp) =>
  eventually(`${msg} in ${path}`, () => linesOf(path).find((line) => msg.test(line.msg)));

async function start(config: TestConfig = {}): Promise<Daemon> {
  const daemon = await launchDaemon({
    protocols: redis,
    logging: { file, access_log_rate: 100_000 },
    ...config,
  });
  started.push(daemon);
  await eventually(`a daemon; ${daemon.stderr}`, () => {
    if (daemon.child.exitCode !== null) throw new Error(daemon.stderr);
    return accepts(daemon.port);
  });
  chmodSync(daemon.folder.path, 0o755);
  return daemon;
}

async function serve(daemon: Daemon, count: number): Promise<void> {
  for (let each = 0; each < count; each += 1) {
    const client = await dial(daemon.port);
    client.send(redisPing).finish();
    await client.end();
  }
}

test('every line is there, and none on standard output', async () => {
  const daemon = await start();
  await serve(daemon, 5);
  daemon.signal('SIGTERM');
  await daemon.exit();
  expect(linesOf(file).filter(({ msg }) => msg === 'ready')).toHaveLength(1);
  expect(linesOf(file).at(-1)?.msg).toBe('stopped');
  expect(sessionsIn(file).filter(({ protocol }) => protocol === 'redis')).toHaveLength(5);
  expect(daemon.lines).toEqual([]);
  expect(daemon.stderr).toBe('');
  expect(statSync(file).mode & 0o777).toBe(0o640);
  // A second start goes on behind them.
  const before = linesOf(file).length;
  await start();
  await eventually('more lines', () => linesOf(file).length > before);
});

test('renamed under load and reopened, again and again: no line is lost or cut', async () => {
  const daemon = await start();
  await eventually('the line of the probe', () => sessionsIn(file).length === 1);
  const TURNS = 8;
  const EACH = 25;
  for (let turn = 0; turn < TURNS; turn += 1) {
    const load = serve(daemon, EACH);
    await sleep(5);
    renameSync(file, `${file}.${turn}`);
    daemon.signal('SIGUSR1');
    await load;
    await eventually('the new file', () => existsSync(file));
  }
  const files = [file, ...Array.from({ length: TURNS }, (_, turn) => `${file}.${turn}`)];
  await eventually('all lines', () => files.flatMap(sessionsIn).length === TURNS * EACH + 1);
  expect(await daemon.metric('anyport_log_lines_dropped_total')).toBe(0);
});

test('a thousand SIGUSR1 open no debugger, leave no file open and are one line a second', async () => {
  const daemon = await start();
  await serve(daemon, 1);
  const [files, ports] = [openFiles(daemon.pid), listeningPorts(daemon.pid)];
  for (let sent = 0; sent < 1000; sent += 1) {
    daemon.signal('SIGUSR1');
    if (sent % 10 === 0) await sleep(1);
  }
  await saidIn(file, /opened anew/);
  await serve(daemon, 1);
  expect(listeningPorts(daemon.pid)).toEqual(ports);
  await eventually('no more files', () => openFiles(daemon.pid) <= files);
  expect(daemon.stderr).toBe('');
});

test('what can not be reopened is said, on standard error too, and the old file goes on', async () => {
  const daemon = await start();
  const moved = `${folder.path}/moved`;
  renameSync(file, moved);
  mkdirSync(file);
  daemon.signal('SIGUSR1');
  const line = await saidIn(moved, /can not be opened anew/);
  expect(line).toMatchObject({ level: 'warn', file, reason: `logging.file: ${file}: is a folder (EISDIR)` });
  await eventually('the word', () => daemon.stderr.includes('is a folder (EISDIR)'));
  await serve(daemon, 1);
  await eventually('its line', () => sessionsIn(moved).some(({ protocol }) => protocol === 'redis'));
});

describe('a start that fails', () => {
  test.each([
    {
      why: 'no such folder',
      path: (at: string) => `${at}/none/a.log`,
      says: /anyport\.yaml:\d+:\d+: logging\.file: .*no such folder \(ENOENT\)/,
    },
    {
      why: 'a folder',
      path: (at: string) => at,
      says: /anyport\.yaml:\d+:\d+: logging\.file: .*is a folder \(EISDIR\)/,
    },
    {
      why: 'a pipe that nobody reads',
      path: fifo,
      says: /is a pipe that nobody reads \(ENXIO\)/,
    },
  ])('because of the file: $why', async ({ path, says }) => {
    const daemon = await launchDaemon({ protocols: redis, logging: { file: path(folder.path) } });
    expect(await daemon.exit()).toBe(1);
    expect(daemon.stderr).toMatch(says);
    daemon.folder.remove();
  });

  test('for another reason says so on standard error, too', async () => {
    const daemon = await start();
    const second = await launchDaemon({
      protocols: redis,
      server: { listen: `127.0.0.1:${daemon.port}` },
      logging: { file: `${file}.2` },
    });
    expect(await second.exit()).toBe(1);
    expect(second.stderr).toMatch(/^anyport: listener .* in use .*pid/);
    expect(linesOf(`${file}.2`).at(-1)).toMatchObject({ level: 'fatal' });
    second.folder.remove();
  });
});

function fifo(at: string): string {
  execFileSync('mkfifo', [`${at}/pipe`]);
  return `${at}/pipe`;
}

test('a reload takes it to another file and back to standard output; one that can not be opened is refused', async () => {
  const daemon = await start();
  const other = `${folder.path}/other.log`;
  const reload = (logging: object) => {
    daemon.configure({ protocols: redis, logging });
    daemon.signal('SIGHUP');
  };
  reload({ file: other });
  await saidIn(other, /^reloaded/);
  reload({ file: `${folder.path}/none/a.log` });
  expect(await saidIn(other, /^reload refused/)).toBeDefined();
  reload({});
  await eventually('standard output', () => daemon.lines.some(({ msg }) => /^reloaded/.test(msg)));
  const [files] = [openFiles(daemon.pid)];
  for (let turn = 0; turn < 5; turn += 1) {
    const count = daemon.lines.length;
    reload({ file: `${file}.${turn}` });
    await saidIn(`${file}.${turn}`, /^reloaded/);
    reload({});
    await eventually('standard output', () => daemon.lines.length > count);
  }
  await eventually('no more files', () => openFiles(daemon.pid) <= files);
});

test('a name where no log can be made any more refuses no reload: the open one goes on', async () => {
  const own = `${folder.path}/own`;
  mkdirSync(own);
  file = `${own}/anyport.log`;
  const daemon = await start();
  const moved = `${folder.path}/moved`;
  renameSync(own, moved);
  const security = { ip_blacklist: ['192.0.2.1'] };
  daemon.configure({ protocols: redis, logging: { file, access_log_rate: 100_000 }, security });
  const checked = await anyport(['check', daemon.file]);
  expect(checked).toMatchObject({ status: 0 });
  const warning = `logging.file: ${file}: there is no such folder (ENOENT)`;
  expect(checked.stdout).toContain(`warning: ${warning}`);
  daemon.signal('SIGHUP');
  await saidIn(`${moved}/anyport.log`, /^reloaded/);
  const warned = () =>
    linesOf(`${moved}/anyport.log`).filter(({ level, msg }) => level === 'warn' && msg.includes(warning));
  await eventually('the warning', () => warned().length === 1);
});

describeAsRoot('a full disk', () => {
  let disk: string;
  beforeEach(() => {
    disk = `${folder.path}/disk`;
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', disk]);
  });
  afterEach(() => execFileSync('umount', ['-l', disk]));

  test('costs lines, which are counted and said once, and sessions nothing', async () => {
    file = `${disk}/anyport.log`;
    const filler = `${disk}/filler`;
    const daemon = await start();
    await serve(daemon, 20);
    writeFileSync(filler, '');
    execFileSync('sh', ['-c', `dd if=/dev/zero of=${filler} bs=4k 2>/dev/null; true`]);
    const resident = residentBytes(daemon.pid);
    await eventually('lines to be lost', async () => {
      await serve(daemon, 50);
      return (await daemon.metric('anyport_log_lines_dropped_total')) > 200;
    });
    const told = () => daemon.stderr.split('\n').filter((line) => line.includes('lines are lost'));
    await eventually('the word', () => told().length > 0);
    expect(told()).toEqual([expect.stringMatching(/^anyport: logging\.file: .*anyport\.log: ENOSPC/)]);
    expect(residentBytes(daemon.pid) - resident).toBeLessThan(32 * 1024 ** 2);
    // Room again, in another file: nothing of the cut line is in it.
    rmSync(filler);
    renameSync(file, `${file}.1`);
    daemon.signal('SIGUSR1');
    await eventually('the new file', () => existsSync(file));
    await serve(daemon, 3);
    await eventually('its lines', () => sessionsIn(file).length >= 3);
    expect(told()).toHaveLength(1);
  });
});

describeAsRoot('with server.user', () => {
  const UID = 43_210;
  const server = { user: UID, group: UID };

  test("the file is that user's from the start, and reopened by it", async () => {
    const own = `${folder.path}/own`;
    mkdirSync(own);
    chownSync(own, UID, UID);
    file = `${own}/anyport.log`;
    const daemon = await start({ server });
    expect(statSync(file)).toMatchObject({ uid: UID, gid: UID });
    renameSync(file, `${file}.1`);
    daemon.signal('SIGUSR1');
    await saidIn(file, /opened anew/);
    expect(statSync(file)).toMatchObject({ uid: UID, gid: UID });
  });

  test('whoever checks the file is not asked for the rights of that user, but for what is there', async () => {
    const own = `${folder.path}/own`;
    mkdirSync(own, { mode: 0o700 });
    chownSync(own, UID, UID);
    const other = ['--reuid=65534', '--regid=65534', '--clear-groups'];
    const check = async (place: string) => {
      const path = `${folder.path}/anyport.yaml`;
      writeFileSync(path, JSON.stringify({ server, protocols: redis, logging: { file: place } }));
      const program = [process.execPath, resolve('dist/cli/main.js'), 'check', path];
      const { status, stdout, stderr } = await runProgram('setpriv', [...other, ...program]);
      expect(`${status} ${stderr}`).toBe('0 ');
      return stdout;
    };
    expect(await check(`${own}/anyport.log`)).not.toContain('warning');
    expect(await check(`${folder.path}/none/a.log`)).toContain('there is no such folder (ENOENT)');
  });

  test('a place where it may not write is refused at the start, though root might', async () => {
    const daemon = await launchDaemon({ protocols: redis, server, logging: { file } });
    expect(await daemon.exit()).toBe(1);
    expect(daemon.stderr).toContain(`logging.file: ${file}: this user may not write there (EACCES)`);
    expect(existsSync(file)).toBe(false);
    daemon.folder.remove();
  });
});
