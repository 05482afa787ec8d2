/** `anyport drain`: a running daemon stops accepting, lets its sessions finish and ends. */
import type { Command } from 'commander';
import type { DrainStarted } from '../../admin/control.js';
import { counted, timeText } from '../../base/figures.js';
import { jsonLine } from '../../base/text.js';
import { type ControlOptions, connectControl, withControlOptions } from '../control/client.js';

export function addDrain(program: Command): void {
  withControlOptions(
    program
      .command('drain')
      .description('let a running daemon stop accepting, finish its sessions and end, as SIGTERM does'),
  ).action(drain);
}

async function drain(options: ControlOptions): Promise<void> {
  const daemon = await connectControl(options);
  const answer = (await daemon.call('POST', '/api/v1/drain')) as DrainStarted;
  process.stdout.write(options.json ? jsonLine(answer) : drainText(answer));
}

function drainText({ sessions, delayMs, deadlineMs }: DrainStarted): string {
  const delay = delayMs === 0 ? '' : `; it accepts for ${timeText(delayMs)} more`;
  return `draining: ${counted(sessions, 'session')} open${delay}; what is left is cut after ${timeText(delayMs + deadlineMs)}\n`;
}
