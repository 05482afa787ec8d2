/** `anyport bench` on this machine, in runs too short to say anything but that it measures what it says. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bench, type Report } from '../../src/bench/bench.js';
import type { Result } from '../../src/bench/result.js';
import type { BenchRequest } from '../../src/bench/sweep.js';
import { conn } from '../../src/bench/workloads/conn.js';
import { anyport } from '../support/daemon.js';
import { tempFolder } from '../support/temp.js';

const short = ['--duration', '100ms', '--connections', '4'];
const reported = (stdout: string): Report => JSON.parse(stdout) as Report;

test('under rising load, with a page of plots', async () => {
  const folder = tempFolder();
  const page = `${folder.path}/report.html`;
  const args = ['bench', '--workload', 'conn', ...short, '--html', page, '--json', '-'];
  const { status, stdout } = await anyport(args);
  expect(status).toBe(0);
  const [result] = reported(stdout).results;
  const { full, ladder } = result as Result;
  expect(ladder.map(({ offered }) => (offered ?? 0) / (full?.perSecond ?? 0))).toEqual(
    [0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1].map((share) => expect.closeTo(share)),
  );
  expect(readFileSync(page, 'utf8')).toContain('connections offered per second');
  folder.remove();
});

test('ping and short connections: rates, latencies and CPU, with and without the daemon', async () => {
  const { status, stdout, stderr } = await anyport([
    'bench',
    '--workload',
    'ping,conn',
    ...short,
    '--json',
    '-',
  ]);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  const { results } = reported(stdout);
  expect(results.map(({ workload, connections, workers }) => [workload, connections, workers])).toEqual([
    ['ping', 4, 1],
    ['conn', 4, 1],
  ]);
  for (const { direct, full, half } of results) {
    expect(direct?.cpuPerUnit).toBeNull();
    expect(direct?.perSecond).toBeGreaterThan(0);
    expect(full?.cpuPerUnit).toBeGreaterThan(0);
    expect(half?.offered).toBeCloseTo((full?.perSecond ?? 0) / 2);
    const { p50, p90, p99, p999, max } = half?.latency ?? {};
    expect(p50).toBeGreaterThan(0);
    expect([p50, p90, p99, p999, max]).toEqual([p50, p90, p99, p999, max].toSorted((a = 0, b = 0) => a - b));
  }
  expect(stderr).toContain('6/6 conn, 4 connections, 1 worker: through the daemon');
});

test('transfers and idle sessions, as a table', async () => {
  const { status, stdout, stderr } = await anyport(['bench', '--workload', 'bulk-up,idle', ...short]);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  expect(stdout).toMatch(/^bulk-up +4 .* GB .* ms /m);
  expect(stdout).toMatch(/^idle +4 .* (?:B|KiB)$/m);
});

test('a daemon that answers wrongly has no figures', async () => {
  const echoes = {
    ...conn,
    sections: () => ({ protocols: [{ name: 'HTTP', handler: 'builtin:echo' }] }),
  };
  const request: BenchRequest = {
    workloads: [echoes],
    workers: [1],
    accept: ['reuseport'],
    connections: [1],
    bytes: null,
    durationMs: 100,
    ladder: false,
  };
  const progress = { begin() {}, step() {}, end() {} };
  await expect(bench(request, '', progress)).rejects.toThrow(/^conn, 1 connection, 1 worker: wrong answer: /);
});

const wrong = [
  { args: ['--workload', 'pong'], says: /--workload pong: there is\n {2}conn: short connections/ },
  { args: ['--workers', '0'], says: /--workers 0: give 1 to/ },
  { args: ['--connections', '1,9999999'], says: /--connections 9999999: .*open files/ },
  { args: ['--size', '1MiB', '--workload', 'conn'], says: /--size 1MiB: give 1 to 262144 bytes/ },
  { args: ['--accept', 'both'], says: /--accept both: give reuseport, handoff/ },
  { args: ['--duration', '5'], says: /--duration 5: give 100ms to 1h/ },
];
test.each(wrong)('bad usage: $args', async ({ args, says }) => {
  const { status, stdout, stderr } = await anyport(['bench', ...args]);
  expect(stderr).toMatch(says);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
});
