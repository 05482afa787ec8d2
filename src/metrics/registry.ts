/** The text that monitoring systems scrape. The only importer of prom-client, for the process defaults. */
import type { Registry } from 'prom-client';
import type { IdNames } from '../model/ids.js';
import { RowMemory } from './memory.js';
import { exposition, type Figures } from './text.js';
import { TotalsReader } from './totals.js';

export interface MetricsSource {
  /** The counters of each worker. */
  readonly buffers: readonly SharedArrayBuffer[];
  readonly names: IdNames;
  figures(): Figures;
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

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Its 80 modules are loaded while the workers start. */
async function loadDefaults(): Promise<Registry> {
  const { collectDefaultMetrics, Registry } = await import('prom-client');
  const defaults = new Registry();
  collectDefaultMetrics({ register: defaults, eventLoopMonitoringPrecision: LAG_SAMPLE_MS });
  for (const name of misnamed) defaults.removeSingleMetric(name);
  return defaults;
}

export function createMetricsText({ buffers, names, figures }: MetricsSource): MetricsText {
  const defaults = loadDefaults();
  defaults.catch(() => {}); // told by each scrape
  const memories = buffers.map((buffer) => new RowMemory(buffer));
  const reader = new TotalsReader(memories, names);
  return {
    contentType: CONTENT_TYPE,
    async scrape() {
      return (await (await defaults).metrics()) + exposition(reader.read(), figures());
    },
  };
}
