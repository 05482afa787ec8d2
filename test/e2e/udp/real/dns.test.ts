/** unbound behind one port for TCP and UDP, as dig sees it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../../../support/daemon.js';
import { freePort } from '../../../support/ports.js';
import { describeWith } from '../../../support/tools.js';
import { eventually } from '../../../support/wait.js';
import { dig, dns } from './services/dns.js';
import { loopbackService, type RunningService, satisfied } from './services/service.js';

describeWith(...dns.tools)('a DNS server behind one port for TCP and UDP', () => {
  let server: RunningService;
  let daemon: Daemon;
  let port: number;
  const at = () => ({ host: '127.0.0.1', port });

  beforeAll(async () => {
    server = await loopbackService(dns, freePort).start();
    port = await freePort();
    daemon = await startDaemon({
      server: { udp: { idle_timeout: '1h' } },
      listeners: [{ name: 'any', address: `127.0.0.1:${port}`, transport: 'tcp+udp' }],
      protocols: [{ name: 'dns', target: 'resolver' }],
      upstreams: { resolver: { endpoints: [server.target], udp: { responses: 1 } } },
    });
  });
  afterAll(async () => {
    await daemon.stop();
    await server.stop();
  });

  const big = /\s"11-x{240}"$/m;

  test('a query over UDP, and the flow ends with its answer', async () => {
    const before = daemon.sessions.length;
    await satisfied(dig(at(), 'known.example', '+short', '+notcp'), /^192\.0\.2\.7\n$/);
    const [line] = (await daemon.ended(before + 1)).slice(before);
    expect(line).toMatchObject({ protocol: 'dns', upstream: 'resolver', reason: 'done' });
    await daemon.metricBecomes('anyport_udp_flows', 0);
  });

  test('a query over TCP', async () => {
    await satisfied(dig(at(), 'known.example', '+short', '+tcp'), /^192\.0\.2\.7\n$/);
  });

  test('an answer of 3 KiB in one datagram', async () => {
    const said = await satisfied(dig(at(), 'big.example', 'TXT', '+bufsize=4096', '+ignore'), big);
    expect(said).toMatch(/\(UDP\)/);
    expect(Number(/MSG SIZE +rcvd: (\d+)/.exec(said)?.[1])).toBeGreaterThan(3000);
  });

  test('one that does not fit is asked for again over TCP, on the same port', async () => {
    const said = await satisfied(dig(at(), 'big.example', 'TXT', '+bufsize=512'), big);
    expect(said).toMatch(/Truncated, retrying in TCP mode[\s\S]*\(TCP\)/);
  });

  test('a hundred clients at once', async () => {
    const before = daemon.sessions.length;
    const queries = Array.from({ length: 10 }, () =>
      satisfied(
        dig(at(), ...Array.from({ length: 10 }, () => ['known.example', '+short', '+notcp']).flat()),
        /^(?:192\.0\.2\.7\n){10}$/,
      ),
    );
    await Promise.all(queries);
    await eventually('100 flows to end', () => daemon.sessions.length >= before + 100);
    expect(new Set(daemon.sessions.slice(before).map(({ reason }) => reason))).toEqual(new Set(['done']));
  });
});
