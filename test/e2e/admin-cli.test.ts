/** The commands that speak to a running daemon: how they find it, what they print, and how they fail. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startControlled } from '../support/control.js';
import type { Daemon } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { freePort } from '../support/ports.js';
import { type Finished, runProgram } from '../support/process.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { type TempFolder, tempFolder } from '../support/temp.js';

const program = resolve('dist/cli/main.js');
const TOKEN = 'a-token-that-is-long-enough';

let daemon: Daemon;
let port: number;
let upstream: Upstream;
let elsewhere: TempFolder;

beforeAll(async () => {
  elsewhere = tempFolder();
  upstream = await listenTcp(echo);
  port = await freePort();
  ({ daemon } = await startControlled({
    server: { graceful_shutdown_timeout: '60s' },
    admin: { listen: `127.0.0.1:${port}`, token: TOKEN },
    protocols: [{ name: 'Redis', target: 'cache' }],
    upstreams: { cache: { endpoints: [upstream.target, '127.0.0.1:9'] } },
  }));
});

afterAll(async () => {
  await daemon.stop();
  await upstream.close();
  elsewhere.remove();
});

interface Where {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

/** From a folder without a configuration, unless told otherwise. */
const run = (args: readonly string[], { cwd = elsewhere.path, env = {} }: Where = {}): Promise<Finished> =>
  runProgram(process.execPath, [program, ...args], { cwd, env: { ...process.env, ...env } });

const here = () => ['--admin', `127.0.0.1:${port}`, '--token', TOKEN];
const ask = (...args: string[]) => run([...args, ...here()]);

async function session(): Promise<Peer> {
  const client = (await dial(daemon.port)).send(redisPing);
  await client.bytes(redisPing.length);
  return client;
}

describe('a daemon is found', () => {
  const found = expect.objectContaining({
    status: 0,
    stdout: expect.stringMatching(/^status +ready$/m),
    stderr: '',
  });

  test('by --admin and --token', async () => expect(await ask('status')).toEqual(found));

  test('by the environment', async () => {
    const env = { ANYPORT_ADMIN: `127.0.0.1:${port}`, ANYPORT_ADMIN_TOKEN: TOKEN };
    expect(await run(['status'], { env })).toEqual(found);
  });

  test('by the section of a file, with its token', async () => {
    const file = `${daemon.folder.path}/anyport.yaml`;
    expect(await run(['status', '-c', file])).toEqual(found);
  });

  test('by ./anyport.yaml, also when the rest of it is wrong', async () => {
    const folder = tempFolder();
    const admin = JSON.stringify({ listen: `127.0.0.1:${port}`, token: TOKEN });
    writeFileSync(
      `${folder.path}/anyport.yaml`,
      `servr: {}\nserver: { workers: "\${NOT_SET}" }\nadmin: ${admin}\n`,
    );
    expect(await run(['status'], { cwd: folder.path })).toEqual(found);
    folder.remove();
  });

  test('flags win over the environment, and that over a file', async () => {
    const cwd = daemon.folder.path;
    const nobody = { ANYPORT_ADMIN: '127.0.0.1:1' };
    const lost = await run(['status'], { cwd, env: nobody });
    expect(lost).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/127\.0\.0\.1:1 \(ANYPORT_ADMIN\): nobody/),
    });
    expect(await run(['status', ...here()], { cwd, env: nobody })).toEqual(found);
  });
});

describe('what goes wrong is one line, with a status', () => {
  const cases: { why: string; args: string[]; status: number; says: RegExp; env?: Record<string, string> }[] =
    [
      {
        why: 'nobody is there',
        args: ['status', '--admin', '127.0.0.1:1'],
        status: 1,
        says: /nobody answers: is the daemon running/,
      },
      {
        why: 'no socket',
        args: ['reload', '--admin', 'unix:/no/such.sock'],
        status: 1,
        says: /there is no such socket/,
      },
      {
        why: 'no address',
        args: ['status', '--admin', 'here'],
        status: 2,
        says: /--admin: expected an address .* got `here`/,
      },
      {
        why: 'no port',
        args: ['status', '--admin', '127.0.0.1'],
        status: 2,
        says: /the port is missing: write `127\.0\.0\.1:PORT`/,
      },
      {
        why: 'a name that nobody has',
        args: ['status', '--admin', 'gateway.invalid:9093'],
        status: 1,
        says: /gateway\.invalid:9093 \(--admin\): the name does not resolve/,
      },
      {
        why: 'a range',
        args: ['status', '--admin', ':1-9'],
        status: 2,
        says: /--admin: expected an address/,
      },
      {
        why: 'the demonstration is not running',
        args: ['drain'],
        status: 1,
        says: /127\.0\.0\.1:9093 \(default\): nobody answers.* If it is elsewhere: --admin ADDRESS, or -c FILE/,
      },
      { why: 'no such file', args: ['status', '-c', 'none.yaml'], status: 2, says: /no such file/ },
      {
        why: 'nothing to set',
        args: ['upstream', 'set', 'cache', 'x'],
        status: 2,
        says: /give --weight or --state/,
      },
      {
        why: 'no state',
        args: ['upstream', 'set', 'cache', 'x', '--state', 'off'],
        status: 2,
        says: /up, drain, down/,
      },
      {
        why: 'no weight',
        args: ['upstream', 'set', 'cache', 'x', '--weight', 'much'],
        status: 2,
        says: /whole number from 0 to 256, or `configured`/,
      },
      {
        why: 'too much weight',
        args: ['upstream', 'set', 'cache', 'x', '--weight', '257'],
        status: 2,
        says: /from 0 to 256.*\n\(anyport upstream set --help lists what there is\)/,
      },
      { why: 'too many', args: ['sessions', '--limit', '5000'], status: 2, says: /from 1 to 1000/ },
    ];

  test.each(cases)('$why', async ({ args, status, says, env }) => {
    const finished = await run(args, env === undefined ? {} : { env });
    expect(finished).toMatchObject({ status, stdout: '', stderr: expect.stringMatching(says) });
  });

  test('a token is wanted, or another one', async () => {
    const site = ['--admin', `127.0.0.1:${port}`];
    const none = await run(['status', ...site]);
    expect(none).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/wants a token: use --token-file or ANYPORT_ADMIN_TOKEN/),
    });
    const wrong = await run(['status', ...site, '--token', 'not-this']);
    expect(wrong).toMatchObject({ status: 2, stderr: expect.stringMatching(/does not take this token/) });
  });

  test('something else listens there', async () => {
    const finished = await run(['status', '--admin', `127.0.0.1:${daemon.metricsPort}`]);
    expect(finished).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/is no control interface: it answered 404/),
    });
    const shell = await listenTcp((peer) => peer.send('SSH-2.0-OpenSSH_9.2p1\r\n'));
    const spoken = await run(['status', '--admin', shell.target]);
    await shell.close();
    expect(spoken).toMatchObject({ status: 1, stderr: expect.stringMatching(/it does not speak HTTP/) });
    const silent = await run(['status', '--admin', upstream.target]);
    expect(silent.status).toBe(1);
    expect(silent.stderr.trim().split('\n')).toHaveLength(1);
  });

  test('a file without the section', async () => {
    const folder = tempFolder();
    writeFileSync(`${folder.path}/anyport.yaml`, 'protocols: []\n');
    const finished = await run(['status'], { cwd: folder.path });
    expect(finished).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/has no section `admin`: add `admin: \{\}`/),
    });
    folder.remove();
  });
});

describe('status', () => {
  test('is a few lines for people, and everything for programs', async () => {
    const client = await session();
    const { stdout } = await ask('status');
    expect(stdout).toMatch(new RegExp(`^anyport +\\S+, pid ${daemon.pid}, up `));
    expect(stdout).toMatch(new RegExp(`^listeners +127\\.0\\.0\\.1:${daemon.port}$`, 'm'));
    expect(stdout).toMatch(/^redis +1 /m);
    const { stdout: json } = await ask('status', '--json');
    expect(JSON.parse(json)).toMatchObject({ pid: daemon.pid, activeConnections: 1 });
    client.finish();
    await client.end();
  });
});

describe('sessions', () => {
  test('are listed, filtered and ended', async () => {
    const client = await session();
    const { stdout } = await ask('sessions', '--protocol', 'redis', '--source', '127.0.0.0/8');
    const row = stdout.split('\n').find((line) => line.includes(client.address));
    expect(row).toMatch(/ redis +relay .* cache /);
    expect(stdout).toMatch(/^1 session$/m);
    expect((await ask('sessions', '--upstream', 'none')).stdout).toBe('0 sessions\n');
    const id = row?.split(' ')[0] ?? '';
    expect(await ask('sessions', 'end', id)).toMatchObject({
      status: 0,
      stdout: `session ${id} has ended\n`,
    });
    await client.end();
    const gone = await ask('sessions', 'end', id);
    expect(gone).toMatchObject({ status: 1, stderr: expect.stringMatching(/may have ended/) });
  });
});

describe('upstream', () => {
  test('lists endpoints, sets one, and sets it back', async () => {
    const { stdout } = await ask('upstream');
    expect(stdout).toMatch(new RegExp(`^cache +${upstream.target} +up +1 +0 +- +-$`, 'm'));
    const set = await ask('upstream', 'set', 'cache', '127.0.0.1:9', '--state', 'drain', '--weight', '7');
    expect(set.stdout).toMatch(/^cache +127\.0\.0\.1:9 +drain +7 \(configured 1\)/m);
    expect((await ask('upstream', 'list', 'cache')).stdout).toMatch(/ drain /);
    const back = await ask(
      'upstream',
      'set',
      'cache',
      '127.0.0.1:9',
      '--state',
      'up',
      '--weight',
      'configured',
    );
    expect(back.stdout).toMatch(/^cache +127\.0\.0\.1:9 +up +1 +0/m);
    const none = await ask('upstream', 'set', 'cache', '127.0.0.1:8', '--state', 'up');
    expect(none).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/it has 127\.0\.0\.1:\d+, 127\.0\.0\.1:9$/m),
    });
  });
});

describe('reload', () => {
  const file = () => `${daemon.folder.path}/anyport.yaml`;

  test('says what has changed, or that nothing has', async () => {
    const before = readFileSync(file(), 'utf8');
    const config = JSON.parse(before);
    config.protocols.push({ name: 'SSH', target: 'cache' });
    writeFileSync(file(), JSON.stringify(config));
    const { status, stdout } = await ask('reload');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\+ +protocol +SSH +→ cache$/m);
    expect(stdout).toMatch(/^in force as generation \d+, after /m);
    expect((await ask('reload')).stdout).toMatch(/^nothing has changed/);
    writeFileSync(file(), before);
    expect((await ask('reload')).stdout).toMatch(/^- +protocol +SSH/m);
  });

  test('prints every problem of a file that is refused, with its place, and exits with 2', async () => {
    const before = readFileSync(file(), 'utf8');
    writeFileSync(file(), 'server: { wokers: 1 }\nprotocols: [{ name: Nope }]\n');
    const { status, stdout, stderr } = await ask('reload');
    writeFileSync(file(), before);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr.split('\n').slice(0, 3)).toEqual([
      expect.stringMatching(/anyport\.yaml:1:11: server\.wokers: unknown key/),
      expect.stringMatching(/anyport\.yaml:2:15: protocols\[0\]\.name: unknown protocol `Nope`/),
      'anyport: refused: 2 problems, nothing has changed',
    ]);
  });
});

test('drain: the daemon finishes its sessions and ends', async () => {
  const client = await session();
  const { status, stdout } = await ask('drain');
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: 'draining: 1 session open; what is left is cut after 1 m\n',
  });
  client.finish();
  expect(await daemon.exit()).toBe(0);
});
