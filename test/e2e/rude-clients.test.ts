/**
 * A crowd of misbehaving clients above the connection limit: afterwards each connection is in counters and log
 * exactly once.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { total } from '../support/metrics.js';
import { freePort } from '../support/ports.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { eventually } from '../support/wait.js';

const SESSIONS = 1500;
const AT_ONCE = 90;
const LIMIT = 60;

let daemon: Daemon;
let upstream: Upstream;

async function start(accept: string, rate: number): Promise<void> {
  upstream = await listenTcp(echo);
  daemon = await startDaemon({
    server: { accept, workers: 2, max_connections: LIMIT, graceful_shutdown_timeout: '60s' },
    logging: { access_log_rate: rate },
    protocols: [
      { name: 'Redis', target: upstream.target },
      { name: 'HTTP', handler: 'builtin:http' },
      { name: 'SSH', target: `127.0.0.1:${await freePort()}` },
      { name: 'TLS', target: 'reset' },
      { name: 'SMTP' },
    ],
  });
}

afterEach(async () => {
  await daemon.stop();
  await upstream.close();
});

/** Client behaviours; a client leaves after its behaviour or when it is closed. */
const manners: readonly ((client: Peer) => unknown)[] = [
  (client) => client.send(redisPing).finish(),
  (client) => client.send(redisPing).reset(),
  async (client) => {
    client.send(redisPing);
    await eventually('an answer or an end', () => client.length > 0 || client.ending !== undefined);
    client.reset();
  },
  (client) => client.send(redisPing.repeat(20_000)).reset(),
  (client) => client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').finish(),
  (client) => client.send('GET / HTTP/1.1\r\nHo').finish(),
  (client) => client.send('SSH-2.0-rude\r\n'),
  (client) => client.send(Buffer.from('16030100050100000100', 'hex')).finish(),
  (client) => client.send(Buffer.alloc(2000, 0xf3)),
  (client) => client.send('\xf3').reset(),
  (client) => client.finish(),
  (client) => client.reset(),
  (client) => client.send('EHLO rude\r\n'),
];

async function visit(n: number): Promise<void> {
  const client = await dial(daemon.port, `127.0.0.${2 + (n % 8)}`).catch(() => null);
  if (client === null) return;
  const gone = new Promise((resolve) => client.socket.once('close', resolve));
  await manners[n % manners.length]?.(client);
  await Promise.race([client.ended, gone]);
  client.socket.destroy();
}

async function crowd(): Promise<void> {
  let next = 0;
  const visitor = async () => {
    while (next < SESSIONS) await visit(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, visitor));
  await daemon.metricBecomes('anyport_sessions_active', 0);
}

interface Sums {
  readonly accepted: number;
  readonly ended: Readonly<Record<string, number>>;
  readonly dropped: number;
}

async function sums(): Promise<Sums> {
  const samples = await daemon.metrics();
  const ended: Record<string, number> = {};
  for (const { name, labels, value } of samples) {
    if (name !== 'anyport_sessions_total' || value === 0) continue;
    const reason = String(labels.reason);
    ended[reason] = (ended[reason] ?? 0) + value;
  }
  return {
    accepted: total(samples, 'anyport_accepted_total'),
    ended,
    dropped: total(samples, 'anyport_log_lines_dropped_total'),
  };
}

const lines = (): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { reason } of daemon.sessions) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
};

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((all, count) => all + count, 0);

describe.each(['reuseport', 'handoff'])('accept %s', (accept) => {
  test('lines and counters agree, reason by reason, to the last session that the second signal cuts', async () => {
    await start(accept, 1_000_000);
    await crowd();
    const { accepted, ended, dropped } = await sums();
    expect(sum(ended)).toBe(accepted);
    await eventually('all lines', () => sum(lines()) + dropped === accepted);
    const { over_limit: refused = 0, ...others } = ended;
    const { over_limit: told = 0, ...otherLines } = lines();
    expect(otherLines).toEqual(others);
    expect(told + dropped).toBe(refused);
    for (const reason of [
      'done',
      'connect_failed',
      'rejected',
      'no_route',
      'client_gone',
      'unknown_protocol',
    ]) {
      expect(ended[reason]).toBeGreaterThan(0);
    }
    expect(refused).toBeGreaterThan(0);

    const inside = await Promise.all(Array.from({ length: LIMIT / 2 }, () => dial(daemon.port)));
    for (const client of inside) client.send(redisPing);
    await Promise.all(inside.map((client) => client.bytes(redisPing.length)));
    daemon.signal('SIGTERM');
    await eventually('draining', () => daemon.lines.some(({ msg }) => msg === 'draining'));
    daemon.signal('SIGTERM');
    expect(await daemon.exit()).toBe(1);
    const cut = daemon.sessions.filter(({ reason }) => reason === 'admin').map(({ source }) => source);
    expect(cut).toHaveLength(inside.length);
    expect(new Set(cut)).toEqual(new Set(inside.map(({ address }) => address)));
    expect(sum(lines()) + dropped).toBe(accepted + inside.length);
  });

  test('over the rate of the log what has no line is counted', async () => {
    await start(accept, 50);
    await crowd();
    const { accepted, ended, dropped } = await sums();
    expect(sum(ended)).toBe(accepted);
    expect(dropped).toBeGreaterThan(0);
    await eventually('all lines', () => sum(lines()) + dropped === accepted);
  });
});
