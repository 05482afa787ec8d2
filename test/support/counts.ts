/** What workers have counted, as it would be scraped. */
import { RowMemory } from '../../src/metrics/memory.js';
import { exposition, type Figures } from '../../src/metrics/text.js';
import { TotalsReader } from '../../src/metrics/totals.js';
import type { IdNames } from '../../src/model/ids.js';
import { parseMetrics, type Sample } from './metrics.js';

/** A primary that has nothing to say. */
export const noFigures: Figures = {
  anyport_config_generation: 0,
  anyport_workers: 0,
  anyport_worker_restarts_total: 0,
  anyport_worker_hangs_total: 0,
  anyport_monitoring_evicted_total: 0,
  anyport_max_connections: 0,
  anyport_max_open_files: 0,
  anyport_build_info: 1,
};

export function textOf(buffers: readonly SharedArrayBuffer[], names: IdNames): string {
  const memories = buffers.map((buffer) => new RowMemory(buffer));
  return exposition(new TotalsReader(memories, names).read(), noFigures);
}

export function samplesOf(buffers: readonly SharedArrayBuffer[], names: IdNames): Sample[] {
  return parseMetrics(textOf(buffers, names));
}
