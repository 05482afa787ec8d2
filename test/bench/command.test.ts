/** `anyport bench` on this machine, in runs too short to say anything but that it measures what it says. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bench, type Report } from '../../src/bench/bench.js';
import type { Result } from '../../src/bench/result.js';
import type { BenchRequest } from '../../src/bench/sweep.js';
import { conn } from '../../src/bench/workloads/conn.js';
import { requestOf } from '../../src/cli/bench/options.js';
import { anyport } from '../support/daemon.js';
import { tempFolder } from '../support/temp.js';

const short = ['--duration', '250ms', '--connections', '4'];

test('short connections: rates, latencies and CPU, with and without the daemon, and under rising load', async () => {
  const folder = tempFolder();
  const page = `${folder.path}/report.html`;
  const args = ['bench', '--workload', 'conn', ...short, '--html', page, '--json', '-'];
  const { status, stdout, stderr } = await anyport(args);
  expect(status, stderr).toBe(0);
  const [result] = (JSON.parse(stdout) as Report).results;
  const { direct, full, half, ladder } = result as Result;
  expect(result).toMatchObject({ workload: 'conn', connections: 4, workers: 1, accept: 'reuseport' });
  expect(direct?.cpuPerUnit).toBeNull();
  expect(direct?.perSecond).toBeGreaterThan(0);
  expect(full?.cpuPerUnit).toBeGreaterThan(0);
  const { p50 = 0, p90 = 0, p99 = 0, p999 = 0, max = 0 } = half?.latency ?? {};
  expect(p50).toBeGreaterThan(0);
  expect([p50, p90, p99, p999, max]).toEqual([p50, p90, p99, p999, max].toSorted((a, b) => a - b));
  expect([half, ...ladder].map((run) => (run?.offered ?? 0) / (full?.perSecond ?? 0))).toEqual(
    [0.5, 0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1].map((share) => expect.closeTo(share)),
  );
  expect(stderr).toContain('12/12 conn, 4 connections, 1 worker: through the daemon');
  expect(readFileSync(page, 'utf8')).toContain('connections offered per second');
  folder.remove();
});

test('transfers and idle sessions, as a table', async () => {
  const { status, stdout, stderr } = await anyport(['bench', '--workload', 'bulk-up,idle', ...short]);
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^bulk-up +4 .* GB .* ms /m);
  expect(stdout).toMatch(/^idle +4 .* (?:B|KiB)$/m);
});

test('datagrams, and a link of KCP between two daemons', async () => {
  const { status, stdout, stderr } = await anyport(['bench', '--workload', 'udp,kcp-ping', ...short]);
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^udp +4 .* µs /m);
  expect(stdout).toMatch(/^kcp-ping +4 .* µs /m);
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
    rounds: 1,
    ladder: false,
  };
  const progress = { begin() {}, step() {}, end() {} };
  await expect(bench(request, '', progress)).rejects.toThrow(/^conn, 1 connection, 1 worker: wrong answer: /);
});

const wrong = [
  { options: { workload: 'pong' }, says: /^--workload pong: there is\n {2}conn: short connections/ },
  { options: { workers: '0' }, says: /^--workers 0: give 1 to/ },
  { options: { connections: '1,9999999' }, says: /^--connections 9999999: .*open files/ },
  { options: { size: '1MiB', workload: 'conn' }, says: /^--size 1MiB: give 1 to 262144 bytes/ },
  { options: { size: '64', workload: 'identify' }, says: /^--size: these workloads/ },
  { options: { accept: 'both' }, says: /^--accept both: give reuseport, handoff/ },
  { options: { duration: '5' }, says: /^--duration 5: give 100ms to 1h/ },
];
test.each(wrong)('bad usage: $options', ({ options, says }) => {
  expect(() => requestOf(options)).toThrow(says);
});

test('bad usage ends with status 2', async () => {
  const { status, stdout, stderr } = await anyport(['bench', '--workers', 'many']);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain('--workers many: give 1 to');
});
