/** The text served on /metrics, and the totals behind it. The only importer of prom-client, for its process defaults. */
import type { Registry } from 'prom-client';
import type { IdNames } from '../model/ids.js';
import type { NamedRow } from '../model/named-row.js';
import { namedFigures } from './figures.js';
import { RowMemory } from './memory.js';
import { NamedTotals } from './named.js';
import { exposition, type Figures } from './text.js';
import { type Totals, TotalsReader } from './totals.js';

export interface MetricsSource {
  /** Counter memory, one per worker. More may be appended. */
  readonly buffers: readonly SharedArrayBuffer[];
  /** Counter memory of the process before this one. */
  readonly inherited?: SharedArrayBuffer;
  readonly names: IdNames;
  figures(): Figures;
}

export interface MetricsText {
  readonly contentType: string;
  /** Reads each worker's counters once. */
  scrape(): Promise<string>;
  /** The counters alone; valid until the next reading. */
  totals(): Totals;
  /** Rows that have changed since the last call, by name, for another process. */
  changes(): NamedRow[];
  /** Loads what the first scrape needs, so that it answers sooner. */
  prepare(): void;
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

let defaults: Promise<Registry> | undefined;

/** One registry for the process, whatever instances are in it: each one's observers would never be removed. */
function processDefaults(): Promise<Registry> {
  defaults ??= loadDefaults();
  return defaults;
}

/** prom-client's 80 modules are loaded on demand. */
async function loadDefaults(): Promise<Registry> {
  const { collectDefaultMetrics, Registry } = await import('prom-client');
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_SAMPLE_MS });
  for (const name of misnamed) registry.removeSingleMetric(name);
  return registry;
}

export function createMetricsText({ buffers, inherited, names, figures }: MetricsSource): MetricsText {
  const memories: RowMemory[] = inherited ? [new RowMemory(inherited)] : [];
  const first = memories.length;
  const reader = new TotalsReader(memories, names);
  const grow = () => {
    const known = memories.length - first;
    for (const buffer of buffers.slice(known)) memories.push(new RowMemory(buffer));
  };
  const read = () => {
    grow();
    return reader.read();
  };
  // With a reader of its own: totals are overwritten by the next reading.
  const named = new NamedTotals(new TotalsReader(memories, names), names);
  return {
    contentType: CONTENT_TYPE,
    async scrape() {
      const registry = await processDefaults();
      return (await registry.metrics()) + exposition(read(), figures());
    },
    totals: read,
    changes() {
      grow();
      return [namedFigures(figures()), ...named.changes()];
    },
    prepare() {
      processDefaults().catch(() => {}); // reported by each scrape
    },
  };
}
