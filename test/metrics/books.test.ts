/** Counts stay with their name, whatever happens to Plans, workers and sessions. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCounters, RowMemory } from '../../src/metrics/memory.js';
import type { Named } from '../../src/model/ids.js';
import { total } from '../support/metrics.js';
import { Books, histories, type Step, unbalanced, type World, worldsOf } from './books.js';
import { ModelPlane } from './model-plane.js';

function worldOf(listeners: string, protocols: string, upstreams = 'web mail'): World {
  const words = (text: string) => text.split(' ');
  return {
    listeners: words(listeners).map((name) => ({ name })),
    protocols: words(protocols).map((id) => ({ id })),
    upstreams: words(upstreams).map((name) => ({ name, endpoints: [{ name: '10.0.0.1:80' }] })),
  };
}

const names: Named = worldOf('front back side', 'http tls ssh');

const weights = { accept: 6, refuse: 1, identify: 4, end: 4, die: 1 };

test('any sequence of Plans, sessions and deaths of workers', async () => {
  await fc.assert(
    fc.asyncProperty(histories(worldsOf(names), weights, 80), async (steps) => {
      const driver = new ModelPlane();
      const books = new Books(driver);
      for (const step of steps) {
        await books.take(step);
        expect(books.actual()).toEqual(books.expected());
        expect(unbalanced(driver.samples())).toEqual([]);
      }
    }),
  );
});

describe('what was counted', () => {
  const before: Step[] = [
    { kind: 'publish', world: worldOf('front back', 'http tls') },
    { kind: 'accept', worker: 0, listener: 0 },
    { kind: 'accept', worker: 0, listener: 1 },
    { kind: 'accept', worker: 1, listener: 1 },
    { kind: 'identify', session: 0, protocol: 0 },
    { kind: 'identify', session: 1, protocol: 1 },
  ];
  const gone: Step = { kind: 'publish', world: worldOf('side', 'ssh', 'other') };
  const back: Step = { kind: 'publish', world: worldOf('front back', 'http tls') };
  const cases: { why: string; steps: Step[] }[] = [
    { why: 'a worker dies and comes back', steps: [{ kind: 'die', worker: 0 }] },
    { why: 'each worker dies twice', steps: [0, 1, 0, 1].map((worker) => ({ kind: 'die', worker })) },
    { why: 'a name is resolved anew: the same Plan again', steps: [back] },
    {
      why: 'listeners, protocols and upstreams in another order',
      steps: [{ kind: 'publish', world: worldOf('side back front', 'ssh tls http', 'mail web') }],
    },
    { why: 'all of them go', steps: [gone] },
    { why: 'all of them go and come back', steps: [gone, back] },
    {
      why: 'a worker dies while they are gone',
      steps: [gone, { kind: 'die', worker: 0 }, { kind: 'die', worker: 1 }, back],
    },
  ];
  const after: Step[] = [
    { kind: 'accept', worker: 0, listener: 0 },
    { kind: 'accept', worker: 1, listener: 0 },
    { kind: 'identify', session: 0, protocol: 1 },
    { kind: 'end', session: 0, reason: 'done' },
    { kind: 'end', session: 0, reason: 'idle_timeout' },
  ];
  test.each(cases)('$why', async ({ steps }) => {
    const books = new Books(new ModelPlane());
    for (const step of [...before, ...steps, ...after]) {
      await books.take(step);
      expect(books.actual()).toEqual(books.expected());
    }
  });

  test('a worker that comes back goes on in the same rows', async () => {
    const driver = new ModelPlane();
    const books = new Books(driver);
    const rows = () => {
      let count = 0;
      for (const buffer of driver.buffers) new RowMemory(buffer).scan(() => (count += 1));
      return count;
    };
    for (const step of before) await books.take(step);
    const made = rows();
    const again: Step[] = [
      { kind: 'die', worker: 0 },
      back,
      { kind: 'accept', worker: 0, listener: 0 },
      { kind: 'identify', session: 1, protocol: 0 },
    ];
    for (const step of again) await books.take(step);
    expect(rows()).toBe(made);
  });
});

describe('a memory that is full', () => {
  /** Fits the initial rows and no further row with ids. */
  const MIN_CELLS = new Int32Array(createCounters())[0] as number;
  const many = worldOf(
    Array.from({ length: 12 }, (_, index) => `listener-${index}`).join(' '),
    Array.from({ length: 6 }, (_, index) => `protocol-${index}`).join(' '),
    Array.from({ length: 6 }, (_, index) => `upstream-${index}`).join(' '),
  );
  // From almost no room besides the initial rows to room for all.
  const bytes = fc.integer({ min: MIN_CELLS, max: 2600 }).map((cells) => cells * 8);

  test('nothing throws, nothing is lost, and each listener balances', async () => {
    await fc.assert(
      fc.asyncProperty(histories(worldsOf(many), weights, 120), bytes, async (steps, size) => {
        const driver = new ModelPlane(size);
        const books = new Books(driver);
        for (const step of steps) await books.take(step);
        const samples = driver.samples();
        expect(unbalanced(samples)).toEqual([]);
        expect(samples.filter(({ value }) => value < 0)).toEqual([]);
        const sum = (counts: Record<string, number>) =>
          Object.values(counts).reduce((all, count) => all + count, 0);
        expect(sum(books.actual())).toBe(sum(books.expected()));
      }),
    );
  });

  test('further tuples share one row, named (other)', async () => {
    const driver = new ModelPlane(MIN_CELLS * 8);
    const books = new Books(driver);
    await books.take({ kind: 'publish', world: many });
    for (let listener = 0; listener < 12; listener += 1) {
      await books.take({ kind: 'accept', worker: 0, listener });
      await books.take({ kind: 'identify', session: listener, protocol: listener });
    }
    const other = { listener: '(other)' };
    const samples = driver.samples();
    expect(total(samples, 'anyport_accepted_total', other)).toBe(12);
    expect(total(samples, 'anyport_sessions_active', { ...other, protocol: '(other)' })).toBe(12);
    expect(total(samples, 'anyport_endpoint_sessions', { upstream: '(other)', endpoint: '(other)' })).toBe(
      12,
    );
    expect(total(samples, 'anyport_connect_seconds_count', { upstream: '(other)' })).toBe(12);
    expect(samples.filter(({ labels }) => labels.listener?.startsWith('listener'))).toEqual([]);
  });
});
