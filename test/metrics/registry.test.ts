import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { entryOf, metricNames, scopeNames, scopes } from '../../src/metrics/catalog.js';
import { rowCells } from '../../src/metrics/cells.js';
import { metricsDocs } from '../../src/metrics/docs.js';
import { createCounters } from '../../src/metrics/memory.js';
import { createMetricsText, type MetricsText } from '../../src/metrics/registry.js';
import { type Named, OTHER } from '../../src/model/ids.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { noFigures } from '../support/counts.js';
import { EngineCounts } from './engine-counts.js';

const named: Named = {
  listeners: [{ name: 'front' }],
  protocols: [{ id: 'http' }],
  upstreams: [{ name: 'web', endpoints: [{ name: 'unix:/run/"web".sock' }] }],
};

function start() {
  const names = new IdRegistry();
  const buffer = createCounters();
  const counts = EngineCounts.of(buffer, names, named);
  return { text: textFor([buffer], names), cells: new Float64Array(buffer), counts };
}

function textFor(buffers: readonly SharedArrayBuffer[], names: IdRegistry): MetricsText {
  const figures = () => ({
    ...noFigures,
    anyport_config_generation: 3,
    anyport_workers: 2,
    anyport_endpoint_up: [{ labels: { upstream: 'web', endpoint: 'unix:/run/"web".sock' }, value: 0 }],
    anyport_health_checks_total: [{ labels: { upstream: 'web', endpoint: 'a:1', result: 'ok' }, value: 3 }],
    anyport_endpoint_ejections_total: [{ labels: { upstream: 'web', endpoint: 'a:1' }, value: 1 }],
    anyport_health_check_seconds: [{ labels: { upstream: 'web', endpoint: 'a:1' }, value: 0.25 }],
    anyport_identifying_evicted_total: [{ labels: { limit: 'source' }, value: 8 }],
    anyport_bans_total: [{ labels: { cause: 'failures' }, value: 9 }],
    anyport_cluster_bans_refused_total: [{ labels: { reason: 'signature' }, value: 1 }],
    anyport_bans_lifted_total: [{ labels: { by: 'operator' }, value: 2 }],
    ...Object.fromEntries(
      metricNames
        .filter((name) => name.startsWith('anyport_list_'))
        .map((name) => [name, [{ labels: { list: 'allow_only', listener: 'front' }, value: 9 }]]),
    ),
    anyport_cluster_fragments: [{ labels: { state: 'refused' }, value: 7 }],
    anyport_config_reloads_total: [{ labels: { result: 'applied' }, value: 6 }],
    anyport_worker_restarts_total: 1,
    anyport_worker_hangs_total: 7,
    anyport_listen_overflows_total: 8,
    anyport_listen_drops_total: 9,
    anyport_monitoring_evicted_total: 5,
    anyport_max_connections: 1000,
    anyport_max_open_files: 20_000,
    anyport_build_info: { labels: { version: '1.2.3', node_version: process.version }, value: 1 },
    anyport_log_lines_dropped_total: 4,
  });
  return createMetricsText({ buffers, names, figures });
}

test('every scrape reads the workers anew', async () => {
  const { text, counts } = start();
  const idle = await text.scrape();
  expect(idle).toContain('anyport_accepted_total{listener="front"} 0\n');
  expect(idle).toContain('anyport_sessions_active{listener="front",protocol=""} 0\n');

  counts.accept(0);
  counts.accept(0);
  counts.identify(0, 0, 3);
  counts.connect(0, 0, 2);
  counts.counters.add('anyport_log_lines_dropped_total', counts.counters.worker, 5);
  counts.counters.add('anyport_validator_failures_total', counts.plan.protocolRow(0));
  counts.end(0, 0, 'done', 40);
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
      'anyport_endpoint_up{upstream="web",endpoint="unix:/run/\\"web\\".sock"} 0',
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
  const { text, cells, counts } = start();
  // Every count is 1, of the first name of each kind.
  for (const scope of scopeNames) {
    const row = counts.counters.row(scope, ...scopes[scope].map(() => OTHER + 1));
    cells.fill(1, row, row + rowCells[scope]);
  }
  const scraped = await text.scrape();
  for (const name of metricNames) {
    const { kind, help, scope, by, and, labels = [] } = entryOf(name);
    const closed = [by, and].flatMap((each) => each?.label ?? []);
    const expected = [...(scope === 'primary' ? [] : scopes[scope]), ...closed, ...labels];
    expect(scraped).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`);
    const used = new RegExp(`^${name}(?:_bucket|_sum|_count)?(?:\\{(.*)\\})? `, 'gm');
    const found = [...scraped.matchAll(used)].map(([, inner]) => labelNames(inner));
    expect(found.length, name).toBeGreaterThan(0);
    for (const names of found) expect(names, name).toEqual(expected);
  }
});

test('docs/metrics.md is the catalog', () =>
  expect(readFileSync('docs/metrics.md', 'utf8')).toBe(metricsDocs()));

test('the process itself is measured too', async () => {
  const text = await textFor([], new IdRegistry()).scrape();
  expect(text).toMatch(/^process_open_fds \d+$/m);
  expect(text).toMatch(/^process_cpu_seconds_total /m);
});

function labelNames(inner: string | undefined): string[] {
  const names = [...(inner ?? '').matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)].map(([, name]) => name as string);
  return names.filter((name) => name !== 'le');
}
