/** Start and end of the daemon: bad configurations, ports in use, unix sockets, signals. */
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { anyport, startDaemon } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { accepts, runProgram } from '../support/process.js';
import { dial, echo, listenTcp, Peer, type Upstream } from '../support/tcp.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { describeWith } from '../support/tools.js';
import { eventually } from '../support/wait.js';

let folder: TempFolder;
let upstream: Upstream;

beforeEach(async () => {
  folder = tempFolder();
  upstream = await listenTcp(echo);
});

afterEach(async () => {
  await upstream.close();
  folder.remove();
});

describe('bad input starts nothing', () => {
  test('a bad configuration: exit 2, every problem with its place', async () => {
    const file = `${folder.path}/bad.yaml`;
    const lines = [
      'server:',
      `  listen: "${upstream.target}"`,
      '  max_conections: 5',
      '  idle_timeout: soon',
      'protocols:',
      '  - { name: HTTP, target: "web" , priority: -1 }',
      'monitorin: {}',
    ];
    writeFileSync(file, lines.join('\n'));
    const { status, stdout, stderr } = await anyport(['run', '-c', file]);
    expect(status).toBe(2);
    expect(stdout).not.toContain('ready');
    const places = [
      /bad\.yaml:3:\d+.*max_connections/,
      /bad\.yaml:4:\d+.*idle_timeout/,
      /bad\.yaml:6:\d+.*priority/,
    ].concat(/bad\.yaml:7:\d+.*monitoring/);
    for (const place of places) expect(stderr).toMatch(place);
  });

  test('a file that is not there: exit 2, its name', async () => {
    const { status, stderr } = await anyport(['run', '-c', `${folder.path}/none.yaml`]);
    expect({ status, stderr }).toMatchObject({ status: 2, stderr: expect.stringContaining('none.yaml') });
  });

  test('a port in use: one line that names it', async () => {
    const args = ['run', `--listen=${upstream.target}`, '--route=http=127.0.0.1:1'];
    const { status, stdout, stderr } = await anyport(args);
    expect(status).toBe(1);
    const told = `${stdout}${stderr}`.split('\n').filter((line) => line.includes(upstream.target));
    expect(told).toEqual([expect.stringMatching(/in use|EADDRINUSE/)]);
  });
});

/** Node has no API to send descriptors over a socket. */
const passesDescriptors = `
import socket, sys
client = socket.socket(socket.AF_UNIX)
client.settimeout(10)
client.connect(sys.argv[1])
def returns(bytes):
    got = b''
    while len(got) < len(bytes): got += client.recv(65536)
    assert got == bytes, got
client.send(sys.argv[2].encode())
returns(sys.argv[2].encode())
for _ in range(100):
    socket.send_fds(client, [b'one'], [0])
    client.send(b'two')
    returns(b'onetwo')
    client.send(b'3')
    client.send(b'!', socket.MSG_OOB)
    client.send(b'4')
    returns(b'3!4')
print('all came back', end='')
`;

describe('unix:', () => {
  test('a listener on a path serves, and the path is gone afterwards', async () => {
    const path = `${folder.path}/front.sock`;
    const daemon = await startDaemon({
      server: { listen: `unix:${path}`, workers: 2 },
      protocols: [{ name: 'Redis', target: upstream.target }],
    });
    const client = new Peer(connect({ path, allowHalfOpen: true }));
    client.send(redisPing).finish();
    expect(await client.end()).toBe('fin');
    expect(client.received.toString()).toBe(redisPing);
    expect((await daemon.ended(1))[0]).toMatchObject({ protocol: 'redis', reason: 'done' });
    await daemon.stop();
    expect(existsSync(path)).toBe(false);
  });

  test('a path left behind by a process that is gone is taken over', async () => {
    const path = `${folder.path}/front.sock`;
    const config = {
      server: { listen: `unix:${path}` },
      protocols: [{ name: 'Redis', target: upstream.target }],
    };
    const first = await startDaemon(config);
    first.signal('SIGKILL');
    await first.exit();
    first.folder.remove();
    expect(existsSync(path)).toBe(true);
    const second = await startDaemon(config);
    const client = new Peer(connect(path));
    client.send(redisPing);
    await client.bytes(redisPing.length);
    client.socket.destroy();
    await second.stop();
  });
});

describeWith('python3')('unix:, with python3', () => {
  test('descriptors and urgent bytes that a client passes along hold nothing up', async () => {
    const path = `${folder.path}/front.sock`;
    const daemon = await startDaemon({
      server: { listen: `unix:${path}` },
      protocols: [{ name: 'Redis', target: upstream.target }],
    });
    const { stdout, stderr } = await runProgram('python3', ['-c', passesDescriptors, path, redisPing]);
    expect(`${stdout}${stderr}`).toBe('all came back');
    await daemon.stop();
  });
});

describe.each(['reuseport', 'handoff'])('SIGTERM, accept %s', (accept) => {
  const server = { accept, workers: 2, graceful_shutdown_timeout: '30s' };

  async function start(more: Record<string, unknown> = {}) {
    return startDaemon({
      server: { ...server, ...more },
      protocols: [{ name: 'Redis', target: upstream.target }],
    });
  }

  async function established(port: number): Promise<Peer> {
    const client = await dial(port);
    client.send(redisPing);
    await client.bytes(redisPing.length);
    return client;
  }

  test('drains: nobody new, those inside finish, exit 0', async () => {
    const daemon = await start();
    const client = await established(daemon.port);
    daemon.signal('SIGTERM');
    await expect.poll(() => accepts(daemon.port), { timeout: 60_000 }).toBe(false);
    client.send('after the signal');
    await client.bytes(redisPing.length + 16);
    expect(daemon.child.exitCode).toBeNull();
    client.finish();
    expect(await client.end()).toBe('fin');
    expect(await daemon.exit()).toBe(0);
    expect(await daemon.sessionOf(client)).toMatchObject({ reason: 'done' });
    await daemon.stop();
  });

  test('with nobody inside it ends at once', async () => {
    const daemon = await start();
    daemon.signal('SIGINT');
    expect(await daemon.exit()).toBe(0);
    await daemon.stop();
  });

  test('the drain has an end: sessions that are left are ended as drain_timeout', async () => {
    const daemon = await start({ graceful_shutdown_timeout: '400ms' });
    const client = await established(daemon.port);
    daemon.signal('SIGTERM');
    await client.end();
    await daemon.exit();
    expect(daemon.sessions.at(-1)).toMatchObject({ reason: 'drain_timeout' });
    await daemon.stop();
  });

  test('a second signal stops at once', async () => {
    const daemon = await start();
    const client = await established(daemon.port);
    daemon.signal('SIGTERM');
    await expect.poll(() => accepts(daemon.port), { timeout: 60_000 }).toBe(false);
    // Its output may come later than what its port shows.
    await eventually('what a second signal does', () =>
      daemon.lines.some(
        ({ msg }) => msg === 'told to stop: a second SIGTERM or SIGINT ends all sessions at once',
      ),
    );
    daemon.signal('SIGTERM');
    await client.end();
    await daemon.exit();
    await daemon.stop();
  });
});

test('health: live and ready; ready is withdrawn while draining', async () => {
  const daemon = await startDaemon({
    server: { graceful_shutdown_timeout: '30s' },
    protocols: [{ name: 'Redis', target: upstream.target }],
  });
  const status = async (path: string) => (await daemon.get(path)).status;
  expect(await status('/health/live')).toBe(200);
  expect(await status('/health/ready')).toBe(200);
  const client = await dial(daemon.port);
  client.send(redisPing);
  await client.bytes(redisPing.length);
  daemon.signal('SIGTERM');
  await expect.poll(() => status('/health/ready'), { timeout: 60_000 }).toBe(503);
  expect(await status('/health/live')).toBe(200);
  client.finish();
  await client.end();
  await daemon.stop();
});
