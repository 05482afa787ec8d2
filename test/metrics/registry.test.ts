import { expect, test } from 'vitest';
import { catalog, type MetricName } from '../../src/metrics/catalog.js';
import { type CountersShape, createCounters, WorkerCounters } from '../../src/metrics/counters.js';
import { createMetricsText, type MetricsText } from '../../src/metrics/registry.js';

const shape: CountersShape = {
  listeners: ['front'],
  protocols: ['http'],
  upstreams: [{ name: 'web', endpoints: ['unix:/run/"web".sock'] }],
};

function createText(buffers: readonly SharedArrayBuffer[]): MetricsText {
  const state = () => ({
    configGeneration: 3,
    workers: 2,
    workerRestarts: 1,
    workerHangs: 7,
    linesDropped: 4,
    monitoringEvicted: 5,
    maxConnections: 1000,
    maxOpenFiles: 20_000,
    version: '1.2.3',
  });
  return createMetricsText({ shape, buffers, state });
}

function accept(counters: WorkerCounters, buffer: SharedArrayBuffer): void {
  const cells = new Float64Array(buffer);
  const cell = counters.acceptedCell(0);
  cells[cell] = (cells[cell] as number) + 1;
}

test('every scrape reads the workers anew', async () => {
  const buffer = createCounters(shape);
  const counters = new WorkerCounters(shape, buffer);
  const text = createText([buffer]);
  expect(await text.scrape()).toContain('anyport_accepted_total{listener="front"} 0\n');

  accept(counters, buffer);
  accept(counters, buffer);
  counters.identified(0, 0, 3);
  counters.connected(0, 0, 2);
  counters.linesDropped(5);
  counters.validatorFailed(0);
  counters.ended(0, 0, 'done', 40, true);
  const lines = (await text.scrape()).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'anyport_accepted_total{listener="front"} 2',
      'anyport_sessions_total{listener="front",protocol="http",reason="done"} 1',
      'anyport_sessions_active{listener="front",protocol=""} 1',
      'anyport_sessions_active{listener="front",protocol="http"} 0',
      'anyport_identify_seconds_bucket{le="0.0025"} 0',
      'anyport_identify_seconds_bucket{le="0.005"} 1',
      'anyport_identify_seconds_bucket{le="+Inf"} 1',
      'anyport_identify_seconds_count 1',
      'anyport_identify_seconds_sum 0.003',
      'anyport_connect_seconds_count{upstream="web"} 1',
      'anyport_endpoint_sessions{upstream="web",endpoint="unix:/run/\\"web\\".sock"} 1',
      'anyport_validator_failures_total{protocol="http"} 1',
      'anyport_config_generation 3',
      'anyport_worker_restarts_total 1',
      'anyport_worker_hangs_total 7',
      'anyport_log_lines_dropped_total 9',
      'anyport_monitoring_evicted_total 5',
      'anyport_max_connections 1000',
      'anyport_max_open_files 20000',
      `anyport_build_info{version="1.2.3",node_version="${process.version}"} 1`,
    ]),
  );
});

test('every metric of the catalog is there, with its kind, and only its labels', async () => {
  const buffer = createCounters(shape);
  const counters = new WorkerCounters(shape, buffer);
  counters.validatorFailed(0);
  counters.connectFailed(0, 0, 'connect_failed');
  counters.ended(0, -1, 'identify_timeout', 15_000, false);
  const text = await createText([buffer]).scrape();
  for (const name of Object.keys(catalog) as MetricName[]) {
    const { kind, help, labels } = catalog[name];
    expect(text).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`);
    const used = new RegExp(`^${name}(?:_bucket|_sum|_count)?(?:\\{(.*)\\})? `, 'gm');
    const found = [...text.matchAll(used)].map(([, inner]) => labelNames(inner));
    expect(found.length, name).toBeGreaterThan(0);
    for (const names of found) expect(names, name).toEqual(labels);
  }
});

test('the process itself is measured too', async () => {
  const text = await createText([]).scrape();
  expect(text).toMatch(/^process_open_fds \d+$/m);
  expect(text).toMatch(/^process_cpu_seconds_total /m);
});

function labelNames(inner: string | undefined): string[] {
  const names = [...(inner ?? '').matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)].map(([, name]) => name as string);
  return names.filter((name) => name !== 'le');
}
