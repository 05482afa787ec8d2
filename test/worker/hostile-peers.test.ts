/** Hostile peers and unlucky numbers: the data plane keeps serving the others and releases everything. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { PlanListener, PlanUpstream } from '../../src/model/plan.js';
import { listedRoutes, optionsWith } from '../support/plan.js';
import { dial, echo, type Peer } from '../support/tcp.js';
import { eventually } from '../support/wait.js';
import { limits, type Plane, planFor, upstream, useStage } from './plane.js';

const MIB = 1 << 20;
const { serve, start } = useStage();

function crowd(plane: Plane, size: number): Promise<Peer[]> {
  return Promise.all(Array.from({ length: size }, () => dial(plane.port)));
}

test('many sessions at once whose every endpoint fails at once: each ends, once', async () => {
  const SILENT = 700;
  const SILENCE_MS = 1500;
  const nowhere: PlanUpstream = {
    name: 'nowhere',
    handler: null,
    kcp: null,
    via: null,
    options: optionsWith({ retries: 16 }),
    // connect() to a missing Unix socket fails at once: all retries happen in one turn.
    endpoints: Array.from({ length: 17 }, (_, n) => ({
      name: `nowhere-${n}`,
      weight: 1,
      backup: false,
      state: 'up',
      addresses: [{ path: '/nonexistent/anyport.sock' }],
    })),
  };
  const listener: PlanListener = {
    name: 'front',
    address: '127.0.0.1:0',
    transport: 'tcp',
    kcp: null,
    protocols: [0, 1],

    datagramProtocols: [],
    onUnknown: { kind: 'end', closing: 'reset' },
    onSilence: { afterMs: SILENCE_MS, to: { kind: 'upstream', upstream: 0 } },
    proxyProtocol: null,
    maxConnections: 0,
  };
  const plane = await start(
    planFor([nowhere], { limits: { ...limits, maxConnections: SILENT }, listeners: [listener] }),
  );
  const clients = await crowd(plane, SILENT);
  await eventually('all to be accepted', () => plane.metric('anyport_accepted_total') === SILENT);
  // Blocks the thread until the silence of all clients is over: their timers are due in the same turn.
  const until = performance.now() + SILENCE_MS;
  while (performance.now() < until);
  await Promise.all(clients.map((client) => client.end()));
  await eventually('all to be accounted for', () => plane.records().length === SILENT);
  expect(new Set(plane.records().map(({ reason }) => reason))).toEqual(new Set(['connect_failed']));
});

describe('openings that never end', () => {
  const LONG_OPENINGS = 768;
  const SHARE = 64;
  /** Longer than a small slab: each opening holds a medium one while it is in identification. */
  const long = `GET / HTTP/1.1\r\nX-Long: ${'x'.repeat(5000)}`;

  /** A route by host needs the end of the request's head. */
  async function startHosts(hoarders: number, longOpeningsPerSource: number) {
    const server = await serve(echo);
    const plan = planFor([upstream('a', server.port), upstream('b', server.port)], {
      limits: { ...limits, longOpeningsPerSource, maxConnections: hoarders + 10, identifyTimeoutMs: 60_000 },
      routes: listedRoutes([
        { when: { protocol: 0 }, to: { kind: 'upstream', upstream: 0 } },
        { when: { protocol: 1, host: 'b.test' }, to: { kind: 'upstream', upstream: 1 } },
      ]),
    });
    const plane = await start(plan);
    const refused = () => plane.records().filter(({ reason }) => reason === 'over_limit').length;
    const evictedFor = (limit: string) => plane.metric('anyport_openings_evicted_total', { limit });
    const evicted = () => ({ source: evictedFor('source'), worker: evictedFor('worker') });
    return { plane, refused, evicted };
  }

  /** Sequential, so that the first connection is the oldest. */
  async function hoard(plane: Plane, count: number, from: string): Promise<Peer[]> {
    const hoarders: Peer[] = [];
    for (let n = 0; n < count; n += 1) hoarders.push((await dial(plane.port, from)).send(long));
    return hoarders;
  }

  async function isServed(plane: Plane, from: string): Promise<void> {
    const client = (await dial(plane.port, from)).send(long);
    await sleep(50); // sent in two parts: the first is buffered meanwhile
    const rest = '\r\nHost: b.test\r\n\r\n';
    client.send(rest);
    await client.bytes(long.length + rest.length);
    client.reset();
  }

  test('do not stop the relays of others', async () => {
    const HOARDERS = 1024;
    const { plane, refused, evicted } = await startHosts(HOARDERS, 0);
    const client = (await dial(plane.port)).send('aa1');
    await client.bytes(3);
    for (const hoarder of await crowd(plane, HOARDERS)) hoarder.send(long);
    const over = HOARDERS - LONG_OPENINGS;
    await eventually('no more to be let in', () => refused() === over);
    client.send('ping');
    await client.bytes(7);
    expect(plane.open()).toBe(LONG_OPENINGS + 1);
    expect(evicted()).toEqual({ source: 0, worker: over });
    expect(plane.metric('anyport_buffer_misses_total', { tier: 'medium' })).toBe(over);
  });

  test('of one source are no more than its share, and the oldest goes first', async () => {
    const { plane, refused, evicted } = await startHosts(2 * SHARE, SHARE);
    const hoarders = await hoard(plane, SHARE + 5, '127.0.0.2');
    await eventually('those over the share to be ended', () => refused() === 5);
    await Promise.all(hoarders.slice(0, 5).map((hoarder) => hoarder.end()));
    expect(hoarders.map(({ ending }) => ending ?? 'open')).toEqual([
      ...Array(5).fill('reset'),
      ...Array(SHARE).fill('open'),
    ]);
    expect(evicted()).toEqual({ source: 5, worker: 0 });
    // The source can refill its share, only at the expense of its own openings.
    await isServed(plane, '127.0.0.2');
    await isServed(plane, '127.0.0.3');
    expect(evicted()).toEqual({ source: 6, worker: 0 });
  });

  test('of many sources do not shut out the openings of others', async () => {
    const SOURCES = LONG_OPENINGS / SHARE;
    const { plane, refused, evicted } = await startHosts(LONG_OPENINGS, SHARE);
    const oldest: Peer[] = [];
    for (let source = 0; source < SOURCES; source += 1) {
      const hoarders = await hoard(plane, SHARE, `127.0.1.${1 + source}`);
      if (source === 0) oldest.push(...hoarders.slice(0, 1));
    }
    await eventually('all to be held', () => plane.open() === LONG_OPENINGS);
    expect(refused()).toBe(0);
    await isServed(plane, '127.0.0.2');
    expect(await oldest[0]?.end()).toBe('reset');
    await eventually('its record', () => refused() === 1);
    expect(evicted()).toEqual({ source: 0, worker: 1 });
  });
});

describe('an end that is gone is told to the other, although that one takes no more bytes', () => {
  const flood = (peer: Peer) => {
    for (let n = 0; n < 48; n += 1) peer.send(Buffer.alloc(MIB));
  };
  const stuffed = async (peer: Peer) => {
    let left = -1;
    while (left !== peer.socket.writableLength) {
      left = peer.socket.writableLength;
      await sleep(200);
    }
  };
  const echoOnly = (peer: Peer) => {
    peer.socket.removeAllListeners('data');
    echo(peer);
  };
  const cases: { why: string; endpoint: (peer: Peer) => void }[] = [
    { why: 'it waits for us to read its own', endpoint: echoOnly },
    { why: 'it does not read', endpoint: (peer) => peer.socket.pause() },
  ];

  test.each(cases)('$why', async ({ endpoint }) => {
    const server = await serve(endpoint);
    const plane = await start(planFor([upstream('a', server.port)]));
    const client = (await dial(plane.port)).send('aa');
    client.socket.pause();
    flood(client);
    await stuffed(client);
    client.reset();
    await eventually('the session to end', () => plane.open() === 0, limits.idleTimeoutMs / 4);
    expect(plane.records()[0] ?? (await eventually('the record', () => plane.records()[0]))).toMatchObject({
      by: 'client',
      reason: 'reset',
    });
  });
});
