/** `anyport ban`: who is banned by a running daemon; bans and lifts. */
import { type Command, InvalidArgumentError } from 'commander';
import { counted, countText, timeText } from '../../base/figures.js';
import { jsonLine } from '../../base/text.js';
import { type Ban, type BanList, banLimits } from '../../model/ban.js';
import { columns } from '../columns.js';
import { type ControlOptions, connectControl, withControlOptions } from '../control/client.js';

const PATH = '/api/v1/bans';

const EXAMPLES = `
Without a command it lists, with the options of \`list\`.

Examples:
  anyport ban add 192.0.2.7 --for 1h --reason "scans every port"
  anyport ban lift 2001:db8::7`;

interface ListOptions extends ControlOptions {
  readonly limit?: number;
}

interface AddOptions extends ControlOptions {
  readonly for?: string;
  readonly reason?: string;
}

export function addBan(program: Command): void {
  const ban = program
    .command('ban')
    .description('list the sources that a running daemon refuses for a time, add or lift one')
    .addHelpText('after', EXAMPLES);
  withControlOptions(
    ban
      .command('list', { isDefault: true })
      .description('who is banned, since when, until when and why')
      .option(
        '--limit <n>',
        `at most so many, up to ${banLimits.rowsMax} (default: ${banLimits.rowsDefault})`,
        limitOf,
      ),
  ).action(list);
  withControlOptions(
    ban
      .command('add')
      .description('refuse an address for a time (IPv6: its /64); sessions that it has go on')
      .argument('<ip>', 'the address')
      .option('--for <duration>', 'how long, such as 90s, 10m or 24h (default: 10m)')
      .option('--reason <text>', 'why, for whoever reads the list'),
  ).action(add);
  withControlOptions(
    ban.command('lift').description('let a banned address connect again').argument('<ip>', 'the address'),
  ).action(lift);
}

async function list({ limit, ...options }: ListOptions): Promise<void> {
  const daemon = await connectControl(options);
  const path = limit === undefined ? PATH : `${PATH}?limit=${limit}`;
  const answer = (await daemon.call('GET', path)) as BanList;
  process.stdout.write(options.json ? jsonLine(answer) : listText(answer));
}

async function add(ip: string, { for: time, reason, ...options }: AddOptions): Promise<void> {
  const daemon = await connectControl(options);
  const answer = (await daemon.call('POST', PATH, { ip, for: time, reason })) as { readonly ban: Ban };
  process.stdout.write(options.json ? jsonLine(answer) : columns([HEADING, row(answer.ban)]));
}

async function lift(ip: string, options: ControlOptions): Promise<void> {
  const daemon = await connectControl(options);
  const answer = (await daemon.call('DELETE', `${PATH}/${encodeURIComponent(ip)}`)) as {
    readonly lifted: Ban;
  };
  process.stdout.write(options.json ? jsonLine(answer) : `${answer.lifted.address} is not banned any more\n`);
}

const HEADING = ['ADDRESS', 'CAUSE', 'SINCE', 'LEFT', 'REASON'];

function listText({ bans, active }: BanList): string {
  const table = bans.length === 0 ? '' : columns([HEADING, ...bans.map(row)]);
  const shown = active === bans.length ? '' : `${countText(bans.length)} of `;
  return `${table}${shown}${counted(active, 'ban')}${shown && ' (--limit shows more)'}\n`;
}

const row = ({ address, cause, since, leftSeconds, reason }: Ban): string[] => [
  address,
  cause,
  since.slice(0, 19).replace('T', ' '),
  timeText(leftSeconds * 1000),
  reason ?? '-',
];

function limitOf(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= banLimits.rowsMax) return limit;
  throw new InvalidArgumentError(`Write a whole number from 1 to ${banLimits.rowsMax}.`);
}
