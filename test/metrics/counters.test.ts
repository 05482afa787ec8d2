import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CountersShape, createCounters, WorkerCounters } from '../../src/metrics/counters.js';
import { layoutOf } from '../../src/metrics/layout.js';
import { type ListenerTotals, reconcile, snapshot, type Totals, totalsOf } from '../../src/metrics/totals.js';
import { type Reason, reasons } from '../../src/model/session.js';

const shape: CountersShape = {
  listeners: ['front', 'back'],
  protocols: ['http', 'tls', 'ssh'],
  upstreams: [
    { name: 'web', endpoints: ['10.0.0.1:80', '10.0.0.2:80'] },
    { name: 'bastion', endpoints: ['10.0.0.3:22'] },
  ],
};

/** A worker as the counters see it: what the addon writes into its cells, and what JavaScript counts. */
class Worker {
  readonly buffer = createCounters(shape);
  readonly counters = new WorkerCounters(shape, this.buffer);
  readonly #cells = new Float64Array(this.buffer);
  readonly #open: { listener: number; protocol: number }[] = [];

  accept(listener: number): void {
    this.#write(this.counters.acceptedCell(listener), 1);
    this.#open.push({ listener, protocol: -1 });
  }

  refuse(listener: number): void {
    this.#write(this.counters.acceptedCell(listener), 1);
    this.#write(this.counters.refusedCell(listener), 1);
  }

  identify(pick: number, protocol: number): void {
    const session = this.#open[pick % this.#open.length];
    if (!session || session.protocol !== -1) return;
    session.protocol = protocol;
    this.counters.identified(session.listener, protocol, 3);
  }

  relay(pick: number, up: number, down: number): void {
    const session = this.#open[pick % this.#open.length];
    if (!session) return;
    const cell = this.counters.bytesCell(session.listener, session.protocol);
    this.#write(cell, up);
    this.#write(cell + 1, down);
  }

  end(pick: number, reason: Reason): void {
    const [session] = this.#open.splice(pick % Math.max(this.#open.length, 1), 1);
    if (session) this.counters.ended(session.listener, session.protocol, reason, 20, session.protocol !== -1);
  }

  die(): void {
    this.#open.length = 0;
    reconcile(shape, this.buffer);
  }

  open(listener: number, protocol: number): number {
    return this.#open.filter((s) => s.listener === listener && s.protocol === protocol).length;
  }

  #write(cell: number, value: number): void {
    this.#cells[cell] = (this.#cells[cell] as number) + value;
  }
}

const listener = fc.nat(shape.listeners.length - 1);
const protocol = fc.nat(shape.protocols.length - 1);
const pick = fc.nat(50);
const step: fc.Arbitrary<(worker: Worker) => void> = fc.oneof(
  { weight: 4, arbitrary: listener.map((l) => (worker: Worker) => worker.accept(l)) },
  { weight: 1, arbitrary: listener.map((l) => (worker: Worker) => worker.refuse(l)) },
  {
    weight: 3,
    arbitrary: fc.tuple(pick, protocol).map(
      ([at, p]) =>
        (worker: Worker) =>
          worker.identify(at, p),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(pick, fc.nat(), fc.nat()).map(
      ([at, up, down]) =>
        (worker: Worker) =>
          worker.relay(at, up, down),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(pick, fc.constantFrom(...reasons)).map(
      ([at, reason]) =>
        (worker: Worker) =>
          worker.end(at, reason),
    ),
  },
  { weight: 1, arbitrary: fc.constant((worker: Worker) => worker.die()) },
);

function settled({ protocols }: ListenerTotals): number {
  const counts = protocols.flatMap(({ ended, active }) => [...Object.values(ended), active]);
  return counts.reduce((sum, count) => sum + count, 0);
}

function take(workers: readonly Worker[]): Totals {
  return snapshot(
    shape,
    workers.map(({ buffer }) => buffer),
  );
}

describe('counters add up', () => {
  test('accepted = ended + active, after every step, over all workers', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1), step), { maxLength: 80 }), (steps) => {
        const workers = [new Worker(), new Worker()];
        for (const [worker, act] of steps) {
          act(workers[worker] as Worker);
          for (const [l, totals] of take(workers).listeners.entries()) {
            expect(settled(totals)).toBe(totals.accepted);
            const open = totals.protocols.map((_, p) =>
              workers.reduce((n, each) => n + each.open(l, p - 1), 0),
            );
            expect(totals.protocols.map(({ active }) => active)).toEqual(open);
          }
        }
      }),
    );
  });
});

describe('snapshot', () => {
  test('a refused connection is accepted, refused, and a session that ended over the limit', () => {
    const worker = new Worker();
    worker.refuse(1);
    const back = take([worker]).listeners[1];
    expect(back).toMatchObject({ name: 'back', accepted: 1, refused: 1 });
    expect(back?.protocols[0]).toMatchObject({ protocol: '', active: 0, ended: { over_limit: 1 } });
  });

  test('bytes count for the protocol they are relayed under', () => {
    const worker = new Worker();
    worker.accept(0);
    worker.identify(0, 2);
    worker.relay(0, 2 ** 40, 7);
    const ssh = take([worker]).listeners[0]?.protocols[3];
    expect(ssh).toMatchObject({ protocol: 'ssh', identified: 1, active: 1, bytesUp: 2 ** 40, bytesDown: 7 });
  });

  test('endpoints: sessions connected now, and failures by reason', () => {
    const worker = new Worker();
    worker.counters.connected(0, 1, 4);
    worker.counters.connected(0, 1, 6000);
    worker.counters.released(0, 1);
    worker.counters.connectFailed(1, 0, 'connect_timeout');
    const [web, bastion] = take([worker]).upstreams;
    expect(web?.endpoints.map(({ sessions }) => sessions)).toEqual([0, 1]);
    expect(web?.connectSeconds.sum).toBeCloseTo(6.004);
    expect(web?.connectSeconds.counts.at(-1)).toBe(1);
    expect(bastion?.endpoints[0]).toEqual({
      name: '10.0.0.3:22',
      sessions: 0,
      failures: { connect_timeout: 1 },
    });
  });

  test('a worker that died leaves no session open', () => {
    const worker = new Worker();
    worker.accept(0);
    worker.accept(0);
    worker.identify(1, 0);
    worker.counters.connected(0, 0, 1);
    worker.die();
    const totals = take([worker]);
    const [unknown, http] = totals.listeners[0]?.protocols ?? [];
    expect(unknown).toMatchObject({ active: 0, ended: { reset: 1 } });
    expect(http).toMatchObject({ active: 0, identified: 1, ended: { reset: 1 } });
    expect(totals.upstreams[0]?.endpoints[0]?.sessions).toBe(0);
  });
});

describe('histogram', () => {
  const cases = [
    { why: 'a bound belongs to its own bucket', ms: 1, bucket: 1 },
    { why: 'nothing measured is in the first', ms: 0, bucket: 0 },
    { why: 'between two bounds', ms: 7, bucket: 4 },
    { why: 'over the last bound', ms: 20_000, bucket: 14 },
  ];
  test.each(cases)('$why', ({ ms, bucket }) => {
    const worker = new Worker();
    worker.counters.identified(0, 0, ms);
    const { counts, sum } = take([worker]).identifySeconds;
    expect(counts.map((count, i) => (count > 0 ? i : -1)).filter((i) => i >= 0)).toEqual([bucket]);
    expect(sum).toBeCloseTo(ms / 1000);
  });
});

test('a session that ends while the totals are read is not seen twice', () => {
  const layout = layoutOf(shape);
  for (let moment = 0; moment < layout.cells; moment += 1) {
    const worker = new Worker();
    worker.accept(0);
    worker.identify(0, 1);
    const cells = new Float64Array(worker.buffer);
    let reads = 0;
    const totals = totalsOf(shape, layout, (cell) => {
      if (reads++ === moment) worker.end(0, 'done');
      return cells[cell] as number;
    });
    const tallies =
      totals.listeners[0]?.protocols.map(({ active, ended }) => [active, ended.done ?? 0]) ?? [];
    expect(tallies.flat().every((count) => count >= 0)).toBe(true);
    expect(tallies.flat().reduce((sum, count) => sum + count, 0)).toBe(1);
  }
});
