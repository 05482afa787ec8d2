/** Counters of the primary that pass from one process to the next, as named cells. Gauges are each process's own. */
import type { NamedRow } from '../model/named-row.js';
import { catalog, type MetricName } from './catalog.js';
import type { Figure, Figures, LabelledFigure } from './text.js';

/** Scope of the row that has them. */
export const FIGURES = 'primary';

const isCounter = (metric: string): boolean => catalog[metric as MetricName].kind === 'counter';

export function namedFigures(figures: Figures): NamedRow {
  const cells: Record<string, number> = {};
  for (const [metric, figure] of Object.entries(figures)) {
    if (!isCounter(metric)) continue;
    for (const { labels, value } of partsOf(figure)) cells[cellName(metric, labels)] = value;
  }
  return { scope: FIGURES, names: [], cells };
}

/** `inherited`: cells of the process before. */
export function withInherited(figures: Figures, inherited: NamedRow['cells']): Figures {
  const sums = Object.entries(figures).map(([metric, figure]) => [
    metric,
    isCounter(metric) ? added(metric, figure, inherited) : figure,
  ]);
  return Object.fromEntries(sums) as Figures;
}

function added(metric: string, figure: Figure, inherited: NamedRow['cells']): Figure {
  const add = ({ labels, value }: LabelledFigure) => value + (inherited[cellName(metric, labels)] ?? 0);
  if (typeof figure === 'number') return add({ labels: {}, value: figure });
  return partsOf(figure).map((part) => ({ ...part, value: add(part) }));
}

function partsOf(figure: Figure): readonly LabelledFigure[] {
  if (typeof figure === 'number') return [{ labels: {}, value: figure }];
  return 'value' in figure ? [figure] : figure;
}

const cellName = (metric: string, labels: LabelledFigure['labels']): string =>
  [metric, ...Object.values(labels).map((value) => `{${value}}`)].join('');
