/**
 * What is left of an attack: accepted connections are the sum of the reasons they ended for, none is open, no table or
 * label has grown with the attackers, the log has what its rates allow, and clients are served as before.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { ATTACKERS, type Attacked, drip, type Orders, startAttackers } from '../../support/attackers.js';
import { type Daemon, type ServerSection, startDaemon } from '../../support/daemon.js';
import { redisPing } from '../../support/flights.js';
import { type Sample, total } from '../../support/metrics.js';
import { freePort } from '../../support/ports.js';
import type { Running } from '../../support/process.js';
import { startEndpoint } from '../../support/steady.js';
import { dial } from '../../support/tcp.js';
import { eventually } from '../../support/wait.js';

interface Attack {
  readonly why: string;
  readonly orders: Orders;
  readonly server?: ServerSection;
  readonly listener?: Readonly<Record<string, unknown>>;
  readonly security?: Readonly<Record<string, unknown>>;
  readonly wrapper?: readonly string[];
  /** How the sessions of attackers may end; the first is the one that must be there. */
  readonly reasons: readonly [string, ...string[]];
}

const CROWD = 300;
const PLACES = 100;
const KNOCKS = 3000;
const IDENTIFY_MS = 1000;
/** Attacks without a number last a few identify timeouts. */
const LASTS_MS = 3 * IDENTIFY_MS;

const late = ['identify_timeout', 'client_gone'] as const;

const attacks: Attack[] = [
  {
    why: 'requests and commands, byte by byte',
    orders: drip(CROWD, ['GET /', 'a'], ['*1\r\n$9', '9']),
    reasons: late,
  },
  {
    why: 'valid prefixes, then silence',
    orders: drip(CROWD, ['GET / HTTP/1.1\r\nHost: ', ''], ['', '']),
    reasons: late,
  },
  {
    why: 'PROXY headers that are trickled',
    orders: drip(CROWD, ['PROXY TCP4 192.0.2.', '1'], ['\r\n\r\n\0\r\nQUIT\n\x21\x11\x10\0', '\x04']),
    listener: { proxy_protocol: { accept: true, trusted: [ATTACKERS] } },
    reasons: [...late, 'rejected'],
  },
  { why: 'random bytes', orders: ['garbage', 64, KNOCKS], reasons: ['unknown_protocol'] },
  {
    why: 'a flood from the blacklist',
    orders: ['knock', 64, KNOCKS],
    security: { ip_blacklist: [ATTACKERS] },
    reasons: ['denied'],
  },
  {
    why: 'a flood that the guard bans for its number',
    orders: ['knock', 64, KNOCKS],
    // The client that is none of them comes twice.
    security: { enable_ddos_guard: true, ddos_guard: { threshold: 2, window: '1h', ban: '1h' } },
    reasons: ['banned', ...late],
  },
  {
    why: 'random bytes that the guard bans for their failures',
    orders: ['garbage', 64, KNOCKS],
    security: { enable_ddos_guard: true, ddos_guard: { failures: 5, window: '1h', ban: '1h' } },
    reasons: ['banned', 'unknown_protocol', 'client_gone'],
  },
  {
    why: 'more connections than there are places, again and again',
    orders: drip(CROWD, ['GET /', '']),
    server: { max_connections: PLACES },
    reasons: ['over_limit', ...late],
  },
  {
    why: 'more connections than there are open files',
    orders: drip(CROWD, ['GET /', '']),
    wrapper: ['prlimit', '--nofile=256'],
    reasons: ['over_limit', ...late],
  },
];

const LOG_RATE = 50;
/** Lines of other kinds each second: refused connections, warnings. */
const OTHER_LINES = 20;
const LINE_BYTES_MAX = 1024;

let daemon: Daemon;
let endpoint: Running & { readonly target: string };
let port: number;

afterEach(async () => {
  await daemon.stop();
  await endpoint.stop();
});

async function start({ server, listener, security, wrapper }: Attack): Promise<void> {
  endpoint = await startEndpoint();
  port = await freePort();
  daemon = await startDaemon(
    {
      server: { identify_timeout: `${IDENTIFY_MS}ms`, max_connections: 1000, ...server },
      listeners: [{ name: 'front', address: `127.0.0.1:${port}`, on_unknown: 'reset', ...listener }],
      protocols: ['Redis', 'HTTP'].map((name) => ({ name, target: endpoint.target })),
      routes: [{ when: { protocol: 'HTTP', host: 'a.test' }, to: 'web' }],
      upstreams: { web: { endpoints: [endpoint.target] } },
      logging: { access_log_rate: LOG_RATE },
      ...(security && { security }),
    },
    wrapper ? { wrapper } : {},
  );
}

/** One session of a client that is none of them. */
async function serve(): Promise<void> {
  const client = (await dial(port)).send(redisPing);
  await client.bytes(redisPing.length);
  expect(client.received.toString()).toBe(redisPing);
  client.finish();
  expect(await client.end()).toBe('fin');
}

const reasonsOf = (samples: readonly Sample[]): Map<string, number> => {
  const ended = new Map<string, number>();
  for (const { name, labels, value } of samples)
    if (name === 'anyport_sessions_total' && value > 0)
      ended.set(labels.reason ?? '', (ended.get(labels.reason ?? '') ?? 0) + value);
  return ended;
};

/** Attackers have 250 addresses, and there is one client. */
const SOURCES = 251;

/** Those of the daemon, without those of Node. */
const seriesOf = (samples: readonly Sample[]): string[] =>
  samples
    .filter(({ name }) => name.startsWith('anyport_'))
    .map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`);

const logBytes = (): number =>
  daemon.lines.reduce((bytes, line) => bytes + JSON.stringify(line).length + 1, 0);

async function suffer({ orders }: Attack): Promise<Attacked> {
  const before = await daemon.metric('anyport_accepted_total');
  const attackers = await startAttackers(port, orders);
  if (orders[0] === 'drip') await sleep(LASTS_MS);
  const attacked = await attackers.stop();
  // The last of them may wait to be accepted.
  await eventually(
    `${attacked.opened} to be accepted`,
    async () => (await daemon.metric('anyport_accepted_total')) - before >= attacked.opened,
  );
  await daemon.metricBecomes('anyport_sessions_active', 0);
  return attacked;
}

test.each(attacks)('$why', async (attack) => {
  await start(attack);
  await serve();
  const [linesBefore, bytesBefore] = [daemon.lines.length, logBytes()];
  const before = performance.now();
  await suffer(attack); // every label that there will be is there
  const first = await daemon.metrics();
  const { opened, unanswered } = await suffer(attack);
  const seconds = (performance.now() - before) / 1000;
  const samples = await daemon.metrics();

  const ended = reasonsOf(samples);
  const accepted = total(samples, 'anyport_accepted_total');
  expect([...ended.values()].reduce((sum, count) => sum + count, 0)).toBe(accepted);
  const grown = accepted - total(first, 'anyport_accepted_total');
  expect(grown).toBeGreaterThanOrEqual(opened);
  expect(grown).toBeLessThanOrEqual(opened + unanswered);
  expect(ended.get(attack.reasons[0])).toBeGreaterThan(0);
  expect([...ended.keys()].filter((reason) => !['done', ...attack.reasons].includes(reason))).toEqual([]);

  expect(seriesOf(samples)).toEqual(seriesOf(first)); // none for an attacker
  for (const table of ['anyport_sources', 'anyport_bans_active'])
    expect(total(samples, table), table).toBeLessThanOrEqual(SOURCES);
  const lines = daemon.lines.length - linesBefore;
  expect(lines).toBeLessThanOrEqual((LOG_RATE + OTHER_LINES) * (seconds + 2));
  expect(logBytes() - bytesBefore).toBeLessThanOrEqual(lines * LINE_BYTES_MAX);

  await serve();
  expect(await daemon.metric('anyport_sessions_total', { reason: 'done' })).toBe(2);
});
