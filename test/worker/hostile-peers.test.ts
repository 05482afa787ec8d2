/** Peers that mean harm, or are merely unlucky in numbers: the data plane serves the others and lets go of all. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { PlanListener, PlanUpstream } from '../../src/model/plan.js';
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
    balance: 'round_robin',
    retries: 16,
    // A missing Unix socket refuses before connect() returns: all retries fall into one turn.
    endpoints: Array.from({ length: 17 }, (_, n) => ({
      name: `nowhere-${n}`,
      weight: 1,
      backup: false,
      addresses: [{ path: '/nonexistent/anyport.sock' }],
    })),
  };
  const listener: PlanListener = {
    name: 'front',
    address: '127.0.0.1:0',
    protocols: [0, 1],
    onUnknown: { kind: 'end', closing: 'reset' },
    onSilence: { afterMs: SILENCE_MS, to: { kind: 'upstream', upstream: 0 } },
    proxyProtocol: null,
  };
  const plane = await start(
    planFor([nowhere], { limits: { ...limits, maxConnections: SILENT }, listeners: [listener] }),
  );
  const clients = await crowd(plane, SILENT);
  await eventually('all to be accepted', () => plane.totals().listeners[0]?.accepted === SILENT);
  // The thread is busy until the silence of all is over: their timers are due in the same turn.
  const until = performance.now() + SILENCE_MS;
  while (performance.now() < until);
  await Promise.all(clients.map((client) => client.end()));
  await eventually('all to be accounted for', () => plane.records().length === SILENT);
  expect(new Set(plane.records().map(({ reason }) => reason))).toEqual(new Set(['connect_failed']));
});

test('openings that never end do not stop the relays of others', async () => {
  const HOARDERS = 1024;
  const LARGE_SLABS_FOR_OPENINGS = 768;
  const server = await serve(echo);
  const plan = planFor([upstream('a', server.port), upstream('b', server.port)], {
    limits: { ...limits, maxConnections: HOARDERS + 1, identifyTimeoutMs: 60_000 },
    routes: [
      { when: { protocol: 0 }, to: { kind: 'upstream', upstream: 0 } },
      { when: { protocol: 1, host: 'b.test' }, to: { kind: 'upstream', upstream: 1 } },
    ],
  });
  const plane = await start(plan);
  const client = (await dial(plane.port)).send('aa1');
  await client.bytes(3);
  // Each holds a large buffer for as long as it may be identified.
  for (const hoarder of await crowd(plane, HOARDERS)) {
    hoarder.send(`GET / HTTP/1.1\r\nX-Long: ${'x'.repeat(5000)}`);
  }
  const refused = () => plane.records().filter(({ reason }) => reason === 'over_limit').length;
  await eventually('no more to be let in', () => refused() === HOARDERS - LARGE_SLABS_FOR_OPENINGS);
  client.send('ping');
  await client.bytes(7);
  expect(plane.open()).toBe(LARGE_SLABS_FOR_OPENINGS + 1);
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
