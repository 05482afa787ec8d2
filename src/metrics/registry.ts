/** The text served on /metrics. The only importer of prom-client, for its process defaults. */
import type { Registry } from 'prom-client';
import type { IdNames } from '../model/ids.js';
import { RowMemory } from './memory.js';
import { exposition, type Figures } from './text.js';
import { TotalsReader } from './totals.js';

export interface MetricsSource {
  /** Counter memory, one per worker. */
  readonly buffers: readonly SharedArrayBuffer[];
  readonly names: IdNames;
  figures(): Figures;
}

export interface MetricsText {
  readonly contentType: string;
  /** Reads each worker's counters once. */
  scrape(): Promise<string>;
}

/** Sampling interval of the primary's event loop lag; the default of 10 ms would keep waking an idle daemon. */
const LAG_SAMPLE_MS = 1000;

/** Gauges that prom-client names like counters; the metrics by kind, without `_total`, have the same figures. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** prom-client's 80 modules are loaded while the workers start. */
async function loadDefaults(): Promise<Registry> {
  const { collectDefaultMetrics, Registry } = await import('prom-client');
  const defaults = new Registry();
  collectDefaultMetrics({ register: defaults, eventLoopMonitoringPrecision: LAG_SAMPLE_MS });
  for (const name of misnamed) defaults.removeSingleMetric(name);
  return defaults;
}

export function createMetricsText({ buffers, names, figures }: MetricsSource): MetricsText {
  const defaults = loadDefaults();
  defaults.catch(() => {}); // reported by each scrape
  const memories = buffers.map((buffer) => new RowMemory(buffer));
  const reader = new TotalsReader(memories, names);
  return {
    contentType: CONTENT_TYPE,
    async scrape() {
      return (await (await defaults).metrics()) + exposition(reader.read(), figures());
    },
  };
}
