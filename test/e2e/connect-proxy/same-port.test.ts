/** One port that serves TLS, SSH and Redis, and is a proxy: real clients through it and past it. */
import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import { freePort } from '../../support/ports.js';
import { cleanEnvironment, type Running, runProgram, startProgram } from '../../support/process.js';
import { type RealServer, sshOptions, startHttps, startRedis, startSshd } from '../../support/servers.js';
import { type TempFolder, tempFolder } from '../../support/temp.js';
import { describeWith } from '../../support/tools.js';
import { onThisMachine } from './stage.js';

describeWith(
  'curl',
  'git',
  'nc',
  'nginx',
  'openssl',
  'redis-cli',
  'redis-server',
  'ssh',
  'ssh-keygen',
  'sshd',
)('one port', () => {
  let servers: { tls: RealServer; ssh: RealServer; redis: RealServer };
  let folder: TempFolder;
  let gitDaemon: Running;
  let gitPort: number;
  let daemon: Daemon;
  let proxy: string;

  beforeAll(async () => {
    folder = tempFolder();
    const [tls, ssh, redis] = await Promise.all([
      startHttps('secure.example.com'),
      startSshd(),
      startRedis(),
    ]);
    servers = { tls, ssh, redis };
    await makeRepository();
    gitPort = await freePort();
    const serve = [
      '--listen=127.0.0.1',
      `--port=${gitPort}`,
      '--export-all',
      `--base-path=${tls.folder}/www`,
    ];
    // Its main program is a child of `git`, which would be left behind.
    gitDaemon = await startProgram('/usr/lib/git-core/git-daemon', [...serve, `${tls.folder}/www`], gitPort);
    daemon = await startDaemon({
      connect_proxy: { ...onThisMachine, socks: true },
      protocols: Object.entries(servers).map(([name, { target }]) => ({ name, target })),
    });
    proxy = `127.0.0.1:${daemon.port}`;
  });

  afterAll(async () => {
    await daemon.stop();
    await gitDaemon.stop();
    await Promise.all(Object.values(servers).map((server) => server.stop()));
    folder.remove();
  });

  const git = (...args: string[]) =>
    runProgram('git', args, {
      cwd: folder.path,
      env: cleanEnvironment({ HOME: folder.path, GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' }),
    });

  /** `repo.git` among the pages that are served. */
  async function makeRepository(): Promise<void> {
    const source = `${folder.path}/source`;
    mkdirSync(source);
    const { stderr } = await runProgram(
      'sh',
      [
        '-ec',
        `git init -q -b main && echo hello > file && git add file
        git -c user.name=a -c user.email=a@example.com commit -qm first
        git clone -q --bare . "$1" && git --git-dir="$1" update-server-info`,
        'sh',
        `${servers.tls.folder}/www/repo.git`,
      ],
      { cwd: source, env: cleanEnvironment({ HOME: folder.path, GIT_CONFIG_NOSYSTEM: '1' }) },
    );
    expect(stderr).toBe('');
  }

  const SERVED = 'served by nginx\n';
  const curl = (...args: string[]) => runProgram('curl', ['-sSk', '--noproxy', '', ...args]);
  const ssh = (port: number, ...options: string[]) =>
    runProgram('ssh', [
      '-p',
      `${port}`,
      ...sshOptions(servers.ssh),
      ...options,
      '127.0.0.1',
      'echo through ssh',
    ]);
  const page = () => `https://127.0.0.1:${servers.tls.port}/`;

  describe('past the proxy', () => {
    test('TLS, SSH and Redis are served as before', async () => {
      expect(await curl(`https://${proxy}/`)).toMatchObject({ status: 0, stdout: SERVED });
      expect(await ssh(daemon.port)).toMatchObject({ status: 0, stdout: 'through ssh\n' });
      const pong = await runProgram('redis-cli', ['-p', `${daemon.port}`, 'ping']);
      expect(pong).toMatchObject({ status: 0, stdout: 'PONG\n' });
    });
  });

  describe('through the proxy', () => {
    test.each(['http', 'socks4', 'socks4a', 'socks5', 'socks5h'])('curl -x %s://', async (scheme) => {
      const answer = await curl('-x', `${scheme}://${proxy}`, page());
      expect(answer).toMatchObject({ status: 0, stdout: SERVED });
    });

    test.each(['connect', '5', '4'])('ssh over nc -X %s', async (version) => {
      const command = `ProxyCommand=nc -X ${version} -x ${proxy} %h %p`;
      const answer = await ssh(servers.ssh.port, '-o', command);
      expect(answer).toMatchObject({ status: 0, stdout: 'through ssh\n' });
    });

    test('Redis over nc', async () => {
      const nc = ['-N', '-X', 'connect', '-x', proxy, '127.0.0.1', `${servers.redis.port}`];
      expect(await runProgram('nc', nc, { input: 'PING\r\nQUIT\r\n' })).toMatchObject({
        stdout: '+PONG\r\n+OK\r\n',
      });
    });

    test.each(['http', 'socks5h'])('git clone of https:// by a proxy %s://', async (scheme) => {
      const config = ['-c', 'http.sslVerify=false', '-c', `http.proxy=${scheme}://${proxy}`];
      const cloned = `${folder.path}/by-${scheme}`;
      const { status, stderr } = await git(...config, 'clone', '-q', `${page()}repo.git`, cloned);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect((await git('-C', cloned, 'show', 'HEAD:file')).stdout).toBe('hello\n');
    });

    test('git clone of git:// by core.gitProxy', async () => {
      const script = `${folder.path}/proxy`;
      await runProgram('sh', [
        '-c',
        `printf '#!/bin/sh\nexec nc -X connect -x ${proxy} "$1" "$2"' > "$0"; chmod +x "$0"`,
        script,
      ]);
      const cloned = `${folder.path}/by-git`;
      const url = `git://127.0.0.1:${gitPort}/repo.git`;
      const { status, stderr } = await git('-c', `core.gitProxy=${script}`, 'clone', '-q', url, cloned);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect((await git('-C', cloned, 'show', 'HEAD:file')).stdout).toBe('hello\n');
    });

    test('all at the same time, and each session ends as it should', async () => {
      const before = daemon.sessions.length;
      const rounds = Array.from({ length: 4 }, () => [
        curl('-x', `http://${proxy}`, page()),
        curl('-x', `socks5h://${proxy}`, page()),
        curl(`https://${proxy}/`),
        ssh(servers.ssh.port, '-o', `ProxyCommand=nc -X connect -x ${proxy} %h %p`),
        ssh(daemon.port),
      ]);
      const answers = await Promise.all(rounds.flat());
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 0));
      await daemon.ended(before + answers.length);
      await daemon.booksBalance();
    });
  });
});
