/** One container under one alias: where it is reached, and what it says of its alias. Pure. */
import { hostPort, parseEndpoint } from '../../base/address.js';
import { isOwnHost } from '../../base/own-host.js';
import type { Container } from './container.js';
import { type AliasLabels, type Label, type LabelProblem, originOf, problemOf } from './labels.js';

/** What of the section `docker` matters to containers. */
export interface Choice {
  /** Network by which containers are reached that do not choose one; empty: the first that has an address. */
  readonly network: string;
  /** Whether a label may lead to this machine itself. */
  readonly allowLoopback: boolean;
}

export interface Replica {
  readonly alias: string;
  readonly container: Container;
  /** 0: it gets no new session for now. */
  readonly endpoint: { readonly address: string; readonly weight: number };
  /** Port that is passed on; null: sessions come by routes. */
  readonly forward: { readonly listen: number; readonly scheme: string } | null;
  /** Conditions of its route. */
  readonly when: Readonly<Record<string, string | readonly string[]>>;
  /** Options of its upstream. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Where the things above were said, by their key. */
  readonly origins: Readonly<Record<string, string>>;
}

/** Where a replica is wrong. */
class Wrong extends Error {
  readonly label: string;
  constructor(label: string, message: string) {
    super(message);
    this.label = label;
  }
}

export function replicaOf(
  container: Container,
  labels: AliasLabels,
  network: Label | null,
  choice: Choice,
): Replica | LabelProblem {
  try {
    return read(container, labels, network, choice);
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    return problemOf(container, error.label, error.message);
  }
}

function read(container: Container, labels: AliasLabels, network: Label | null, choice: Choice): Replica {
  const { alias, proxy, own } = labels;
  const ports = proxy.get('port');
  const forward = ports === undefined ? null : forwardOf(ports, proxy.get('scheme'), container);
  if (forward === null && proxy.has('scheme'))
    throw new Wrong(`proxy.${alias}.scheme`, `needs \`proxy.${alias}.port\`, as \`7878:3478\``);
  const when = whenOf(own);
  if (forward !== null && Object.keys(when).length > 0)
    throw new Wrong(
      `proxy.${alias}.port`,
      'passes a port on: nothing is identified there; leave out the conditions of `anyport`, or this',
    );
  if (forward === null && Object.keys(when).length === 0)
    throw new Wrong(
      `anyport.${alias}`,
      'leads nowhere: write `protocol`, `sni`, `host` or `path`, or `proxy.ALIAS.port`',
    );
  const port = forward?.target ?? targetPort(alias, own.get('port'), container);
  const host = hostOf(container, proxy.get('host'), network, choice);
  const address = hostPort(host.text, port);
  if (parseEndpoint(address) === null)
    throw new Wrong(host.label, `\`${host.text}\` is no host name and no address`);
  return {
    alias,
    container,
    endpoint: { address, weight: container.isWell ? weightOf(own.get('weight')) : 0 },
    forward: forward && { listen: forward.listen, scheme: forward.scheme },
    when,
    options: optionsOf(own),
    origins: originsOf(container, labels),
  };
}

const originsOf = (container: Container, { proxy, own }: AliasLabels): Record<string, string> =>
  Object.fromEntries(
    [...own, ...[...proxy].map(([key, label]) => [`proxy.${key}`, label] as const)].map(
      ([key, { label }]) => [key, originOf(container, label)],
    ),
  );

const SCHEMES = ['tcp', 'udp', 'tcp+udp'];

/** Without a scheme that of the port: what is exposed for UDP alone is `udp`. */
function forwardOf({ label, text }: Label, scheme: Label | undefined, { ports }: Container) {
  const match = /^(\d{1,5}):(\d{1,5})$/.exec(text);
  const [listen, target] = [Number(match?.[1]), Number(match?.[2])];
  if (!isPort(listen) || !isPort(target))
    throw new Wrong(
      label,
      `expected \`LISTEN:TARGET\`, two ports such as \`7878:3478\`, got \`${text.slice(0, 80)}\``,
    );
  const exposed = ports.filter(({ port }) => port === target).map(({ transport }) => transport);
  const written = scheme?.text ?? (String(exposed) === 'udp' ? 'udp' : 'tcp');
  if (scheme !== undefined && !SCHEMES.includes(written)) {
    const cure = /^https?$/.test(written) ? '; for HTTP by names write `anyport.ALIAS.host`' : '';
    throw new Wrong(scheme.label, `expected ${SCHEMES.join(', ')}, got \`${written.slice(0, 80)}\`${cure}`);
  }
  return { listen, target, scheme: written };
}

const isPort = (port: number): boolean => Number.isInteger(port) && port > 0 && port <= 65_535;

function targetPort(alias: string, label: Label | undefined, { ports }: Container): number {
  if (label !== undefined) {
    const port = /^\d{1,5}$/.test(label.text) ? Number(label.text) : 0;
    if (!isPort(port))
      throw new Wrong(label.label, `expected a port, 1 to 65535, got \`${label.text.slice(0, 80)}\``);
    return port;
  }
  const exposed = new Set(ports.map(({ port }) => port));
  const [only] = exposed;
  if (only === undefined || exposed.size > 1) {
    const what = exposed.size === 0 ? 'exposes no port' : `exposes ${exposed.size} ports`;
    throw new Wrong(
      `anyport.${alias}.port`,
      `is not there, and the container ${what}: say which one is meant`,
    );
  }
  return only;
}

/** The host that a label names, else the container's address in its network. */
function hostOf(
  container: Container,
  written: Label | undefined,
  network: Label | null,
  choice: Choice,
): Label {
  const host = written ?? addressOf(container, network, choice.network);
  const text = host.text.replace(/^\[(.*)\]$/, '$1');
  if (!choice.allowLoopback && isOwnHost(text)) {
    const cure = 'set `docker.allow_loopback` in the file if containers may do that';
    throw new Wrong(host.label, `\`${text}\` leads to this machine itself: ${cure}`);
  }
  return { label: host.label, text };
}

function addressOf({ networks, isOnHost }: Container, label: Label | null, preferred: string): Label {
  if (isOnHost) return { label: 'network_mode', text: '127.0.0.1' };
  const wanted = label?.text ?? preferred;
  const found = wanted === '' ? networks[0] : networks.find(({ name }) => name === wanted);
  if (found !== undefined) return { label: label?.label ?? 'network', text: found.address };
  const names = networks.map(({ name }) => `\`${name}\``).join(', ') || 'none';
  const what = wanted === '' ? 'it has no address in any network' : `it has no address in \`${wanted}\``;
  throw new Wrong(label?.label ?? 'network', `${what}; its networks with one: ${names}`);
}

const CONDITIONS = ['protocol', 'sni', 'host', 'path', 'listener'] as const;

/** Several values with commas. A name in a hello is one of TLS. */
function whenOf(own: AliasLabels['own']): Record<string, string | readonly string[]> {
  const when: Record<string, string | readonly string[]> = {};
  for (const key of CONDITIONS) {
    const label = own.get(key);
    if (label === undefined) continue;
    const values = label.text
      .split(',')
      .map((text) => text.trim())
      .filter((text) => text !== '');
    const [first] = values;
    if (first === undefined) throw new Wrong(label.label, 'is empty: leave it out, or say what it is');
    when[key] = values.length === 1 ? first : values;
  }
  return when;
}

const WEIGHT_MAX = 256;

function weightOf(label: Label | undefined): number {
  if (label === undefined) return 1;
  const weight = /^\d{1,3}$/.test(label.text) ? Number(label.text) : Number.NaN;
  if (!(weight <= WEIGHT_MAX))
    throw new Wrong(label.label, `expected a weight, 0 to ${WEIGHT_MAX}, got \`${label.text.slice(0, 80)}\``);
  return weight;
}

/** As they are written: the schema of upstreams checks them. */
function optionsOf(own: AliasLabels['own']): Record<string, unknown> {
  const check: Record<string, unknown> = {};
  for (const [key, { text }] of own)
    if (key.startsWith('health_check.')) check[key.slice('health_check.'.length)] = scalar(text);
  const header = own.get('proxy_protocol');
  return {
    ...(Object.keys(check).length > 0 && { health_check: check }),
    ...(header && { proxy_protocol: header.text }),
  };
}

const scalar = (text: string): string | number | boolean =>
  /^\d{1,9}$/.test(text) ? Number(text) : /^(?:true|false)$/.test(text) ? text === 'true' : text;
