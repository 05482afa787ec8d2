/** `anyport sessions`: live sessions of a running daemon, and the end of one. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { bytesText, counted, countText, timeText } from '../../base/figures.js';
import { jsonLine } from '../../base/text.js';
import {
  type SessionInfo,
  type SessionList,
  sessionListLimits,
  sessionOrders,
} from '../../model/session-list.js';
import { columns } from '../columns.js';
import { type ControlOptions, connectControl, withControlOptions } from '../control/client.js';

const filters = ['listener', 'protocol', 'upstream', 'endpoint', 'source'] as const;

interface ListOptions extends ControlOptions, Partial<Record<(typeof filters)[number], string>> {
  readonly limit?: number;
  readonly order?: string;
}

const EXAMPLES = `
Without a command it lists, with the options of \`list\` (anyport sessions list --help).

Examples:
  anyport sessions --protocol ssh --source 10.0.0.0/8
  anyport sessions end 0-3-12392902`;

const { rowsDefault, rowsMax } = sessionListLimits;

export function addSessions(program: Command): void {
  const sessions = program
    .command('sessions')
    .description('list live sessions of a running daemon, or end one')
    .addHelpText('after', EXAMPLES);
  withControlOptions(
    sessions
      .command('list', { isDefault: true })
      .description('live sessions, the newest first')
      .option('--listener <name>', 'of this listener')
      .option('--protocol <id>', 'of this protocol')
      .option('--upstream <name>', 'of this upstream')
      .option('--endpoint <address>', 'on this endpoint')
      .option('--source <address>', 'from this address or network')
      .option('--limit <n>', `at most so many, up to ${rowsMax} (default: ${rowsDefault})`, limitOf)
      .addOption(new Option('--order <order>', 'which come first').choices([...sessionOrders])),
  ).action(list);
  withControlOptions(
    sessions.command('end').description('end a session at once').argument('<id>', 'its id, as listed'),
  ).action(end);
}

async function list(options: ListOptions): Promise<void> {
  const daemon = await connectControl(options);
  const query = new URLSearchParams();
  for (const name of [...filters, 'limit', 'order'] as const) {
    const value = options[name];
    if (value !== undefined) query.set(name, String(value));
  }
  const answer = (await daemon.call('GET', `/api/v1/sessions?${query}`)) as SessionList;
  process.stdout.write(options.json ? jsonLine(answer) : listText(answer));
}

async function end(id: string, options: ControlOptions): Promise<void> {
  const daemon = await connectControl(options);
  const answer = await daemon.call('DELETE', `/api/v1/sessions/${encodeURIComponent(id)}`);
  process.stdout.write(options.json ? jsonLine(answer) : `session ${id} has ended\n`);
}

const HEADING = [
  'ID',
  'SOURCE',
  'OVER',
  'PROTOCOL',
  'STAGE',
  'LISTENER',
  'UPSTREAM',
  'ENDPOINT',
  'UP',
  'DOWN',
  'AGE',
  'IDLE',
];

function listText({ sessions, matching, missing }: SessionList): string {
  const table = sessions.length === 0 ? '' : columns([HEADING, ...sessions.map(row)]);
  const shown =
    matching === sessions.length
      ? counted(matching, 'session')
      : `${countText(sessions.length)} of ${counted(matching, 'session')} (--limit shows more)`;
  const silent = missing.length === 0 ? '' : `; without worker ${missing.join(', ')}, which does not answer`;
  return `${table}${shown}${silent}\n`;
}

const row = (session: SessionInfo): string[] => [
  session.id,
  session.source,
  session.transport,
  session.protocol ?? '-',
  session.stage,
  session.listener,
  session.upstream ?? '-',
  session.endpoint ?? '-',
  bytesText(session.bytesUp),
  bytesText(session.bytesDown),
  timeText(session.durationMs),
  session.idleMs === null ? '-' : timeText(session.idleMs),
];

function limitOf(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= rowsMax) return limit;
  throw new InvalidArgumentError(`Write a whole number from 1 to ${rowsMax}.`);
}
