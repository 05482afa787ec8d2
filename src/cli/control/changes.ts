/** Prints what a change of the configuration has changed. */

import { timeText } from '../../base/figures.js';
import type { Diff } from '../../model/diff.js';
import { differencesText } from '../differences.js';

/** What the control interface answers to a change. */
export interface ChangeAnswer {
  readonly result: 'applied' | 'unchanged';
  readonly generation?: number;
  readonly tookMs?: number;
  readonly diff?: Diff;
}

export function changeText({ result, generation, tookMs = 0, diff = [] }: ChangeAnswer): string {
  if (result === 'unchanged') return 'nothing has changed: the configuration is the one in force\n';
  return `${differencesText(diff)}in force as generation ${generation}, after ${timeText(tookMs)}\n`;
}
