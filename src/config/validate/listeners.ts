/** Listeners from `server.listen` and the `listeners` section; one per socket. */
import { type Listen, parseListen } from '../../base/address.js';
import { UNIX_PEERS } from '../../base/network.js';
import { type ListenerConfig, listKeys, type ProtocolConfig } from '../../model/config.js';
import { hasDatagramSocket, takesStreams, transportsOf } from '../../model/transports.js';
import type { Path } from '../path.js';
import type { Report } from '../report.js';
import type { admission, ListenerEntry } from '../schema/listeners.js';
import type { Context } from './context.js';
import type { ListenerGroup } from './groups.js';
import { isEmptyList, noLists, resolveLists } from './lists.js';
import type { ProtocolNames } from './protocols.js';
import type { Entry, Shape } from './shape.js';
import { checkAddresses, hasFile, withFamilies, withMode } from './sockets.js';
import type { Targets } from './targets.js';

export const LISTENERS_MAX = 1024;
/** Where sessions come in if nothing else is said. */
export const DEFAULT_ADDRESS = ':9090';
const CLOSE = { kind: 'end', closing: 'close' } as const;

export function resolveListeners(
  shape: Shape,
  names: ProtocolNames,
  targets: Targets,
  forwards: readonly ListenerGroup[],
  context: Context,
  report: Report,
): ListenerGroup[] {
  const listed = listedGroups(shape, names, targets, context, report);
  const groups = [...serverGroups(shape, names), ...listed, ...forwards];
  checkNames(groups, report);
  checkAddresses(groups, report);
  const count = groups.reduce((sum, { listeners }) => sum + listeners.length, 0);
  if (count > LISTENERS_MAX) {
    const most = forwards.length > 0 ? ['forwards'] : ['listeners'];
    report.problem(most, `${count} addresses to listen on are too many: at most ${LISTENERS_MAX}`);
  }
  // Containers may have something to listen on, later.
  if (count === 0 && shape.docker === null && report.problems.length === 0) reportSilence(shape, report);
  return withFamilies(groups);
}

function reportSilence({ listeners }: Shape, report: Report): void {
  if (listeners === null) report.problem(['server', 'listen'], 'there is no address to listen on');
  else report.problem(['listeners'], 'there is no listener: list one, or leave `listeners` out');
}

function serverGroups({ server, listeners, forwards, docker }: Shape, names: ProtocolNames): ListenerGroup[] {
  const isElsewhere = listeners !== null || forwards.length > 0 || docker !== null;
  const fallback = isElsewhere ? [] : [parseListen(DEFAULT_ADDRESS) ?? []];
  const written = server.listen ?? fallback;
  return written
    .flatMap((addresses, index) => addresses.map((address) => ({ address, index })))
    .map(({ address, index }) => ({
      name: address.text,
      path: written.length > 1 ? ['server', 'listen', index] : ['server', 'listen'],
      listeners: [
        {
          name: address.text,
          address: withMode(address),
          transport: 'tcp',
          kcp: null,
          protocols: spokenOn({ transport: 'tcp' }, names).map(({ name }) => name),
          onUnknown: CLOSE,
          onSilence: null,
          forward: null,
          proxyProtocol: null,
          maxConnections: 0,
          lists: noLists,
        },
      ],
    }));
}

function listedGroups(
  shape: Shape,
  names: ProtocolNames,
  targets: Targets,
  context: Context,
  report: Report,
): ListenerGroup[] {
  return (shape.listeners ?? []).map((entry) => {
    const { name, address, transport, kcp, mode } = entry.value;
    checkTransport(entry, report);
    if (mode !== undefined && !address.some(hasFile)) {
      report.problem([...entry.path, 'mode'], "is for a unix socket's file, such as `unix:/run/a.sock`");
    }
    const policy = {
      ...admissionOf(entry, context, report),
      ...policyOf(entry, names, targets, report),
      forward: null,
    };
    const nameOf = ({ text }: Listen) =>
      address.length > 1 ? `${name}:${text.slice(text.lastIndexOf(':') + 1)}` : name;
    return {
      name,
      path: entry.path,
      listeners: address.map((each) => ({
        ...policy,
        name: nameOf(each),
        address: withMode(each, mode),
        transport,
        kcp: kcp ?? null,
      })),
    };
  });
}

function policyOf(
  { path, value }: Entry<ListenerEntry>,
  names: ProtocolNames,
  targets: Targets,
  report: Report,
) {
  const { on_unknown, on_silence } = value;
  const silence = on_silence && targets.resolve(on_silence.to, [...path, 'on_silence', 'to']);
  return {
    protocols: acceptedProtocols({ path, value }, names, report),
    onUnknown: targets.resolve(on_unknown, [...path, 'on_unknown']) ?? CLOSE,
    onSilence: silence ? { afterMs: on_silence.after, to: silence } : null,
  };
}

/** What is written of who may connect, and where. */
type Admitting = Pick<ListenerEntry, 'address' | keyof typeof admission>;

export function admissionOf(entry: Entry<Admitting>, context: Context, report: Report) {
  const { path, value } = entry;
  return {
    proxyProtocol: resolveProxyProtocol(value, [...path, 'proxy_protocol'], report),
    maxConnections: value.max_connections,
    lists: resolveListenerLists(entry, context, report),
  };
}

/** Those of its transports, in rank order. */
function acceptedProtocols(
  { path, value }: Entry<ListenerEntry>,
  names: ProtocolNames,
  report: Report,
): string[] {
  const own = spokenOn(value, names).map(({ name }) => name);
  const named = value.protocols?.map((name, index) => names.resolve(name, [...path, 'protocols', index]));
  if (named === undefined) return own;
  for (const [index, name] of named.entries()) {
    if (name === null || own.includes(name) || takesStreams(value)) continue;
    const cure = 'leave it out, or write `transport: tcp+udp`';
    report.problem([...path, 'protocols', index], `\`${name}\` is not spoken in datagrams: ${cure}`);
  }
  return own.filter((name) => named.includes(name));
}

const spokenOn = (
  listener: Pick<ListenerConfig, 'transport'>,
  { configured }: ProtocolNames,
): ProtocolConfig[] =>
  configured.filter((protocol) => transportsOf(listener).some((each) => protocol.transports.includes(each)));

/** What datagrams do not have. `key`: of the transport. */
export function checkTransport(
  {
    path,
    value,
  }: Entry<Pick<ListenerEntry, 'address' | 'transport' | 'kcp' | 'on_silence' | 'max_connections'>>,
  report: Report,
  key = 'transport',
): void {
  if (!hasDatagramSocket(value)) return;
  const unix = value.address.find(({ kind }) => kind === 'unix');
  if (unix !== undefined) {
    const cure = `write \`${key}: tcp\`, or an address with a port`;
    report.problem([...path, key], `\`${unix.text}\` takes no datagrams: ${cure}`);
  }
  if (takesStreams(value)) return;
  if (value.on_silence !== undefined) {
    report.problem(
      [...path, 'on_silence'],
      'has no effect: a client of datagrams is there once it has said something; leave it out',
    );
  }
  if (value.max_connections > 0) {
    const cure = '`server.udp.max_flows` and `max_flows_per_ip` limit flows';
    report.problem([...path, 'max_connections'], `has no effect: there are no connections here; ${cure}`);
  }
}

/** Behind a proxy a unix socket has sources too: those that its headers announce. */
function resolveListenerLists(
  { path, value }: Entry<Admitting>,
  context: Context,
  report: Report,
): ListenerConfig['lists'] {
  const lists = resolveLists(value, path, context, report);
  const isUnix = value.address.some(({ kind }) => kind === 'unix');
  if (!isUnix || value.proxy_protocol?.accept) return lists;
  for (const list of ['trusted', 'denied', 'allowed'] as const) {
    if (isEmptyList(lists[list])) continue;
    const key = lists[list].networks.length > 0 ? listKeys[list] : `${listKeys[list]}_files`;
    report.problem([...path, key], 'has no effect: the clients of a unix socket have no address');
  }
  return lists;
}

/** There is no default for trusted peers: they may announce any source address. */
function resolveProxyProtocol(
  { proxy_protocol: written, address }: Admitting,
  path: Path,
  report: Report,
): ListenerConfig['proxyProtocol'] {
  if (!written?.accept) return null;
  const { trusted } = written;
  if (trusted.length === 0) {
    report.missing(path, 'accepts headers from nobody: list the networks that send them in `trusted`');
  }
  const isUnix = address.some(({ kind }) => kind === 'unix');
  if (isUnix && trusted.some((peer) => peer !== UNIX_PEERS)) {
    const instead = `write \`trusted: [${UNIX_PEERS}]\`, and let \`mode\` say who they may be`;
    report.problem(path, `a unix socket has clients without an address: ${instead}`);
  }
  if (!isUnix && trusted.includes(UNIX_PEERS)) {
    const why = `\`${UNIX_PEERS}\` means the clients of a unix socket, and this listener is none: list networks`;
    report.problem([...path, 'trusted', trusted.indexOf(UNIX_PEERS)], why);
  }
  return { trusted };
}

/** Those of the sockets of a range, too. An address that is listed twice is told of as one. */
function checkNames(groups: readonly ListenerGroup[], report: Report): void {
  const first = new Map<string, Path>();
  for (const { name, path, listeners } of groups) {
    const names = new Set([name, ...listeners.map((listener) => listener.name)]);
    for (const each of names) {
      const other = first.get(each);
      if (other === undefined) first.set(each, path);
      else if (path[0] !== 'server' && other !== path)
        report.problem(
          [...path, 'name'],
          `${path[0] === 'forwards' ? 'forward' : 'listener'} \`${each}\` is listed twice, first by ${report.nameOf(other)}`,
        );
    }
  }
}
