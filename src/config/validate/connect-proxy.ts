/** The proxy for CONNECT and SOCKS: where it is, whom it serves, and where they may go. */
import { CONNECT_PROXY, type ConnectProxyConfig, type DestinationRule } from '../../model/connect-proxy.js';
import { takesStreams } from '../../model/transports.js';
import type { Path } from '../path.js';
import type { Report } from '../report.js';
import type { ConnectProxyEntry } from '../schema/connect-proxy.js';
import type { DestinationPattern } from '../schema/destinations.js';
import { suggest } from '../suggest.js';
import type { Context } from './context.js';
import { isForward, type ListenerGroup } from './groups.js';
import type { ProtocolNames } from './protocols.js';
import { resolveProxyUsers } from './proxy-users.js';
import type { Shape } from './shape.js';
import { defaultOptions } from './upstreams.js';

export const SECTION: Path = ['connect_proxy'];

/** Null: there is none, or it is wrong (reported). */
export function resolveConnectProxy(
  shape: Shape,
  groups: readonly ListenerGroup[],
  names: ProtocolNames,
  context: Context,
  report: Report,
): ConnectProxyConfig | null {
  const { connectProxy: written } = shape;
  if (written === null) return null;
  checkReservedNames(shape, report);
  checkClients(written, report);
  if (written.allow?.length === 0)
    report.problem([...SECTION, 'allow'], 'allows nothing: leave it out to allow every public address');
  return {
    listeners: resolveListeners(written, groups, names, report).flatMap((group) =>
      group.listeners.map(({ name }) => name),
    ),
    allow: (written.allow ?? []).map((rule) => withPorts(rule, written.ports)),
    deny: written.deny.map((rule) => withPorts(rule, 'any')),
    ports: written.ports,
    allowFrom: written.allow_from,
    ...resolveProxyUsers(written, context, report),
    socks: written.socks,
    udp: written.udp,
    logUsers: written.log_users,
    resolveTimeoutMs: written.resolve_timeout,
    options: {
      ...defaultOptions,
      dial_timeout: written.dial_timeout,
      idle_timeout: written.idle_timeout,
      half_close_timeout: written.half_close_timeout,
    },
  };
}

const withPorts = ({ ports, ...rule }: DestinationPattern, byDefault: DestinationRule['ports']) => ({
  ...rule,
  ports: ports ?? byDefault,
});

/** Its upstreams have names, too. */
function checkReservedNames({ upstreams, protocols, forwards }: Shape, report: Report): void {
  const named = [
    ...upstreams.map(({ path }) => ({ path, name: String(path.at(-1)) })),
    ...[...protocols, ...forwards].map(({ path, value }) => ({ path, name: value.name ?? '' })),
  ];
  for (const { path, name } of named)
    if (name === CONNECT_PROXY || name.startsWith(`${CONNECT_PROXY}/`))
      report.problem(
        path,
        `\`${name}\` is what the upstream of \`connect_proxy\` is called: name it otherwise`,
      );
}

const EVERYBODY = ['0.0.0.0/0', '::/0'];
const OPEN =
  'open to everybody: name `users` or a `users_file`, or the networks of its clients in `allow_from`';

/** Whoever finds an open proxy uses it. */
function checkClients({ users, users_file, allow_from }: ConnectProxyEntry, report: Report): void {
  if (users !== undefined || users_file !== undefined) return;
  if (allow_from.length === 0) report.missing(SECTION, `would be ${OPEN}`);
  const everybody = allow_from.findIndex((network) => EVERYBODY.includes(network));
  if (everybody >= 0) report.problem([...SECTION, 'allow_from', everybody], `makes the proxy ${OPEN}`);
}

/** Protocols in which a proxy is asked. */
const askedIn = ({ socks }: ConnectProxyEntry): readonly string[] =>
  socks ? ['http', 'socks4', 'socks5'] : ['http'];

function resolveListeners(
  written: ConnectProxyEntry,
  groups: readonly ListenerGroup[],
  names: ProtocolNames,
  report: Report,
): readonly ListenerGroup[] {
  const asked = names.configured.filter(({ id }) => askedIn(written).includes(id)).map(({ name }) => name);
  const accepts = ({ listeners }: ListenerGroup) =>
    listeners.some(({ protocols }) => asked.some((name) => protocols.includes(name)));
  const able = groups.filter((group) => !isForward(group) && streams(group) && accepts(group));
  if (written.listeners === undefined) {
    if (able.length === 0) report.missing(SECTION, 'is nowhere: no listener of connections accepts `http`');
    return able;
  }
  const path = [...SECTION, 'listeners'];
  if (written.listeners.length === 0)
    report.problem(path, 'names no listener: leave it out to mean all of them');
  return written.listeners.flatMap((name, index) => {
    const group = groups.find((each) => each.name === name);
    const fault = faultOf(name, group, { groups, able, asked: askedIn(written) });
    if (fault !== null) report.problem([...path, index], fault);
    return group === undefined || fault !== null ? [] : [group];
  });
}

const streams = ({ listeners }: ListenerGroup): boolean => listeners.some(takesStreams);

interface Places {
  readonly groups: readonly ListenerGroup[];
  readonly able: readonly ListenerGroup[];
  readonly asked: readonly string[];
}

/** Why the proxy can not be there; null: it can. */
function faultOf(
  name: string,
  group: ListenerGroup | undefined,
  { groups, able, asked }: Places,
): string | null {
  if (group === undefined) {
    const known = groups.filter((each) => !isForward(each)).map((each) => each.name);
    return `unknown listener \`${name}\`${suggest(name, known)}`;
  }
  if (able.includes(group)) return null;
  if (isForward(group))
    return `\`${name}\` is a forward, which reads no request: make it one of \`listeners\``;
  if (!streams(group)) return `\`${name}\` takes datagrams alone: write \`transport: tcp+udp\` there`;
  return `\`${name}\` accepts no ${asked.map((each) => `\`${each}\``).join(', ')}: add it to its \`protocols\``;
}
