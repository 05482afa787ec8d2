/**
 * Forwards: each is a listener on which nothing is identified, an upstream, and a route that is decided at accept. A port
 * range has one of each a port.
 */
import type { Listen } from '../../base/address.js';
import type { EndpointConfig, ListenerConfig, UpstreamConfig } from '../../model/config.js';
import { type Path, pathText } from '../path.js';
import type { Report } from '../report.js';
import type { ForwardEntry } from '../schema/forwards.js';
import type { Context } from './context.js';
import { checkEnds, endpointsFor, type ForwardTarget, targetOf } from './forward-targets.js';
import type { ListenerGroup } from './groups.js';
import { admissionOf, checkTransport } from './listeners.js';
import type { Shape } from './shape.js';
import { hasFile, withMode } from './sockets.js';
import { checkUpstreamName, type Targets } from './targets.js';
import {
  checkEndpointNames,
  defaultUpstream,
  endpointsOfFiles,
  type NamedUpstream,
  upstreamFrom,
} from './upstreams.js';

export interface Forward {
  readonly path: Path;
  readonly name: string;
  readonly value: ForwardEntry;
  readonly sockets: readonly Socket[];
  /** Null: it is wrong (reported). */
  readonly target: ForwardTarget | null;
}

interface Socket {
  /** Of the listener, and of an upstream that the forward has for itself. */
  readonly name: string;
  readonly address: Listen;
}

/** `upstreams`: those that are declared elsewhere, and where. */
export function readForwards(
  { forwards }: Shape,
  upstreams: ReadonlyMap<string, Path>,
  report: Report,
): Forward[] {
  return forwards.map(({ path, value }) => {
    const sockets = socketsOf(value);
    const target = targetOf({ path: [...path, 'target'], value: value.target }, upstreams, report);
    const forward = { path, name: value.name ?? nameOf(value), value, sockets, target };
    if (target?.kind === 'own') checkEnds(target, value, report);
    checkName(forward, upstreams, report);
    return forward;
  });
}

/** Without a name it is the address, as listeners of `server.listen` have it; one port may be there for TCP and for UDP. */
function nameOf({ listen, scheme }: ForwardEntry): string {
  const [first, last] = [listen[0]?.text ?? '', listen.at(-1)?.text ?? ''];
  const range = listen.length > 1 ? `-${last.slice(last.lastIndexOf(':') + 1)}` : '';
  return `${first}${range}${suffixOf(scheme)}`;
}

function socketsOf({ name, listen, scheme }: ForwardEntry): Socket[] {
  return listen.map((address) => {
    const { text } = address;
    if (name === undefined) return { name: text + suffixOf(scheme), address };
    return { name: listen.length > 1 ? `${name}:${text.slice(text.lastIndexOf(':') + 1)}` : name, address };
  });
}

const suffixOf = (scheme: ForwardEntry['scheme']): string => (scheme === 'udp' ? '/udp' : '');

/** A name that was not chosen is an address, which no upstream that is declared has. */
function checkName(
  { path, name, value, target, sockets }: Forward,
  upstreams: ReadonlyMap<string, Path>,
  report: Report,
): void {
  if (value.name === undefined) return;
  checkUpstreamName(name, [...path, 'name'], report);
  const other = target?.kind === 'own' && sockets.length === 1 ? upstreams.get(name) : undefined;
  if (other === undefined) return;
  const instead =
    other[0] === 'upstreams'
      ? 'write its name as `target`, or name the forward otherwise'
      : 'name it otherwise';
  report.problem(
    [...path, 'name'],
    `makes an upstream \`${name}\`, which ${report.nameOf(other)} has made: ${instead}`,
  );
}

/** Names of the upstreams that forwards make for themselves. */
export const forwardUpstreamNames = (forwards: readonly Forward[]): string[] =>
  forwards.flatMap(({ target, sockets }) => (target?.kind === 'own' ? sockets.map(({ name }) => name) : []));

/** Those that are written as mappings, as one of a range of ports has them. */
export const writtenForwardUpstreams = (forwards: readonly Forward[]): NamedUpstream[] =>
  forwards.flatMap(({ target, sockets }) => {
    const [first] = sockets;
    if (target?.kind !== 'own' || target.options === null || first === undefined) return [];
    const endpoints = endpointsFor(target, first.address, 0).map(({ name, address, ...share }) => ({
      address: { name, address },
      ...share,
    }));
    return [{ name: first.name, path: target.path, value: { ...target.options, endpoints } }];
  });

/** What the ports of a range have in common is checked once. */
export function forwardUpstreams(
  forwards: readonly Forward[],
  context: Context,
  report: Report,
): UpstreamConfig[] {
  return forwards.flatMap(({ target, sockets }): UpstreamConfig[] => {
    if (target?.kind !== 'own') return [];
    const ofFiles = endpointsOfFiles(target.options?.file_sd, context);
    const endpoints = sockets.map(({ address }, index) => [
      ...endpointsFor(target, address, index),
      ...ofFiles,
    ]);
    checkEndpointNames(
      (endpoints[0] ?? []).map(({ name }) => name),
      target.pathOf,
      report,
    );
    const value = { ...defaultUpstream, ...target.options };
    const of = (own: readonly EndpointConfig[]) =>
      upstreamFrom({ path: target.path, value, endpoints: own }, context, report);
    return sockets.map(({ name }, index) => ({ ...of(endpoints[index] ?? []), name }));
  });
}

export function forwardGroups(
  forwards: readonly Forward[],
  targets: Targets,
  context: Context,
  report: Report,
): ListenerGroup[] {
  return forwards.map((forward) => {
    const { path, name, value, sockets } = forward;
    if (value.mode !== undefined && !value.listen.some(hasFile))
      report.problem([...path, 'mode'], "is for a unix socket's file, such as `unix:/run/a.sock`");
    const written = {
      ...value,
      address: value.listen,
      transport: value.scheme,
      kcp: undefined,
      on_silence: undefined,
    };
    checkTransport({ path, value: written }, report, 'scheme');
    const admission = admissionOf({ path, value: written }, context, report);
    const named = namedUpstream(forward, targets, report);
    const listeners = sockets.map(
      (socket): ListenerConfig => ({
        ...admission,
        name: socket.name,
        address: withMode(socket.address, value.mode),
        transport: value.scheme,
        kcp: null,
        protocols: [],
        onUnknown: { kind: 'end', closing: 'close' },
        onSilence: null,
        forward: { at: pathText(path), upstream: named ?? socket.name },
      }),
    );
    return { name, path, listeners };
  });
}

/** Null: it has upstreams of its own, or the name is wrong (reported). */
function namedUpstream({ path, target }: Forward, targets: Targets, report: Report): string | null {
  if (target?.kind !== 'named') return null;
  const at = [...path, 'target'];
  const found = targets.resolveNameOrAddress(target.upstream, at);
  if (found?.kind === 'upstream') return found.upstream;
  if (found !== null)
    report.problem(
      at,
      `\`${target.upstream}\` ends sessions, and a forward passes them on: write an address, or the name of an upstream`,
    );
  return null;
}
