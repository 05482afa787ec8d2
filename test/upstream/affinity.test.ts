/** Affinity: the table by itself, then what it means for picks. */
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HealthTable } from '../../src/health/table.js';
import type { PlanEndpoint } from '../../src/model/plan.js';
import { AffinityTable, affinityLimits, createAffinityMemory } from '../../src/upstream/affinity.js';
import { Loads } from '../../src/upstream/loads.js';
import { type Seeker, Upstream } from '../../src/upstream/upstream.js';
import { optionsWith } from '../support/plan.js';

const client = (source: string, change: Partial<Seeker> = {}): Seeker => ({
  source,
  facts: {},
  doubtful: [],
  tried: undefined,
  full: -1,
  ...change,
});

describe('the table', () => {
  test('knows what was set, by upstream and key, until it ends', () => {
    const table = new AffinityTable();
    table.set(1, 'a', 50, 100, 110);
    table.set(2, 'a', 60, 100, 110);
    expect([table.find(1, 'a', 109), table.find(2, 'a', 109), table.find(1, 'b', 109)]).toEqual([50, 60, -1]);
    expect(table.find(1, 'a', 110)).toBe(-1);
    table.set(1, 'a', 51, 105, 120);
    expect(table.find(1, 'a', 115)).toBe(51);
    table.shorten(1, 'a', 115, 117);
    table.shorten(1, 'a', 116, 119);
    expect([table.find(1, 'a', 116), table.find(1, 'a', 117)]).toEqual([51, -1]);
  });

  test('is as a map is, but for what has ended', () => {
    const key = fc.constantFrom('', 'a', 'b', '10.0.0.1', 'x'.repeat(300));
    const step = fc.record({ upstream: fc.nat(2), key, endpoint: fc.nat(300_000), lasts: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const table = tableOf(memory);
        const model = new Map<string, { endpoint: number; ends: number }>();
        for (const { upstream, key: name, endpoint, lasts } of steps) {
          now += 1;
          const known = model.get(`${upstream} ${name}`);
          const found = known !== undefined && known.ends > now ? known.endpoint : -1;
          if (known !== undefined) expect(table.find(upstream, name, now)).toBe(found);
          table.set(upstream, name, endpoint, now, now + lasts);
          model.set(`${upstream} ${name}`, { endpoint, ends: now + lasts });
        }
        now += 10;
      }),
    );
  });
  const memory = createAffinityMemory(() => 0.3);
  const tableOf = (shared: SharedArrayBuffer) => new AffinityTable(shared);
  let now = 0;

  test('is bounded: twice its entries, and most of the later half is there', () => {
    const table = new AffinityTable(createAffinityMemory(() => 0.7));
    const { entries } = affinityLimits;
    for (let key = 0; key < 2 * entries; key++) table.set(1, `k${key}`, key, 0, 1000 + key);
    const later = Array.from({ length: entries }, (_, at) => entries + at);
    const found = later.filter((key) => table.find(1, `k${key}`, 0) === key).length;
    const wrong = later.filter((key) => ![key, -1].includes(table.find(1, `k${key}`, 0))).length;
    console.log(`of the last ${entries} keys ${((100 * found) / entries).toFixed(1)} % are there`);
    expect(found / entries).toBeGreaterThan(0.75);
    expect(wrong).toBe(0);
  });

  test('what has ended gives way first', () => {
    const table = new AffinityTable();
    for (let key = 0; key < affinityLimits.entries; key++) table.set(1, `old${key}`, 1, 0, 10);
    for (let key = 0; key < 1000; key++) table.set(1, `new${key}`, key, 20, 100);
    const found = Array.from({ length: 1000 }, (_, key) => table.find(1, `new${key}`, 21));
    expect(found).toEqual(found.map((_, key) => key));
  });

  test('keys are hashed with the seed of the process', () => {
    const places = (random: () => number) => {
      const memory = createAffinityMemory(random);
      new AffinityTable(memory).set(1, 'a', 9, 0, 10);
      return new Int32Array(memory).findLastIndex((word) => word !== 0);
    };
    expect(places(() => 0.1)).not.toBe(places(() => 0.2));
  });

  test('threads that write the same entries at once never make one up', async () => {
    const memory = createAffinityMemory();
    const module = new URL('../../dist/upstream/affinity.js', import.meta.url).href;
    // Every key has endpoints of its own: key + 1000 × anything.
    const code = `
      const { parentPort, workerData } = require('node:worker_threads');
      import(${JSON.stringify(module)}).then(({ AffinityTable }) => {
        const table = new AffinityTable(workerData.memory);
        let wrong = 0, found = 0;
        for (let turn = 0; turn < 300_000; turn++) {
          const key = (turn * 7 + workerData.seed) % 40;
          const endpoint = table.find(1, 'k' + key, 0);
          if (endpoint >= 0) { found += 1; if (endpoint % 1000 !== key) wrong += 1; }
          table.set(1, 'k' + key, key + 1000 * (turn % 50), 0, 100 + (turn % 9));
        }
        parentPort.postMessage({ wrong, found });
      });`;
    const results = await Promise.all(
      [0, 1, 2].map(
        (seed) =>
          new Promise<{ wrong: number; found: number }>((resolve, reject) => {
            const worker = new Worker(code, { eval: true, workerData: { memory, seed } });
            worker.once('message', resolve).once('error', reject);
          }),
      ),
    );
    for (const { wrong, found } of results) {
      expect(wrong).toBe(0);
      expect(found).toBeGreaterThan(1000);
    }
  });
});

/** Two workers: tables over the same memory. */
function start(change: Parameters<typeof optionsWith>[0] = {}) {
  const memory = createAffinityMemory();
  const health = new HealthTable();
  const counted = new Map<number, number>();
  const looked: boolean[] = [];
  const time = { ms: 1_000_000 };
  const around = () => ({
    ...{
      health,
      random: Math.random,
      nowMs: () => time.ms,
      lookedUp: (found: boolean) => looked.push(found),
    },
    loads: new Loads((id) => counted.get(id) ?? 0),
    affinity: new AffinityTable(memory),
  });
  /** An upstream of these endpoints, by number; its ids are 10 times those. */
  const upstream = (
    numbers: readonly number[],
    endpoints: Readonly<Record<number, Partial<PlanEndpoint>>> = {},
  ) => {
    const plan = {
      name: 'web',
      handler: null,
      kcp: null,
      via: null,
      options: optionsWith({ affinity: 'source', ...change }),
      endpoints: numbers.map((number) => ({
        ...{ name: `web-${number}:80`, weight: 1, backup: false, state: 'up' as const },
        addresses: [{ host: `10.0.0.${number}`, port: 80 }],
        ...endpoints[number],
      })),
    };
    const one = new Upstream(
      { plan, id: 7, ids: numbers.map((number) => 10 * number), affinityMs: 300_000 },
      around(),
    );
    /** The number of the endpoint. */
    return (seeker: Seeker) => numbers[one.pick(seeker)];
  };
  return { upstream, health, counted, looked, time };
}

const many = Array.from({ length: 50 }, (_, at) => client(`192.0.2.${at}`));
const down = { up: false, share: 256 };
const well = { up: true, share: 256 };

describe('picks', () => {
  test('a client goes where it went, in every worker and under every Plan, however endpoints are listed', () => {
    const { upstream, looked } = start();
    const first = many.map(upstream([1, 2, 3, 4]));
    expect(new Set(first).size).toBe(4);
    expect(looked).toEqual(many.map(() => false));
    expect(many.map(upstream([1, 2, 3, 4]))).toEqual(first);
    expect(many.map(upstream([6, 4, 2, 1, 5, 3], { 5: { weight: 256 }, 2: { weight: 9 } }))).toEqual(first);
    expect(looked.slice(50)).toEqual([...many, ...many].map(() => true));
  });

  test('until cache_ttl after its last session', () => {
    const { upstream, time, looked } = start({ balance: 'round_robin' });
    const pick = upstream([1, 2]);
    for (let session = 0; session < 5; session++) {
      pick(client('a'));
      time.ms += 299_000;
    }
    expect(looked).toEqual([false, true, true, true, true]);
    time.ms += 2_000;
    pick(client('a'));
    expect(looked.at(-1)).toBe(false);
  });

  test('an endpoint that is ejected keeps its clients for a minute', () => {
    const { upstream, health, time } = start();
    const pick = upstream([1, 2]);
    const own = pick(client('a')) as number;
    health.set(10 * own, down);
    expect(pick(client('a'))).toBe(3 - own);
    time.ms += 50_000;
    expect(pick(client('a'))).toBe(3 - own);
    health.set(10 * own, well);
    expect(pick(client('a'))).toBe(own);
    health.set(10 * own, down);
    pick(client('a'));
    time.ms += 61_000;
    expect(pick(client('a'))).toBe(3 - own);
    health.set(10 * own, well);
    expect(pick(client('a'))).toBe(3 - own);
  });

  test('a full one keeps its clients, by limit and by backlog', () => {
    const { upstream, counted } = start({ max_connections: 2 });
    const pick = upstream([1, 2]);
    const own = pick(client('a')) as number;
    counted.set(10 * own, 2);
    expect(pick(client('a'))).toBe(3 - own);
    counted.clear();
    const index = own - 1;
    expect(pick(client('a', { tried: new Set([index]), full: index }))).toBe(3 - own);
    expect(upstream([1, 2])(client('a'))).toBe(own);
  });

  test.each([
    { why: 'drained', change: { state: 'drain' } },
    { why: 'taken down', change: { state: 'down' } },
    { why: 'of weight 0', change: { weight: 0 } },
    { why: 'made a backup', change: { backup: true } },
  ] as const)('one that is $why is replaced', ({ change }) => {
    const { upstream } = start();
    const own = upstream([1, 2])(client('a')) as number;
    expect(upstream([1, 2], { [own]: change })(client('a'))).toBe(3 - own);
    expect(upstream([1, 2])(client('a'))).toBe(3 - own);
  });

  test('one that is gone, or could not be reached, is replaced', () => {
    const { upstream } = start();
    const own = upstream([1, 2])(client('a')) as number;
    expect(upstream([3 - own])(client('a'))).toBe(3 - own);
    expect(upstream([1, 2])(client('a'))).toBe(3 - own);
    const tried = new Set([2 - own]);
    expect(upstream([1, 2])(client('a', { tried }))).toBe(own);
    expect(upstream([1, 2])(client('a'))).toBe(own);
  });

  test('a session that tries again is one look-up', () => {
    const { upstream, looked } = start();
    const pick = upstream([1, 2]);
    const own = pick(client('a')) as number;
    pick(client('a', { tried: new Set([own - 1]) }));
    expect(looked).toEqual([false]);
  });

  test('a backup serves only while no other can', () => {
    const { upstream, health } = start();
    const pick = upstream([1, 2], { 2: { backup: true } });
    health.set(10, down);
    expect([pick(client('a')), pick(client('a'))]).toEqual([2, 2]);
    health.set(10, well);
    expect(pick(client('a'))).toBe(1);
  });

  test('nobody there: nothing is remembered', () => {
    const { upstream, health } = start();
    for (const id of [10, 20]) health.set(id, down);
    const pick = upstream([1, 2]);
    expect(pick(client('a'))).toBeUndefined();
    for (const id of [10, 20]) health.set(id, well);
    expect(pick(client('a'))).toBeDefined();
  });

  test('by a fact: sni', () => {
    const { upstream } = start({ affinity: 'sni' });
    const pick = upstream([1, 2, 3, 4]);
    const named = many.map((each) => pick({ ...each, facts: { sni: 'a.example' } }));
    expect(new Set(named).size).toBe(1);
    expect(new Set(many.map(pick)).size).toBe(4);
  });
});
