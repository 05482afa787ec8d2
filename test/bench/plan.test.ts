/** From figures to what a load takes. */
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Basis, basisOf, type Cost } from '../../src/bench/plan/basis.js';
import { calibrationFor } from '../../src/bench/plan/calibration.js';
import { planFor } from '../../src/bench/plan/plan.js';
import { parseWanted, type Wanted } from '../../src/bench/plan/wanted.js';
import type { Result, Run } from '../../src/bench/result.js';
import { anyport } from '../support/daemon.js';
import { tempFolder } from '../support/temp.js';

const nothing = { connectionsPerSecond: 0, bytesPerSecond: 0, messagesPerSecond: 0 };

const written: readonly [string, Wanted][] = [
  [
    '50000 connections, 2000/s, 4 Gbit/s',
    { ...nothing, connections: 50_000, connectionsPerSecond: 2000, bytesPerSecond: 5e8 },
  ],
  ['50k connections,100k messages/s', { ...nothing, connections: 50_000, messagesPerSecond: 100_000 }],
  ['1M connections, 1.5 GB/s', { ...nothing, connections: 1_000_000, bytesPerSecond: 1.5e9 }],
];
test.each(written)('%s', (text, wanted) => expect(parseWanted(text)).toEqual(wanted));

const wrong = [
  ['', /give numbers such as/],
  ['50000', /^50000: give numbers/],
  ['2000/s', /how many connections at once/],
  ['0 connections', /how many connections/],
  ['20M connections', /how many connections/],
  ['10 connections, 5/s, 6/s', /^6\/s: that is said twice/],
  ['10 connections, 4 Gbit', /^4 Gbit: give/],
] as const;
test.each(wrong)('refused: %j', (text, why) => expect(parseWanted(text)).toMatch(why));

const cost = (each: number, low = each, high = each): Cost => ({ each, low, high, rounds: 3, from: 'here' });
const basis: Basis = {
  connection: cost(60_000, 50_000, 70_000),
  gigabyte: cost(300e6),
  message: cost(10_000),
  session: cost(400),
  rest: { bytes: 80 * 2 ** 20, workers: 1 },
};
const plan = (text: string, of: Basis = basis) => planFor(parseWanted(text) as Wanted, of);

test('workers are so many that none is busier than 60 % at the dearest round', () => {
  const { cores, workers } = plan('1000 connections, 10000/s, 8 Gbit/s');
  expect(cores.likely).toBeCloseTo(0.6 + 0.3);
  expect([cores.low, cores.high]).toEqual([expect.closeTo(0.8), expect.closeTo(1)]);
  expect(workers).toBe(2);
  expect(plan('1000 connections').workers).toBe(1);
});

test('long sessions that are few for the workers are handed out one by one', () => {
  const busy = '8 Gbit/s, 100k messages/s';
  expect(plan(`50 connections, ${busy}`).accept).toBe('handoff');
  expect(plan(`50k connections, ${busy}`).accept).toBe('reuseport');
  expect(plan(`50 connections, 100/s, ${busy}`).accept).toBe('reuseport');
  expect(plan('1 connections').accept).toBe('reuseport');
});

test('memory grows with sessions and workers', () => {
  const bytes = (text: string) => plan(text).memory.reduce((sum, part) => sum + part.bytes, 0);
  expect(bytes('2000 connections') - bytes('1000 connections')).toBe(1000 * (400 + 2 * 4096));
  const more = plan('1000 connections, 10000/s, 8 Gbit/s').memory;
  expect(more).toContainEqual(expect.objectContaining({ what: '1 more workers' }));
});

test('what was not measured is said', () => {
  expect(plan('10 connections, 5/s', { ...basis, connection: null }).unknown).toEqual(['new connections']);
});

function result(workload: string, change: Partial<Result>): Result {
  const [accept, none] = [
    'reuseport' as const,
    { direct: null, full: null, rounds: [], half: null, ladder: [] },
  ];
  const setup = { workers: 1, accept, connections: 64, bytes: 64 };
  return { workload, unit: 'unit', measures: 'units', memory: null, ...setup, ...none, ...change };
}

function run(cpuPerUnit: number): Run {
  const cores = { daemon: 1, endpoint: 1, load: 1, others: 0 };
  return {
    offered: null,
    perSecond: 1,
    bytesPerSecond: 1,
    cpuPerUnit,
    cores,
    latency: null,
    unfinished: 0,
    lost: 0,
  };
}

const results = [
  result('conn', { full: run(60), rounds: [run(70), run(50), run(60)] }),
  result('ping', { connections: 1, full: run(30) }),
  result('ping', { full: run(10) }),
  result('bulk-down', { full: run(200) }),
  result('bulk-up', { full: run(300) }),
  result('idle', {
    connections: 8000,
    memory: { perSession: 350, residentBefore: 2 ** 26, residentWith: 2 ** 27 },
  }),
];

test('figures of a measurement: the dearer way of two, many round trips at once, the spread of rounds', () => {
  expect(basisOf(results)).toMatchObject({
    connection: { each: 60, low: 50, high: 70, rounds: 3, from: 'conn, 64 connections, 1 worker' },
    gigabyte: { each: 300 },
    message: { each: 10 },
    session: { each: 350 },
    rest: { bytes: 2 ** 26, workers: 1 },
  });
  expect(basisOf([])).toEqual({ connection: null, gigabyte: null, message: null, session: null, rest: null });
});

test('only what the load is made of is measured', () => {
  const names = (text: string) =>
    calibrationFor(parseWanted(text) as Wanted, 100).workloads.map(({ name }) => name);
  expect(names('10 connections')).toEqual(['idle']);
  expect(names('10 connections, 1/s, 1 GB/s, 1 messages/s')).toEqual([
    'conn',
    'ping',
    'bulk-down',
    'bulk-up',
    'idle',
  ]);
});

test('the command answers by figures of an earlier run, with what this machine lacks', async () => {
  const folder = tempFolder();
  const figures = `${folder.path}/figures.json`;
  const machine = { cpus: 2, model: 'a CPU', memory: 2 ** 34, kernel: '6.18' };
  writeFileSync(figures, JSON.stringify({ machine, date: 'then', results, notes: [] }));
  const load = '1000000 connections, 20k/s, 1 GB/s';
  const { status, stdout } = await anyport(['bench', '--plan', load, '--figures', figures]);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^workers +1 +measured once: /m);
  expect(stdout).toMatch(/^local ports +1,000,000 to one endpoint address +counted; short/m);
  expect(stdout).toMatch(/^server: \{ workers: 1, accept: reuseport, max_connections: 1000000 \}$/m);
  expect(stdout).toMatch(/^short {2}local ports: /m);
  const refused = await anyport(['bench', '--plan', load, '--figures', `${folder.path}/none`]);
  expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining('none') });
  folder.remove();
});
