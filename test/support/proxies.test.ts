/** The real proxies do what tests want of them. */
import { readdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { danteConnects, danteTools, startDante } from './dante.js';
import { type Finished, runProgram } from './process.js';
import type { RealServer } from './real-servers.js';
import { type RealServer as HttpServer, startHttp } from './servers.js';
import { squidRequests, squidTools, startSquid } from './squid.js';
import { type SshSocks, sshSocksTools, startSshSocks } from './ssh-socks.js';
import { describeAsRoot, describeWith } from './tools.js';
import { eventually } from './wait.js';

const SERVED = 'served by nginx\n';

let http: HttpServer;
const proxies: RealServer[] = [];

const kept = async (starting: Promise<RealServer>): Promise<RealServer> => {
  const proxy = await starting;
  proxies.push(proxy);
  return proxy;
};

/** `curl --noproxy ''`: the machine may have a proxy of its own. */
const curl = (...args: string[]): Promise<Finished> =>
  runProgram('curl', ['-sS', '--noproxy', '', '--max-time', '20', ...args]);

const page = (host = '127.0.0.1') => `http://${host}:${http.port}/`;

function setUp(): void {
  beforeAll(async () => {
    http = await startHttp();
  });
  afterEach(async () => {
    for (const proxy of proxies.splice(0)) await proxy.remove();
  });
  afterAll(() => http.stop());
}

describeWith(
  ...squidTools,
  'curl',
  'nginx',
)('squid', () => {
  setUp();

  const through = (proxy: RealServer, userinfo = '', ...rest: string[]) =>
    curl('-p', '-x', `http://${userinfo}127.0.0.1:${proxy.port}`, ...rest);

  test('tunnels to names that only it knows, and refuses those that it is told to', async () => {
    const proxy = await kept(startSquid({ hosts: { 'web.test': '127.0.0.1' }, refused: ['evil.test'] }));
    expect(await through(proxy, '', page('web.test'))).toMatchObject({ status: 0, stdout: SERVED });
    expect((await through(proxy, '', page('evil.test'))).stderr).toMatch(/response 403/);
    await eventually('both requests in its log', () => squidRequests(proxy).length === 2);
    expect(squidRequests(proxy)).toEqual([
      { status: 200, method: 'CONNECT', target: `web.test:${http.port}`, user: null },
      { status: 403, method: 'CONNECT', target: `evil.test:${http.port}`, user: null },
    ]);
  });

  test('asks for users', async () => {
    const proxy = await kept(startSquid({ users: { alice: 'secret' } }));
    expect(await through(proxy, 'alice:secret@', page())).toMatchObject({ status: 0, stdout: SERVED });
    expect((await through(proxy, 'alice:wrong@', page())).stderr).toMatch(/response 407/);
    expect((await through(proxy, '', page())).stderr).toMatch(/response 407/);
  });

  test('speaks TLS', async () => {
    const proxy = await kept(startSquid({ tls: 'proxy.test' }));
    const verified = ['--proxy-cacert', `${proxy.folder}/cert.pem`];
    const found = ['--resolve', `proxy.test:${proxy.port}:127.0.0.1`];
    const asked = ['-p', '-x', `https://proxy.test:${proxy.port}`, ...found, page()];
    expect(await curl(...verified, ...asked)).toMatchObject({ status: 0, stdout: SERVED });
    expect((await curl(...asked)).stderr).toMatch(/certificate/);
  });

  test('starts beside others, and leaves no shared memory', async () => {
    const squids = await Promise.all(Array.from({ length: 4 }, () => startSquid()));
    const segments = () =>
      readdirSync('/dev/shm').filter((name) => squids.some(({ port }) => name.includes(`${port}`)));
    expect(segments()).toHaveLength(squids.length * 3);
    for (const squid of squids) await squid.remove();
    expect(segments()).toEqual([]);
  });

  test('goes away and comes back on its port', async () => {
    const proxy = await kept(startSquid());
    await proxy.down();
    expect((await through(proxy, '', page())).status).toBe(7);
    await proxy.up();
    expect(await through(proxy, '', page())).toMatchObject({ status: 0, stdout: SERVED });
  });
});

describeWith(
  ...danteTools,
  'curl',
  'nginx',
)('Dante', () => {
  setUp();

  test('connects, and refuses networks that it is told to', async () => {
    const proxy = await kept(startDante({ refused: ['127.0.0.9/32'] }));
    for (const version of ['socks4', 'socks5', 'socks5h']) {
      const answer = await curl('-x', `${version}://${proxy.target}`, page());
      expect(answer).toMatchObject({ status: 0, stdout: SERVED });
    }
    expect((await curl('-x', `socks5://${proxy.target}`, page('127.0.0.9'))).status).toBe(97);
    await eventually('its log', () => danteConnects(proxy).length === 3);
    expect(danteConnects(proxy)).toContainEqual({ target: `127.0.0.1:${http.port}`, user: null });
  });

  describeAsRoot('as root', () => {
    test('asks for users, and knows names of its own', async () => {
      const proxy = await kept(
        startDante({ users: { alice: 'secret' }, hosts: { 'web.test': '127.0.0.1' } }),
      );
      const through = (userinfo: string) =>
        curl('-x', `socks5h://${userinfo}127.0.0.1:${proxy.port}`, page('web.test'));
      expect(await through('alice:secret@')).toMatchObject({ status: 0, stdout: SERVED });
      expect((await through('alice:wrong@')).status).toBe(97);
      expect((await through('')).status).toBe(97);
      await eventually('its log', () => danteConnects(proxy).length === 1);
      expect(danteConnects(proxy)).toEqual([{ target: `127.0.0.1:${http.port}`, user: 'alice' }]);
    });
  });
});

describeWith(
  ...sshSocksTools,
  'curl',
  'nginx',
)('ssh -D', () => {
  let socks: SshSocks;
  setUp();
  beforeAll(async () => {
    socks = await startSshSocks();
  });
  afterAll(() => socks.stop());

  test.each(['socks4', 'socks4a', 'socks5', 'socks5h'])('%s', async (version) => {
    const answer = await curl('-x', `${version}://${socks.target}`, page('localhost'));
    expect(answer).toMatchObject({ status: 0, stdout: SERVED });
  });
});
