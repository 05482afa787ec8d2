/** The typed snapshot from the counters of two workers. */
import { expect, test } from 'vitest';
import { tiers } from '../../src/metrics/catalog.js';
import { createCounters, RowMemory } from '../../src/metrics/memory.js';
import { snapshotOf } from '../../src/metrics/snapshot.js';
import { TotalsReader } from '../../src/metrics/totals.js';
import type { Named } from '../../src/model/ids.js';
import type { Plan } from '../../src/model/plan.js';
import { reasons } from '../../src/model/session.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { planned } from '../support/plan.js';
import { EngineCounts } from './engine-counts.js';

const named: Named = {
  listeners: [{ name: 'front' }, { name: 'back' }],
  protocols: [{ id: 'http' }, { id: 'redis' }],
  upstreams: [{ name: 'web', endpoints: [{ name: '10.0.0.5:80' }] }],
};

const protocols = [planned({ name: 'HTTP', id: 'http' }), planned({ name: 'redis', id: 'redis' })];
const plan = {
  generation: 4,
  listeners: [{ protocols: [0] }, { protocols: [0] }],
  protocols,
  routes: [{ name: 'routes[0]' }],
} as unknown as Plan;

const sizes = tiers.map((name, tier) => ({ name, bytes: tier + 1 }));

function start() {
  const names = new IdRegistry();
  const buffers = [createCounters(), createCounters()];
  const workers = buffers.map((buffer) => EngineCounts.of(buffer, names, named)) as [
    EngineCounts,
    EngineCounts,
  ];
  const reader = new TotalsReader(
    buffers.map((buffer) => new RowMemory(buffer)),
    names,
  );
  const around = {
    timeMs: 17,
    plan,
    workers: { wanted: 2, accepting: 1 },
    names,
    bans: { active: 3, attacks: 2 },
    buffers: sizes,
  };
  return { workers, snapshot: () => snapshotOf(reader.read(), around) };
}

test('before anything has happened, everything is there and zero', () => {
  const { snapshot } = start();
  const { endedConnections, index, ...rest } = snapshot();
  expect(endedConnections).toEqual(Object.fromEntries(reasons.map((reason) => [reason, 0])));
  expect(index).toMatchObject({ configured: 1, naming: 1, routes: 1 });
  expect(index.bytes).toBeGreaterThan(1000);
  expect(rest).toEqual({
    time: 17,
    generation: 4,
    workers: { wanted: 2, accepting: 1 },
    activeConnections: 0,
    acceptedConnections: 0,
    bytes: { up: 0, down: 0 },
    connectionPool: { active: 0, idle: 0, hits: 0, misses: 0, wasted: 0, failures: 0 },
    security: {
      total: 0,
      blocked: 0,
      rateLimited: 0,
      whitelisted: 0,
      blacklisted: 0,
      attacks: 2,
      refused: { overLimit: 0, denied: 0, rateLimited: 0, banned: 0 },
      rejected: 0,
      bansActive: 3,
    },
    memoryPool: {
      tiers: tiers.map((name, tier) => ({
        ...{ name, bytes: tier + 1, inUse: 0, free: 0, highWater: 0, uses: 0, misses: 0 },
        hitRate: null,
      })),
    },
    kcp: {
      ...{ links: 0, segmentsSent: 0, segmentsReceived: 0, retransmits: 0, recovered: 0 },
      ...{ resetsSent: 0, resetsReceived: 0 },
      dropped: { refused: 0, replayed: 0, malformed: 0, unknown: 0, full: 0 },
    },
    cacheHitRate: null,
    protocols: {},
  });
});

test('sums are over workers and listeners; what is active is what was accepted and has not ended', () => {
  const { workers, snapshot } = start();
  const [one, other] = workers;
  one.accept(0, 3);
  one.identify(0, 0, 1);
  one.connect(0, 0, 1);
  one.relay(0, 0, 10, 200);
  other.accept(1, 2);
  other.identify(1, 0, 1);
  other.identify(1, 1, 1);
  other.relay(1, 1, 5, 0);
  other.end(1, 1, 'rejected', 1);
  other.refuse(1);
  one.counters.addBy('anyport_cache_hits_total', 'affinity', one.counters.worker, 2);
  other.counters.addBy('anyport_cache_hits_total', 'affinity', other.counters.worker);
  other.counters.addBy('anyport_cache_misses_total', 'affinity', other.counters.worker);
  const pooled = one.plan.upstreamRow(0);
  one.counters.add('anyport_pool_hits_total', pooled, 3);
  one.counters.add('anyport_pool_misses_total', pooled, 2);
  one.counters.addBy('anyport_pool_wasted_total', 'expired', pooled, 4);
  one.counters.addBy('anyport_pool_connections', 'idle', pooled, 1);
  one.counters.addBy('anyport_connect_failures_total', 'connect_failed', one.plan.endpointRow(0, 0), 2);

  const found = snapshot();
  expect(found.cacheHitRate).toBe(0.75);
  expect(found).toMatchObject({
    activeConnections: 4,
    acceptedConnections: 6,
    endedConnections: { rejected: 1, over_limit: 1, done: 0 },
    bytes: { up: 15, down: 200 },
    connectionPool: { active: 1, idle: 1, hits: 3, misses: 2, wasted: 4, failures: 2 },
    security: { refused: { overLimit: 1 }, rejected: 1 },
    protocols: {
      http: { active: 2, identified: 2, ended: 0, bytes: { up: 10, down: 200 } },
      redis: { active: 0, identified: 1, ended: 1, bytes: { up: 5, down: 0 } },
    },
  });
  const ended = Object.values(found.endedConnections).reduce((sum, each) => sum + each, 0);
  expect(found.activeConnections + ended).toBe(found.acceptedConnections);
});

test('buffers by tier are those of all workers', () => {
  const { workers, snapshot } = start();
  for (const worker of workers) {
    worker.pool('medium', { inUse: 1, capacity: 10, uses: 3, misses: 1, peak: 2 });
  }
  expect(snapshot().memoryPool.tiers[2]).toEqual({
    ...{ name: 'medium', bytes: 3, inUse: 2, free: 18, highWater: 4, uses: 6, misses: 2, hitRate: 0.75 },
  });
});

test('it is plain data', () => {
  const { snapshot } = start();
  const found = snapshot();
  expect(JSON.parse(JSON.stringify(found))).toEqual(found);
});
