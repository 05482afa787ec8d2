/** Counters of workers in the form of a scrape. */
import { catalog, metricNames } from '../../src/metrics/catalog.js';
import { RowMemory } from '../../src/metrics/memory.js';
import { exposition, type Figures } from '../../src/metrics/text.js';
import { TotalsReader } from '../../src/metrics/totals.js';
import type { IdNames } from '../../src/model/ids.js';
import { parseMetrics, type Sample } from './metrics.js';

/** Figures of the primary, all zero. */
export const noFigures = Object.fromEntries(
  metricNames.filter((metric) => catalog[metric].scope === 'primary').map((metric) => [metric, 0]),
) as Figures;

export function textOf(buffers: readonly SharedArrayBuffer[], names: IdNames): string {
  const memories = buffers.map((buffer) => new RowMemory(buffer));
  return exposition(new TotalsReader(memories, names).read(), noFigures);
}

export function samplesOf(buffers: readonly SharedArrayBuffer[], names: IdNames): Sample[] {
  return parseMetrics(textOf(buffers, names));
}
