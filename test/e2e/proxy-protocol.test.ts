/** Behind a load balancer that terminates TLS and announces client and SNI in a PROXY header. */
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { runProgram } from '../support/process.js';
import { type RealServer, startHttp, startTlsBalancer } from '../support/servers.js';
import { Peer } from '../support/tcp.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { describeWith } from '../support/tools.js';
import { eventually } from '../support/wait.js';

describeWith(
  'haproxy',
  'nginx',
  'curl',
  'openssl',
)('behind HAProxy, over a unix socket', () => {
  let folder: TempFolder;
  let server: RealServer;
  let daemon: Daemon;
  let balancer: RealServer;

  beforeAll(async () => {
    folder = tempFolder();
    server = await startHttp();
    const address = `unix:${folder.path}/front.sock`;
    daemon = await startDaemon({
      listeners: [{ name: 'front', address, proxy_protocol: { accept: true, trusted: ['unix'] } }],
      protocols: [{ name: 'HTTP' }],
      routes: [
        { when: { protocol: 'http', host: 'a.test' }, to: 'web' },
        { when: { protocol: 'http', host: '*.b.test' }, to: 'web' },
      ],
      upstreams: { web: { endpoints: [server.target] } },
    });
    balancer = await startTlsBalancer('a.test', `unix@${folder.path}/front.sock`);
  });

  afterAll(async () => {
    await balancer.stop();
    await daemon.stop();
    await server.stop();
    folder.remove();
  });

  /** Sends SNI `sni` to the balancer, and Host `host` to the server behind it. */
  async function ask(sni: string, host = sni) {
    const before = daemon.sessions.length;
    const url = `https://${sni}:${balancer.port}/`;
    const resolve = ['--resolve', `${sni}:${balancer.port}:127.0.0.1`];
    const args = ['-sk', '--http1.1', '-H', `Host: ${host}`, ...resolve, url];
    const { stdout } = await runProgram('curl', args);
    await eventually('a session in the log', () => daemon.sessions.length > before);
    return { stdout, session: daemon.sessions.at(-1) };
  }

  test('the log has what it knows of the client', async () => {
    const { stdout, session } = await ask('a.test');
    expect(stdout).toBe('served by nginx\n');
    expect(session).toMatchObject({
      listener: 'front',
      protocol: 'http',
      upstream: 'web',
      reason: 'done',
      facts: {
        host: 'a.test',
        proxy: 'v2',
        proxy_destination: `127.0.0.1:${balancer.port}`,
        proxy_authority: 'a.test',
        proxy_tls: true,
        proxy_tls_version: 'TLSv1.3',
        proxy_unique_id: expect.stringMatching(/^id-\d+$/),
      },
    });
    // The client's address, not the balancer's.
    expect(session?.source).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(session?.facts.proxy_source).toBe(session?.source);
  });

  test('two names that the same rule holds for', async () => {
    const { stdout, session } = await ask('x.b.test', 'y.b.test');
    expect(stdout).toBe('served by nginx\n');
    expect(session).toMatchObject({
      reason: 'done',
      facts: { host: 'y.b.test', proxy_authority: 'x.b.test' },
    });
  });

  test.each([
    ['evil.test', 'a.test'],
    ['a.test', 'evil.test'],
  ])('a client that asks for %s and then for %s is refused', async (sni, host) => {
    const { stdout, session } = await ask(sni, host);
    expect(stdout).toBe('');
    expect(session).toMatchObject({ reason: 'rejected', during: 'route', facts: { proxy_authority: sni } });
  });

  test('who opens the socket without a header is refused', async () => {
    const before = daemon.sessions.length;
    const client = new Peer(connect(`${folder.path}/front.sock`));
    client.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await client.end();
    expect(client.received.toString()).toBe('');
    await eventually('a session in the log', () => daemon.sessions.length > before);
    expect(daemon.sessions.at(-1)).toMatchObject({ reason: 'rejected', during: 'sniff', source: 'unix' });
  });
});
