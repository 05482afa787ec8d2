/** Options of connections to endpoints, verified on the sockets. */
import { execFileSync } from 'node:child_process';
import { afterEach, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { dial, echo, listenTcp, type Upstream } from '../support/tcp.js';
import { describeWith } from '../support/tools.js';
import { eventually } from '../support/wait.js';

const opening = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** Output of ss for the connection's end towards this port, or for the other end. */
function socketOf(port: number, side: 'dialled' | 'accepted'): string {
  const towards = side === 'dialled' ? 'dport' : 'sport';
  return execFileSync('ss', ['-tniHo', '--tos', 'state', 'established', `( ${towards} = :${port} )`], {
    encoding: 'utf8',
  });
}

describeWith('ss')('options of an upstream', () => {
  let daemon: Daemon;
  let upstream: Upstream;

  afterEach(async () => {
    await daemon.stop();
    await upstream.close();
  });

  async function relayed(options: object, host?: string) {
    upstream = await listenTcp(echo, host);
    daemon = await startDaemon({
      protocols: [{ name: 'HTTP', target: 'web' }],
      upstreams: { web: { endpoints: [upstream.target], ...options } },
    });
    const client = await dial(daemon.port);
    client.send(opening);
    await client.bytes(opening.length);
    return { client, port: upstream.port };
  }

  test.each(['127.0.0.1', '::1'])('`tcp.mss` and `dscp` towards %s', async (host) => {
    const { port } = await relayed({ tcp: { mss: 1000 }, dscp: 46 }, host);
    expect(socketOf(port, 'dialled')).toMatch(host === '::1' ? /tclass:0xb8/ : /tos:0xb8/);
    const [, mss = ''] = /\bmss:(\d+)/.exec(socketOf(port, 'accepted')) ?? [];
    expect(Number(mss)).toBeLessThanOrEqual(1000);
  });

  test('`tcp.keepalive` not before a session has lived so long', async () => {
    const { port } = await relayed({ tcp: { keepalive: '1h' } });
    expect(socketOf(port, 'dialled')).not.toContain('keepalive');
  });

  test('`tcp.keepalive` once a session has lived so long', async () => {
    const { client, port } = await relayed({ tcp: { keepalive: '1s' } });
    await eventually('a keepalive timer', () => socketOf(port, 'dialled').includes('timer:(keepalive,'));
    client.send('x');
    await client.bytes(opening.length + 1);
  });

  test('without any the socket is as the system has it', async () => {
    const { port } = await relayed({ tcp: { keepalive: '0s' } });
    const dialled = socketOf(port, 'dialled');
    expect(dialled).toMatch(/\bmss:\d{5}\b/);
    expect(dialled).not.toMatch(/tos:0x[1-9a-f]|tclass:0x[1-9a-f]/);
  });
});
