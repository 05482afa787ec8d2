/** What is printed and drawn of figures. */
import { expect, test } from 'vitest';
import type { Report } from '../../src/bench/bench.js';
import { kneeOf } from '../../src/bench/knee.js';
import { notesOf } from '../../src/bench/notes.js';
import { pageHtml } from '../../src/bench/report/page.js';
import { linearScale, logScale } from '../../src/bench/report/scale.js';
import { reportText } from '../../src/bench/report/text.js';
import type { Result, Run } from '../../src/bench/result.js';

function run(offered: number | null, perSecond: number, p99 = 100): Run {
  const latency = { p50: 50, p90: 80, p99, p999: p99 * 2, max: p99 * 3, count: 1000 };
  const cores = { daemon: 1, endpoint: 0.3, load: 0.4, others: 0 };
  return {
    offered,
    perSecond,
    bytesPerSecond: 0,
    cpuPerUnit: 10_000,
    cores,
    latency,
    unfinished: 0,
    lost: 0,
  };
}

const ladder = [
  run(100, 101),
  run(500, 499),
  run(800, 790, 900),
  run(900, 880, 1100),
  run(1100, 990, 90_000),
];

const result = (change: Partial<Result> = {}): Result => ({
  workload: 'ping',
  unit: 'round trip',
  measures: 'units',
  workers: 1,
  accept: 'reuseport',
  connections: 64,
  bytes: 64,
  direct: run(null, 2500),
  full: run(null, 1000),
  rounds: [run(null, 1000)],
  half: run(500, 499),
  ladder,
  memory: null,
  ...change,
});

const idle = result({
  workload: 'idle',
  measures: 'memory',
  ...{ direct: null, full: null, rounds: [], half: null, ladder: [] },
  memory: { perSession: 350, residentBefore: 80 * 2 ** 20, residentWith: 83 * 2 ** 20 },
});

const report = (results: readonly Result[]): Report => ({
  anyport: '0.1.0',
  node: '20.20.2',
  machine: { cpus: 2, model: '<script>alert(1)</script>', memory: 2 ** 34, kernel: '6.18' },
  date: '2026-11-27T00:00:00.000Z',
  command: 'anyport bench --html "a&b"',
  durationMs: 1000,
  results,
  notes: notesOf(results),
});

test('the table has a row for each case, and columns of what differs', () => {
  const one = reportText(report([result(), idle]));
  expect(one).toMatch(/^ping +64 +1,000 +2,500 +2\.5 +10\.0 µs +50 µs +80 µs +100 µs +200 µs +–$/m);
  expect(one).toMatch(/^idle .* 350 B$/m);
  expect(one).not.toContain('workers');
  expect(reportText(report([result(), result({ workers: 2 })]))).toMatch(
    /^workload +connections +workers +per second/m,
  );
});

test('a page is whole by itself: nothing from elsewhere, nothing that runs', () => {
  const page = pageHtml(report([result(), result({ workers: 2 }), idle]));
  // Throughput and latency of both, CPU against workers, memory.
  expect(page.match(/<svg /g)).toHaveLength(6);
  expect(page.match(/>knee 800</g)).toHaveLength(4);
  expect(page).not.toMatch(/<script|<link|@import|url\(|https?:/);
  expect(page).toContain('&lt;script&gt;');
  expect(page).toContain('a&amp;b');
  expect(page).not.toContain('NaN');
  expect(page).toContain('prefers-color-scheme: dark');
});

test('a line of memory begins at what the daemon of that line takes at rest', () => {
  const two = { ...idle, workers: 2, memory: { ...idle.memory, residentBefore: 120 * 2 ** 20 } } as Result;
  const page = pageHtml(report([idle, { ...idle, connections: 128 }, two]));
  expect(page).toContain('<title>1 worker: 80 MiB at 0</title>');
  expect(page).toContain('<title>2 workers: 120 MiB at 0</title>');
});

test('a page of what was measured once says how to get its plots', () => {
  const page = pageHtml(report([result({ ladder: [] })]));
  expect(page).not.toContain('<svg');
  expect(page).toContain('--workers');
});

test('the knee is the last step that is carried, before latency runs away', () => {
  expect(kneeOf(ladder)?.offered).toBe(800);
  expect(kneeOf([run(100, 80)])).toBeNull();
  expect(kneeOf([])).toBeNull();
  expect(kneeOf([run(100, 100), { ...run(200, 200), unfinished: 1 }])?.offered).toBe(100);
});

test('notes say where the daemon was not the limit, and what else ran', () => {
  expect(notesOf([result()])).toEqual([]);
  const idleDaemon = { ...run(null, 2000), cores: { daemon: 0.5, endpoint: 0.3, load: 1, others: 0.4 } };
  const notes = notesOf([result({ full: idleDaemon, half: { ...run(500, 400), unfinished: 7 } })]);
  expect(notes).toHaveLength(3);
  expect(notes[0]).toMatch(/the limit, not the daemon.*ping, 64 connections, 1 worker \(1\.3 times/);
  expect(notes[1]).toMatch(/other programs .*\(0\.4\)/);
  expect(notes[2]).toMatch(/not finished in time.*\(7\)/);
});

test('axes end at round values and hold every value', () => {
  expect(linearScale([3, 41]).ticks).toEqual([0, 10, 20, 30, 40, 50]);
  expect(linearScale([0]).place(0)).toBe(0);
  const decades = logScale([130, 420_000]);
  expect([decades.from, decades.to]).toEqual([100, 500_000]);
  expect(decades.ticks).toEqual([100, 1000, 10_000, 100_000]);
  expect(decades.place(100)).toBe(0);
  expect(decades.place(500_000)).toBe(1);
  expect(logScale([250, 4000]).ticks).toEqual([200, 500, 1000, 2000, 5000]);
});
