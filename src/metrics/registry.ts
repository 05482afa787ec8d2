/**
 * The Prometheus text of all metrics. The only importer of prom-client, which is asked for the format and the
 * process defaults only: the counting has been done, by the workers.
 */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { catalog, type MetricEntry, type MetricName } from './catalog.js';
import type { CountersShape } from './layout.js';
import { type PrimaryState, type Sample, samplesOf } from './samples.js';
import { snapshot } from './totals.js';

export interface MetricsSource {
  readonly shape: CountersShape;
  readonly buffers: readonly SharedArrayBuffer[];
  state(): PrimaryState;
}

export interface MetricsText {
  readonly contentType: string;
  /** Reads every worker's counters, once. */
  scrape(): Promise<string>;
}

/** How often the lag of the primary's event loop is sampled: the default of 10 ms would wake an idle daemon for it. */
const LAG_SAMPLE_MS = 1000;

/** Gauges that prom-client names like counters; the same figures are there by kind, without the ending. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

export function createMetricsText(source: MetricsSource): MetricsText {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_SAMPLE_MS });
  for (const name of misnamed) registry.removeSingleMetric(name);
  let samples = readSamples(source);
  for (const name of Object.keys(catalog) as MetricName[]) {
    registry.registerMetric(new ReadMetric(name, catalog[name], () => samples[name]));
  }
  return {
    contentType: registry.contentType,
    scrape() {
      samples = readSamples(source);
      return registry.metrics();
    },
  };
}

function readSamples({ shape, buffers, state }: MetricsSource) {
  return samplesOf(snapshot(shape, buffers), state());
}

/** A metric whose values are there to be read; prom-client's own kinds want to count for themselves. */
class ReadMetric extends Gauge {
  readonly #kind: MetricEntry['kind'];
  readonly #read: () => readonly Sample[];

  constructor(name: MetricName, { kind, help, labels }: MetricEntry, read: () => readonly Sample[]) {
    super({ name, help, labelNames: labels, registers: [] });
    this.#kind = kind;
    this.#read = read;
  }

  override async get(): ReturnType<Gauge['get']> {
    const metric = await super.get();
    // prom-client declares its kinds as numbers, and writes them as these words.
    return { ...metric, type: this.#kind as unknown as typeof metric.type, values: [...this.#read()] };
  }
}
