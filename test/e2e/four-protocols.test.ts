/** The core promise: one port, started with flags only, through which four real clients reach four real servers. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startWithFlags } from '../support/daemon.js';
import { freePort } from '../support/ports.js';
import { runProgram } from '../support/process.js';
import {
  type RealServer,
  sshOptions,
  startHttp,
  startHttps,
  startRedis,
  startSshd,
} from '../support/servers.js';
import { describeWith } from '../support/tools.js';

describeWith(
  'curl',
  'redis-cli',
  'redis-server',
  'ssh',
  'sshd',
  'openssl',
  'nginx',
)('four protocols, one port', () => {
  let servers: { http: RealServer; tls: RealServer; ssh: RealServer; redis: RealServer };
  let daemon: Daemon;

  beforeAll(async () => {
    const [http, tls, ssh, redis] = await Promise.all([
      startHttp(),
      startHttps('secure.example.com'),
      startSshd(),
      startRedis(),
    ]);
    servers = { http, tls, ssh, redis };
    const port = await freePort();
    const routes = Object.entries(servers).map(([name, { target }]) => `--route=${name}=${target}`);
    daemon = await startWithFlags([`--listen=127.0.0.1:${port}`, ...routes], port);
  });

  afterAll(async () => {
    await daemon.stop();
    await Promise.all(Object.values(servers).map((server) => server.stop()));
  });

  const clients = [
    {
      protocol: 'http',
      command: () => ['curl', '-sS', `http://127.0.0.1:${daemon.port}/`],
      answer: /^served by nginx$/m,
    },
    {
      protocol: 'tls',
      command: () => ['curl', '-sSk', '--http2', `https://127.0.0.1:${daemon.port}/`],
      answer: /^served by nginx$/m,
    },
    {
      protocol: 'tls',
      command: () => [
        'openssl',
        's_client',
        '-connect',
        `127.0.0.1:${daemon.port}`,
        '-servername',
        'a.example.com',
      ],
      answer: /subject=CN = secure\.example\.com/,
    },
    {
      protocol: 'redis',
      command: () => ['redis-cli', '-p', `${daemon.port}`, 'ping'],
      answer: /^PONG$/m,
    },
    {
      protocol: 'ssh',
      command: () => [
        'ssh',
        '-p',
        `${daemon.port}`,
        ...sshOptions(servers.ssh),
        '127.0.0.1',
        'echo through ssh',
      ],
      answer: /^through ssh$/m,
    },
  ] as const;

  test.each(clients)('$protocol, client $#', async ({ protocol, command, answer }) => {
    const before = daemon.sessions.length;
    const [program, ...args] = command();
    const { stdout, stderr, status } = await runProgram(program ?? '', args);
    expect({ status, stderr, stdout }).toMatchObject({ status: 0, stdout: expect.stringMatching(answer) });
    const line = (await daemon.ended(before + 1)).at(-1);
    expect(line).toMatchObject({ protocol, endpoint: servers[protocol].target, reason: 'done' });
  });

  test('all four at the same time', async () => {
    const before = daemon.sessions.length;
    const rounds = Array.from({ length: 5 }, () => clients).flat();
    const answers = await Promise.all(
      rounds.map(async ({ command, answer }) => {
        const [program, ...args] = command();
        return answer.test((await runProgram(program ?? '', args)).stdout);
      }),
    );
    expect(answers).toEqual(rounds.map(() => true));
    expect(await daemon.ended(before + rounds.length)).toHaveLength(before + rounds.length);
  });
});
