/** Totals → what a drain tells: who is left, and how sessions have ended. Pure. */
import { type IdNames, NONE } from '../model/ids.js';
import { type Reason, reasons } from '../model/session.js';
import type { CountedMetric } from './catalog.js';
import { cellOf } from './cells.js';
import type { Totals, TotalsRow } from './totals.js';

export interface Left {
  readonly listener: string;
  /** Null: not identified. */
  readonly protocol: string | null;
  readonly sessions: number;
}

const cell = ({ cells }: TotalsRow, metric: CountedMetric, index = 0): number =>
  cells[cellOf[metric] + index] ?? 0;

/** Live sessions by listener and protocol, the most first. */
export function leftOf({ listener_protocol }: Totals, names: IdNames): Left[] {
  return listener_protocol
    .map((row) => ({
      listener: names.nameOf('listener', row.first),
      protocol: row.second === NONE ? null : names.nameOf('protocol', row.second),
      sessions: cell(row, 'anyport_sessions_active'),
    }))
    .filter(({ sessions }) => sessions > 0)
    .sort((a, b) => b.sessions - a.sessions);
}

/** Sessions that were cut by a drain's deadline or by an administrator, and log lines that were dropped. */
export function cutOf({ listener_protocol, worker }: Totals): { cut: number; linesDropped: number } {
  const ended = (reason: Reason) =>
    listener_protocol.reduce(
      (sum, row) => sum + cell(row, 'anyport_sessions_total', reasons.indexOf(reason)),
      0,
    );
  return {
    cut: ended('drain_timeout') + ended('admin'),
    linesDropped: worker.reduce((sum, row) => sum + cell(row, 'anyport_log_lines_dropped_total'), 0),
  };
}
