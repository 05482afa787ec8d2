/** `anyport upstream`: endpoints of a running daemon, their weight and state. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { EndpointStatus, UpstreamStatus } from '../../admin/control.js';
import { countText } from '../../base/figures.js';
import { jsonLine } from '../../base/text.js';
import { sourceOf } from '../../config/said-by.js';
import { endpointStates, weightLimits } from '../../model/overrides.js';
import { columns } from '../columns.js';
import { type ControlOptions, connectControl, withControlOptions } from '../control/client.js';
import { BAD_USAGE, Failure } from '../failure.js';

const SET_EXAMPLES = `
Examples:
  anyport upstream set web 10.0.0.5:80 --state drain     no new sessions; those it has go on
  anyport upstream set web 10.0.0.5:80 --state up --weight configured

What is set lasts until it is set back or the daemon is restarted; reloads keep it.`;

/** Sets a weight back. Commander takes null for no value. */
const CONFIGURED = 'configured';

interface SetOptions extends ControlOptions {
  readonly weight?: number | typeof CONFIGURED;
  readonly state?: string;
}

export function addUpstream(program: Command): void {
  const upstream = program
    .command('upstream')
    .description("list a running daemon's upstreams, or set weight and state of an endpoint");
  withControlOptions(
    upstream
      .command('list', { isDefault: true })
      .description('upstreams and endpoints: weight, state, sessions, health')
      .argument('[name]', 'one upstream'),
  ).action(list);
  withControlOptions(
    upstream
      .command('set')
      .description('set the weight or state of an endpoint')
      .argument('<name>', 'the upstream')
      .argument('<endpoint>', 'its address as configured')
      .option('--weight <n>', 'its share, 0 (no new session) to 256, or `configured`', weightOf)
      .addOption(new Option('--state <state>', 'whether it gets new sessions').choices([...endpointStates])),
  )
    .addHelpText('after', SET_EXAMPLES)
    .action(set);
}

async function list(name: string | undefined, options: ControlOptions): Promise<void> {
  const daemon = await connectControl(options);
  const path = '/api/v1/upstreams';
  const answer = await daemon.call('GET', name === undefined ? path : `${path}/${encodeURIComponent(name)}`);
  if (options.json) {
    process.stdout.write(jsonLine(answer));
    return;
  }
  const { upstreams } =
    name === undefined
      ? (answer as { upstreams: readonly UpstreamStatus[] })
      : { upstreams: [answer as UpstreamStatus] };
  process.stdout.write(upstreams.length === 0 ? 'no upstreams are configured\n' : table(upstreams));
}

async function set(name: string, endpoint: string, { weight, state, ...options }: SetOptions): Promise<void> {
  if (weight === undefined && state === undefined) {
    throw new Failure('nothing to set: give --weight or --state', BAD_USAGE);
  }
  const daemon = await connectControl(options);
  const path = `/api/v1/upstreams/${encodeURIComponent(name)}/endpoints/${encodeURIComponent(endpoint)}`;
  const answer = (await daemon.call('PATCH', path, {
    weight: weight === CONFIGURED ? null : weight,
    state,
  })) as { endpoint: EndpointStatus };
  process.stdout.write(options.json ? jsonLine(answer) : columns([HEADING, row(name, answer.endpoint)]));
}

const HEADING = ['UPSTREAM', 'ENDPOINT', 'STATE', 'WEIGHT', 'SESSIONS', 'ADDRESSES', 'HEALTH'];

function table(upstreams: readonly UpstreamStatus[]): string {
  const rows = upstreams.flatMap(({ name, handler, endpoints }) =>
    handler === null
      ? endpoints.map((endpoint) => row(name, endpoint))
      : [[name, handler, 'up', '-', '-', '(in-process handler)', '-']],
  );
  const origins = upstreams.flatMap(({ from, handler, endpoints }) =>
    handler === null ? endpoints.map((endpoint) => endpoint.from) : [from],
  );
  // One file says it all: that is no news.
  if (new Set(origins.map(sourceOf)).size < 2) return columns([HEADING, ...rows]);
  const all = [HEADING, ...rows].map((cells, index) => [
    ...cells,
    index === 0 ? 'FROM' : (origins[index - 1] ?? '-'),
  ]);
  return columns(all);
}

function row(upstream: string, endpoint: EndpointStatus): string[] {
  const { name, weight, configuredWeight, backup, sessions, addresses } = endpoint;
  const share = weight === configuredWeight ? `${weight}` : `${weight} (configured ${configuredWeight})`;
  const where =
    addresses.length === 0 ? 'not resolved' : addresses.filter((each) => each !== name).join(', ');
  const state = stateText(endpoint);
  return [
    upstream,
    name,
    backup ? `${state}, backup` : state,
    share,
    countText(sessions),
    where || '-',
    healthText(endpoint),
  ];
}

/** As it was set, unless it is down for another reason. */
function stateText({ state, up, health }: EndpointStatus): string {
  if (!up) return health.ejectedUntil === null ? 'down' : 'ejected';
  return state === 'up' && health.asks === 'drain' ? 'drain' : state;
}

/** Why it is down, or how its last check went; since when; when it was. */
function healthText({ why, health: { check, since, lastCheck, ejectedUntil } }: EndpointStatus): string {
  const parts = [
    why ??
      (check === null
        ? null
        : `${check}: ${lastCheck === null ? 'not checked yet' : (lastCheck.words ?? 'well')}`),
    ejectedUntil && `until ${clockText(ejectedUntil)}`,
    since && `since ${clockText(since)}`,
    lastCheck && `checked ${clockText(lastCheck.at)} in ${lastCheck.tookMs} ms`,
  ];
  return parts.filter((part) => part !== null).join(', ') || '-';
}

/** `2026-11-26 10:15:30`, UTC. */
const clockText = (iso: string): string => iso.slice(0, 19).replace('T', ' ');

function weightOf(text: string): number | typeof CONFIGURED {
  if (text === CONFIGURED) return CONFIGURED;
  const weight = Number(text);
  const { min, max } = weightLimits;
  if (/^\d+$/.test(text) && weight >= min && weight <= max) return weight;
  throw new InvalidArgumentError(`Write a whole number from ${min} to ${max}, or \`configured\`.`);
}
