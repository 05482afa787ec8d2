/** `anyport reload`: a running daemon reads its configuration again. */
import type { Command } from 'commander';
import { jsonLine } from '../../base/text.js';
import { type ChangeAnswer, changeText } from '../control/changes.js';
import { type ControlOptions, connectControl, withControlOptions } from '../control/client.js';

export function addReload(program: Command): void {
  withControlOptions(
    program
      .command('reload')
      .description('let a running daemon read its configuration again, and say what has changed'),
  ).action(reload);
}

async function reload(options: ControlOptions): Promise<void> {
  const daemon = await connectControl(options);
  const answer = (await daemon.call('POST', '/api/v1/reload')) as ChangeAnswer;
  process.stdout.write(options.json ? jsonLine(answer) : changeText(answer));
}
