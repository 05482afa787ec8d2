/** Where forwards lead: the name of an upstream, or endpoints of their own, whose ports go with those that are listened on. */
import { isIP } from 'node:net';
import { destinationFault, type Listen, PORT_MAX, parseDestination } from '../../base/address.js';
import type { EndpointConfig } from '../../model/config.js';
import { takesDatagrams } from '../../model/transports.js';
import { expectedGot, withFault } from '../messages.js';
import type { Path } from '../path.js';
import type { Report } from '../report.js';
import type { ForwardEndpoint, ForwardEntry } from '../schema/forwards.js';
import type { UpstreamEntry } from '../schema/upstreams.js';
import type { Entry } from './shape.js';

export type ForwardTarget = { readonly kind: 'named'; readonly upstream: string } | OwnTarget;

export interface OwnTarget {
  readonly kind: 'own';
  readonly path: Path;
  /** Null: none are written. */
  readonly options: Omit<UpstreamEntry, 'endpoints'> | null;
  readonly endpoints: readonly ForwardEndpoint[];
  /** Where an endpoint is written. */
  pathOf(index: number): Path;
}

type Written = ForwardEntry['target'];

/** Null: it is wrong (reported). */
export function targetOf(
  { path, value }: Entry<Written>,
  upstreams: ReadonlyMap<string, unknown>,
  report: Report,
): ForwardTarget | null {
  if (typeof value === 'string') {
    const isName = upstreams.has(value) || !looksLikeEnds(value);
    return isName ? { kind: 'named', upstream: value } : endsIn({ path, value }, report);
  }
  if (Array.isArray(value))
    return { kind: 'own', path, options: null, endpoints: value, pathOf: (index) => [...path, index] };
  const { endpoints = [], ...options } = value;
  return { kind: 'own', path, options, endpoints, pathOf: (index) => [...path, 'endpoints', index] };
}

/** A host without a port is one when it can not be the name of an upstream that was misspelled. */
const looksLikeEnds = (text: string): boolean =>
  /[:,]/.test(text) || isIP(text) !== 0 || text === 'localhost' || /^[\w-]+(?:\.[\w-]+)+$/.test(text);

/** Addresses with commas. */
function endsIn({ path, value }: Entry<string>, report: Report): OwnTarget | null {
  const endpoints = value.split(',').flatMap((part): ForwardEndpoint[] => {
    const name = part.trim();
    const to = parseDestination(name);
    if (to !== null) return [{ address: { name, to }, weight: 1, backup: false }];
    const message = expectedGot(
      'an address such as `10.0.0.7:3478`, or `10.0.0.7`, which keeps the port',
      name,
    );
    report.problem(path, withFault(message, destinationFault(name)));
    return [];
  });
  return endpoints.length === 0 ? null : { kind: 'own', path, options: null, endpoints, pathOf: () => path };
}

/** For the socket at `index` of the forward. Every end fits (checkEnds). */
export function endpointsFor({ endpoints }: OwnTarget, socket: Listen, index: number): EndpointConfig[] {
  return endpoints.map(({ address: { name, to }, ...share }) => {
    if (to.kind === 'endpoint') return { name, address: to.endpoint, ...share };
    const kept = socket.kind === 'inet' ? socket.port : 0;
    const port = to.ports === null ? kept : to.ports.first + index;
    return { name: `${to.hostText}:${port}`, address: { host: to.host, port }, ...share };
  });
}

export function checkEnds(
  target: OwnTarget,
  { listen, scheme }: Pick<ForwardEntry, 'listen' | 'scheme'>,
  report: Report,
): void {
  for (const [index, { address }] of target.endpoints.entries()) {
    const fault = datagramFaultOf(address, scheme) ?? faultOf(address, listen);
    if (fault !== null) report.problem(target.pathOf(index), fault);
  }
  if (target.options?.file_sd !== undefined && listen.length > 1)
    report.problem(
      [...target.path, 'file_sd'],
      `each endpoint of a file is one place for ${textOf(listen)}: ${AN_UPSTREAM}`,
    );
}

function datagramFaultOf(
  { name, to }: ForwardEndpoint['address'],
  transport: ForwardEntry['scheme'],
): string | null {
  const isUnix = to.kind === 'endpoint' && 'path' in to.endpoint;
  return isUnix && takesDatagrams({ transport })
    ? `\`${name}\` takes no datagrams: write \`scheme: tcp\`, or an address with a port`
    : null;
}

function faultOf({ name, to }: ForwardEndpoint['address'], listen: readonly Listen[]): string | null {
  const listened = listen.length;
  if (to.kind === 'endpoint')
    return listened === 1 ? null : `\`${name}\` is one place for ${textOf(listen)}: ${AN_UPSTREAM}`;
  if (to.ports === null) {
    const none = listen.find((socket) => socket.kind === 'unix' || socket.port === 0);
    return none === undefined ? null : `\`${none.text}\` has no port to keep: write \`${name}:PORT\``;
  }
  const { first, count } = to.ports;
  if (count === listened) return null;
  const instead = `write \`${to.hostText}\`, which keeps the port, or ${rangeText(to.hostText, first, listened)}`;
  const other = count === 1 ? `; ${AN_UPSTREAM}` : '';
  return `\`${name}\` has ${count === 1 ? 'one port' : `${count} ports`} for ${textOf(listen)}: ${instead}${other}`;
}

function rangeText(host: string, first: number, count: number): string {
  const last = first + count - 1;
  if (count === 1) return `\`${host}:${first}\``;
  return last > PORT_MAX ? `a range of ${count}` : `\`${host}:${first}-${last}\``;
}

const AN_UPSTREAM = 'to send all of them there, name an upstream that has it';

/** `10000-10099`, which is 100 ports. */
function textOf(listen: readonly Listen[]): string {
  const [first, last] = [listen[0]?.text ?? '', listen.at(-1)?.text ?? ''];
  if (listen.length === 1) return `the one of \`${first}\``;
  return `the ${listen.length} of \`${first}-${last.slice(last.lastIndexOf(':') + 1)}\``;
}
