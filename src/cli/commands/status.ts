/** `anyport status`: what a running daemon does, in one look. */
import type { Command } from 'commander';
import type { Status } from '../../admin/control.js';
import { jsonLine } from '../../base/text.js';
import { type ControlOptions, connectControl, withControlOptions } from '../control/client.js';

export function addStatus(program: Command): void {
  withControlOptions(
    program
      .command('status')
      .description('say what a running daemon does: configuration, listeners, sessions'),
  ).action(status);
}

async function status(options: ControlOptions): Promise<void> {
  const daemon = await connectControl(options);
  const answer = (await daemon.call('GET', '/api/v1/status')) as Status;
  const { statusText } = await import('../control/status.js');
  process.stdout.write(options.json ? jsonLine(answer) : statusText(answer));
}
