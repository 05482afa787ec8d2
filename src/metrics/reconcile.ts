/** The books of a worker that died. */
import { NONE } from '../model/ids.js';
import { cellOf } from './cells.js';
import { WorkerCounters } from './counters.js';
import { RowMemory } from './memory.js';
import { TotalsReader } from './totals.js';

const unnamed = { nameOf: () => '' };

/**
 * Its kernel sockets are closed, so every session that was open there has been reset. Must run before a replacement
 * writes to the same memory.
 */
export function reconcile(buffer: SharedArrayBuffer): void {
  const counters = new WorkerCounters(buffer);
  const totals = new TotalsReader([new RowMemory(buffer)], unnamed).read();
  for (const { first, second, cells } of totals.listener_protocol) {
    const open = cells[cellOf.anyport_sessions_active] as number;
    const row = counters.row('listener_protocol', first, second);
    counters.addBy('anyport_sessions_total', 'reset', row, open);
    if (second !== NONE) counters.add('anyport_sessions_active', row, -open);
  }
  for (const { first, second, cells } of totals.upstream_endpoint) {
    const sessions = cells[cellOf.anyport_endpoint_sessions] as number;
    counters.add('anyport_endpoint_sessions', counters.row('upstream_endpoint', first, second), -sessions);
  }
}
