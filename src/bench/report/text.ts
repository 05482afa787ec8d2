/** What is printed at the end: machine, table, and what is to be known about it. */
import { bytesText } from '../../base/figures.js';
import type { Report } from '../bench.js';
import { replayText } from './replay.js';
import { tableText } from './table.js';

export const LEGEND = `per second: through the daemon, each client going on when it is answered. direct: without it; times: how many times as much.
p50 to p99.9: at half of that rate, arrivals at random, from when each was due. CPU and memory are the daemon's.
`;

export function reportText(report: Report): string {
  const notes = report.notes.map((note) => `note: ${note}\n`).join('');
  const figures = report.replay ? replayText(report.replay) : `${tableText(report)}\n${LEGEND}`;
  return `${headingText(report)}\n${figures}${notes}`;
}

export function headingText({ anyport, node, machine, date, durationMs }: Report): string {
  const { cpus, model, memory, kernel } = machine;
  return `anyport ${anyport}, Node ${node}, Linux ${kernel}, ${cpus} x ${model}, ${bytesText(memory)}; ${date}, ${durationMs / 1000} s a run\n`;
}
