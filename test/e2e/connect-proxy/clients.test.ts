/** Real clients that give a password: at once, when they are asked on the same connection, by SOCKS, or a wrong one. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashPassword } from '../../../src/forward-proxy/users/index.js';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import { runProgram } from '../../support/process.js';
import { type RealServer, startHttps } from '../../support/servers.js';
import { describeWith } from '../../support/tools.js';

describeWith(
  'curl',
  'nginx',
  'openssl',
)('curl with a password', () => {
  let server: RealServer;
  let daemon: Daemon;

  beforeAll(async () => {
    server = await startHttps('localhost');
    const hash = await hashPassword(Buffer.from('secret'), { ln: 14, r: 8, p: 1 });
    daemon = await startDaemon({
      connect_proxy: {
        allow: ['127.0.0.0/8:*', 'localhost:*'],
        users: { alice: hash },
        socks: true,
        log_users: true,
      },
    });
  });

  afterAll(async () => {
    await daemon.stop();
    await server.stop();
  });

  /** The answer to CONNECT, that to the request, and how many connections it took. */
  const SHOWN = '%{http_connect} %{http_code} %{num_connects}';
  const curl = (host: string, ...args: string[]) =>
    runProgram('curl', [
      ...['-sSk', '--noproxy', '', '-o', '/dev/null', '-w', SHOWN],
      ...args,
      `https://${host}:${server.port}/`,
    ]);
  const proxy = (scheme: string, user = '') => ['-x', `${scheme}://${user}127.0.0.1:${daemon.port}`];

  test('at once', async () => {
    const { stdout } = await curl('127.0.0.1', ...proxy('http', 'alice:secret@'));
    expect(stdout).toBe('200 200 1');
    await daemon.ended(1);
  });

  test('when it is asked, on the same connection', async () => {
    const before = daemon.sessions.length;
    const { stdout } = await curl('127.0.0.1', '--proxy-anyauth', '-U', 'alice:secret', ...proxy('http'));
    expect(stdout).toBe('200 200 1');
    const sessions = (await daemon.ended(before + 1)).slice(before);
    expect(sessions).toMatchObject([{ user: 'alice', status: 200, endpoint: server.target, reason: 'done' }]);
  });

  test.each(['socks5', 'socks5h'])('by %s', async (scheme) => {
    const { stdout } = await curl('localhost', ...proxy(scheme, 'alice:secret@'));
    expect(stdout).toBe('000 200 1');
  });

  test('a wrong one, and none', async () => {
    expect((await curl('127.0.0.1', ...proxy('http', 'alice:wrong@'))).stdout).toBe('407 000 1');
    expect((await curl('127.0.0.1', ...proxy('http'))).stdout).toBe('407 000 1');
    const bySocks = await curl('127.0.0.1', ...proxy('socks5h', 'alice:wrong@'));
    expect(bySocks).toMatchObject({ status: 97, stdout: '000 000 1' });
  });

  test('the head of a refusal says why', async () => {
    const { stderr } = await runProgram('curl', [
      ...['-sv', '--noproxy', '', ...proxy('http', 'alice:secret@')],
      'https://10.0.0.1/',
    ]);
    expect(stderr).toContain(
      '< Proxy-Status: anyport; error=destination_ip_prohibited; details="10.0.0.1 leads to a private address, which is not allowed"',
    );
  });
});
