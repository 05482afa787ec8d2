/** `anyport drain`: a running daemon stops accepting, lets its sessions finish and ends. */
import type { Command } from 'commander';
import type { DrainStarted } from '../../admin/control.js';
import { jsonLine } from '../../base/text.js';
import { type ControlOptions, connectControl, withControlOptions } from '../control/client.js';
import { counted, timeText } from '../figures.js';

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

const drainText = ({ sessions, deadlineMs }: DrainStarted): string =>
  `draining: ${counted(sessions, 'session')} open, cut after ${timeText(deadlineMs)}\n`;
