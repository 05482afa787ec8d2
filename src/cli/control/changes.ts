/** Prints what a change of the configuration has changed. */
import type { Diff, DiffItem } from '../../model/diff.js';
import { columns } from '../columns.js';
import { timeText } from '../figures.js';

/** What the control interface answers to a change. */
export interface ChangeAnswer {
  readonly result: 'applied' | 'unchanged';
  readonly generation?: number;
  readonly tookMs?: number;
  readonly diff?: Diff;
}

const signs = { added: '+', removed: '-', changed: '~' } as const;

export function changeText({ result, generation, tookMs = 0, diff = [] }: ChangeAnswer): string {
  if (result === 'unchanged') return 'nothing has changed: the configuration is the one in force\n';
  return `${columns(diff.map(row))}in force as generation ${generation}, after ${timeText(tookMs)}\n`;
}

const row = (item: DiffItem): string[] => [signs[item.change], item.kind, nameOf(item), detailOf(item)];

const nameOf = ({ name, upstream }: DiffItem): string => (upstream === null ? name : `${upstream} ${name}`);

const detailOf = ({ about, fields }: DiffItem): string =>
  fields.length === 0
    ? about
    : fields.map(({ key, from, to }) => `${key}: ${JSON.stringify(from)} → ${JSON.stringify(to)}`).join(', ');
