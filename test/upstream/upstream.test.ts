import { getHeapSpaceStatistics } from 'node:v8';
import { describe, expect, test } from 'vitest';
import { HealthTable } from '../../src/health/table.js';
import type { EndpointState } from '../../src/model/overrides.js';
import type { PlanEndpoint, PlanUpstream } from '../../src/model/plan.js';
import { AffinityTable } from '../../src/upstream/affinity.js';
import { type StrategyName, strategyNames } from '../../src/upstream/balance/index.js';
import { Loads } from '../../src/upstream/loads.js';
import { type Around, type Seeker, Upstream } from '../../src/upstream/upstream.js';
import { optionsWith } from '../support/plan.js';

const client = (change: Partial<Seeker> = {}): Seeker => ({
  source: '192.0.2.7',
  facts: {},
  doubtful: [],
  tried: undefined,
  full: -1,
  ...change,
});

const idle = () => new Loads(() => 0);

const around = (change: Partial<Around> = {}): Around => ({
  loads: idle(),
  random: () => 0,
  health: new HealthTable(),
  affinity: new AffinityTable(),
  nowMs: () => 0,
  lookedUp: () => {},
  ...change,
});

type Options = Parameters<typeof optionsWith>[0];

function planOf(options: Options, endpoints: readonly Partial<PlanEndpoint>[]): PlanUpstream {
  return {
    name: 'web',
    handler: null,
    kcp: null,
    via: null,
    options: optionsWith(options),
    endpoints: endpoints.map((endpoint, index) => ({
      name: `web-${index}:80`,
      weight: 1,
      backup: false,
      state: 'up',
      addresses: [{ host: `10.0.0.${index}`, port: 80 }],
      ...endpoint,
    })),
  };
}

const three = (balance: StrategyName = 'round_robin', change: readonly Partial<PlanEndpoint>[] = []) =>
  planOf(
    { balance },
    [0, 1, 2].map((index) => change[index] ?? {}),
  );

/** Ids of the endpoints are 1, 2, 3 … unless given. */
const upstreamOf = (
  plan: PlanUpstream,
  surroundings: Around,
  { ids = plan.endpoints.map((_, index) => index + 1), before }: { ids?: number[]; before?: Upstream } = {},
) => new Upstream({ plan, id: 7, ids, affinityMs: 60_000 }, surroundings, before);

const picksOf = (upstream: Upstream, count: number) =>
  Array.from({ length: count }, () => upstream.pick(client()));

test('an endpoint that is not resolved is not picked', () => {
  const upstream = upstreamOf(three('round_robin', [{ addresses: [] }, {}, { addresses: [] }]), around());
  expect(picksOf(upstream, 3)).toEqual([1, 1, 1]);
});

test('an endpoint that is down is not picked, from the next pick on', () => {
  const health = new HealthTable();
  const upstream = upstreamOf(three(), around({ health }));
  health.set(2, { up: false, share: 256 });
  expect(picksOf(upstream, 3)).toEqual([0, 2, 0]);
  health.set(2, { up: true, share: 256 });
  expect(picksOf(upstream, 60).filter((picked) => picked === 1)).toHaveLength(20);
});

test.each(strategyNames)('%s: a share counts as a part of the weight', (balance) => {
  const health = new HealthTable();
  const loads = idle(); // never settles: sessions that last
  const upstream = upstreamOf(three(balance), around({ health, loads, random: Math.random }));
  health.set(2, { up: true, share: 64 });
  const picks = Array.from({ length: 9000 }, (_, at) => upstream.pick(client({ source: `c${at}` })));
  const part = picks.filter((picked) => picked === 1).length / 9000;
  expect(part).toBeGreaterThan(0.095); // a ninth
  expect(part).toBeLessThan(0.13);
});

test('an endpoint that was tried is not picked again, until none is left', () => {
  const upstream = upstreamOf(three(), around());
  const tried = new Set<number>();
  for (let attempt = 0; attempt < 3; attempt++) tried.add(upstream.pick(client({ tried })));
  expect(tried).toEqual(new Set([0, 1, 2]));
  expect(upstream.pick(client({ tried }))).toBe(-1);
  expect(upstream.pick(client())).toBeGreaterThanOrEqual(0);
});

test('what is counted of an endpoint, by its id, is what least_connections looks at', () => {
  const counted = new Map([
    [7, 2],
    [8, 1],
  ]);
  const loads = new Loads((id) => counted.get(id) ?? 0);
  const plan = planOf({ balance: 'least_connections' }, [{}, {}]);
  expect(upstreamOf(plan, around({ loads }), { ids: [7, 8] }).pick(client())).toBe(1);
  loads.settle();
  // Another Plan has them in another order.
  expect(upstreamOf(plan, around({ loads }), { ids: [8, 7] }).pick(client())).toBe(0);
  loads.settle();
  counted.clear();
  expect(upstreamOf(plan, around({ loads }), { ids: [7, 8] }).pick(client())).toBe(0);
});

test('what was picked and is not counted yet weighs too, until it is', () => {
  const loads = idle();
  const upstream = upstreamOf(three('least_connections'), around({ loads }), { ids: [4, 500, 6] });
  const picks = picksOf(upstream, 9);
  expect([0, 1, 2].map((at) => picks.filter((picked) => picked === at).length)).toEqual([3, 3, 3]);
  expect([4, 500, 6].map((id) => loads.sessions(id))).toEqual([3, 3, 3]);
  loads.settle();
  expect([4, 500, 6].map((id) => loads.sessions(id))).toEqual([0, 0, 0]);
});

test('picks leave no garbage in the old generation, which only a full collection frees', () => {
  const oldBytes = () =>
    getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ?? 0;
  const loads = idle();
  loads.picked(7);
  // Young objects are collected several times: what stays moves to the old generation.
  const garbage: unknown[] = [];
  for (let each = 0; each < 50_000; each += 1) garbage[each % 10] = new Array(1000);
  const before = oldBytes();
  for (let turn = 0; turn < 50_000; turn += 1) {
    loads.settle();
    loads.picked(7);
  }
  expect(garbage).toHaveLength(10);
  expect(oldBytes() - before).toBeLessThan(1 << 20);
});

test.each(strategyNames)(
  '%s: only an endpoint that is up and has a weight gets a session, a backup when no other is',
  (balance) => {
    const pickOf = (states: readonly (EndpointState | 'weightless')[], tried?: Set<number>) => {
      const change = states.map((state, index) => ({
        state: state === 'weightless' ? ('up' as const) : state,
        weight: state === 'weightless' ? 0 : 3,
        backup: index === 2,
      }));
      const upstream = upstreamOf(three(balance, change), around({ random: Math.random }));
      const picks = Array.from({ length: 60 }, (_, at) => upstream.pick(client({ source: `c${at}`, tried })));
      return [...new Set(picks)].toSorted();
    };
    expect(pickOf(['up', 'up', 'up'])).toEqual([0, 1]);
    expect(pickOf(['drain', 'up', 'up'])).toEqual([1]);
    expect(pickOf(['weightless', 'up', 'up'])).toEqual([1]);
    expect(pickOf(['down', 'drain', 'up'])).toEqual([2]);
    expect(pickOf(['weightless', 'weightless', 'up'])).toEqual([2]);
    expect(pickOf(['up', 'up', 'up'], new Set([0, 1]))).toEqual([2]);
    expect(pickOf(['up', 'down', 'down'])).toEqual([0]);
    expect(pickOf(['up', 'weightless', 'weightless'])).toEqual([0]);
    expect(pickOf(['drain', 'down', 'weightless'])).toEqual([-1]);
  },
);

test.each(strategyNames)('%s: a full endpoint is passed over', (balance) => {
  const counted = new Map([[2, 4]]);
  const loads = new Loads((id) => counted.get(id) ?? 0);
  const surroundings = around({ loads, random: Math.random });
  const upstream = upstreamOf(planOf({ balance, max_connections: 4 }, [{}, {}, {}]), surroundings);
  const pickMany = () =>
    Array.from({ length: 40 }, (_, at) => {
      loads.settle();
      return upstream.pick(client({ source: `c${at}` }));
    });
  expect(new Set(pickMany())).toEqual(new Set([0, 2]));
  for (const id of [1, 3]) counted.set(id, 4);
  expect(new Set(pickMany())).toEqual(new Set([-1]));
  counted.clear();
  expect(new Set(pickMany())).toEqual(new Set([0, 1, 2]));
});

describe('a Plan that follows another', () => {
  test('goes on where that stands, with other weights and endpoints', () => {
    const surroundings = around();
    const first = upstreamOf(three(), surroundings);
    expect(first.pick(client())).toBe(0);
    const second = upstreamOf(three('round_robin', [{ weight: 9 }]), surroundings, { before: first });
    // While it is prepared, the first one is in use.
    expect(first.pick(client())).toBe(1);
    expect(picksOf(second, 4)).toEqual([2, 0, 1, 2]);
    const fourth = planOf({}, [{}, {}, {}, {}]);
    expect(picksOf(upstreamOf(fourth, surroundings, { before: second }), 4).slice(0, 3)).toEqual([0, 1, 2]);
  });

  test('goes on past Plans that had no session', () => {
    const surroundings = around();
    const first = upstreamOf(three(), surroundings);
    expect(picksOf(first, 2)).toEqual([0, 1]);
    let last = first;
    for (let change = 0; change < 5; change++) last = upstreamOf(three(), surroundings, { before: last });
    expect(last.pick(client())).toBe(2);
  });

  test('a session of the Plan before still finds an endpoint', () => {
    const first = upstreamOf(three(), around());
    first.pick(client());
    upstreamOf(three('random_two'), around(), { before: first }).pick(client());
    expect(first.pick(client({ tried: new Set([0, 1]) }))).toBe(2);
  });
});

describe('hash_key', () => {
  const byKey = (hash_key: 'source' | 'sni' | 'host' | 'client_id', change: Partial<Seeker>[]) => {
    const plan = planOf({ balance: 'consistent_hash', hash_key }, Array(50).fill({}));
    const upstream = upstreamOf(plan, around());
    return new Set(change.map((each) => upstream.pick(client(each)))).size;
  };
  const sources = Array.from({ length: 20 }, (_, at) => `198.51.100.${at}`);

  test.each(['sni', 'host', 'client_id'] as const)(
    '%s: clients with the same one go to one endpoint',
    (key) => {
      expect(
        byKey(
          key,
          sources.map((source) => ({ source, facts: { [key]: 'a.example' } })),
        ),
      ).toBe(1);
      expect(
        byKey(
          key,
          sources.map((source) => ({ facts: { [key]: source } })),
        ),
      ).toBeGreaterThan(10);
      expect(
        byKey(
          'source',
          sources.map((source) => ({ facts: { [key]: source } })),
        ),
      ).toBe(1);
    },
  );

  test('a session without it, or whose fact is doubtful, is known by its source', () => {
    expect(
      byKey(
        'sni',
        sources.map((source) => ({ source })),
      ),
    ).toBeGreaterThan(10);
    const doubtful = sources.map((source) => ({ source, facts: { sni: 'a' }, doubtful: ['sni'] }));
    expect(byKey('sni', doubtful)).toBeGreaterThan(10);
  });

  test('its fact is waited for, where it counts', () => {
    const awaits = (options: Options) => upstreamOf(planOf(options, [{}]), around()).awaits({ host: 'a' });
    expect(awaits({ balance: 'consistent_hash', hash_key: 'sni' })).toBe(true);
    expect(awaits({ balance: 'consistent_hash', hash_key: 'host' })).toBe(false);
    expect(awaits({ balance: 'round_robin', hash_key: 'sni' })).toBe(false);
    expect(awaits({ affinity: 'client_id' })).toBe(true);
    expect(awaits({ affinity: 'source' })).toBe(false);
  });
});
