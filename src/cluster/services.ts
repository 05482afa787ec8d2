/**
 * Instances of services at `PREFIX/services/NAME/INSTANCE` → `{"address": "10.0.0.5:8080", "weight": 1, "meta": {…}}`, as
 * endpoints. What is wrong with one is said by its name, and the others count. Pure.
 */
import { isIP, isIPv6 } from 'node:net';
import { hostPort, parseEndpoint } from '../base/address.js';
import { plainAddress } from '../base/network.js';
import type { DiscoveredEndpoint } from '../model/config.js';
import { weightLimits } from '../model/overrides.js';
import type { KeyValue } from './etcd/wire.js';
import { NAME_PATTERN } from './nodes.js';
import { keyName, type Parsed, readObject, textWithin } from './values.js';

export const serviceLimits = {
  /** Instances of one service; the first by name count. */
  instancesMax: 256,
  metaEntriesMax: 32,
  metaCharactersMax: 256,
} as const;

export interface Instance {
  readonly service: string;
  /** Its name within the service. */
  readonly name: string;
  readonly endpoint: DiscoveredEndpoint;
  readonly meta: Readonly<Record<string, string>>;
}

export interface ServicesRead {
  /** By name of the service, in the order of the instances' names. */
  readonly services: ReadonlyMap<string, readonly Instance[]>;
  /** A sentence each, with the key. */
  readonly faults: readonly string[];
}

export interface ServiceRules {
  readonly prefix: string;
  /** Instances may be on this machine: whoever may write to etcd may then lead clients to what listens only here. */
  readonly allowLoopback: boolean;
}

export const servicesPrefix = (prefix: string): string => `${prefix}/services/`;

export function readServices(items: Iterable<KeyValue>, rules: ServiceRules): ServicesRead {
  const services = new Map<string, Instance[]>();
  const faults: string[] = [];
  for (const { key, value } of [...items].sort((one, other) => (one.key < other.key ? -1 : 1))) {
    const parsed = parseInstance(key, value, rules);
    if ('fault' in parsed) faults.push(`${keyName(key)}: ${parsed.fault}`);
    else {
      const fault = added(services, parsed.instance);
      if (fault !== null) faults.push(`${keyName(key)}: ${fault}`);
    }
  }
  return { services, faults };
}

/** What keeps it out; null: nothing. */
function added(services: Map<string, Instance[]>, instance: Instance): string | null {
  const others = services.get(instance.service) ?? [];
  const twin = others.find(({ endpoint }) => endpoint.name === instance.endpoint.name);
  if (twin !== undefined) return `instance \`${twin.name}\` has the address ${twin.endpoint.name} already`;
  if (others.length >= serviceLimits.instancesMax)
    return `more than ${serviceLimits.instancesMax} instances of one service`;
  services.set(instance.service, [...others, instance]);
  return null;
}

export function parseInstance(
  key: string,
  value: Uint8Array,
  rules: ServiceRules,
): Parsed<{ readonly instance: Instance }> {
  const [service = '', name = '', ...rest] = key.slice(servicesPrefix(rules.prefix).length).split('/');
  if (!key.startsWith(servicesPrefix(rules.prefix)) || rest.length > 0 || ![service, name].every(isName))
    return { fault: `expected a key such as ${servicesPrefix(rules.prefix)}NAME/INSTANCE` };
  const read = readObject(value);
  if ('fault' in read) return read;
  const { address, weight = 1, meta = {} } = read.object;
  const place = readPlace(address, rules);
  if ('fault' in place) return place;
  if (!isWeight(weight))
    return { fault: `weight: expected a whole number from ${weightLimits.min} to ${weightLimits.max}` };
  const entries = readMeta(meta);
  if ('fault' in entries) return entries;
  const { host, port } = place;
  const endpoint = { name: hostPort(host, port), host, port, weight, backup: false };
  return { instance: { service, name, endpoint, meta: entries.meta } };
}

const isName = (text: string): boolean => NAME_PATTERN.test(text);

const isWeight = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= weightLimits.min && Number(value) <= weightLimits.max;

function readPlace(
  address: unknown,
  { allowLoopback }: ServiceRules,
): Parsed<{ readonly host: string; readonly port: number }> {
  const text = textWithin(address, 300);
  const endpoint = text === null ? null : parseEndpoint(text);
  if (endpoint === null || !('host' in endpoint))
    return { fault: 'address: expected a text such as "10.0.0.5:8080"' };
  // A name could lead anywhere by the time it is looked up.
  if (isIP(endpoint.host) === 0)
    return { fault: `address: expected an IP address with a port, got the name \`${endpoint.host}\`` };
  const ground = groundToRefuse(plainAddress(endpoint.host));
  if (ground === null || (ground === 'loopback' && allowLoopback)) return endpoint;
  const cure = ground === 'loopback' ? ' (distributed.allow_loopback)' : '';
  return { fault: `address: ${endpoint.host} is ${WORDS[ground]}, where no service may be${cure}` };
}

const WORDS = {
  loopback: 'a loopback address',
  link: 'an address of a link or of cloud metadata',
  none: 'no address of a host',
} as const;

/** Null: a service may be there. */
function groundToRefuse(host: string): keyof typeof WORDS | null {
  if (isIPv6(host)) {
    const text = host.toLowerCase();
    if (text === '::1') return 'loopback';
    if (text === '::' || text.startsWith('ff')) return 'none';
    // Amazon's metadata has addresses of its own.
    return /^fe[89ab]|^fd00:ec2:/.test(text) ? 'link' : null;
  }
  const [first = 0, second = 0] = host.split('.').map(Number);
  if (first === 127) return 'loopback';
  if (first === 169 && second === 254) return 'link';
  return first === 0 || first >= 224 ? 'none' : null;
}

function readMeta(value: unknown): Parsed<{ readonly meta: Readonly<Record<string, string>> }> {
  const { metaEntriesMax, metaCharactersMax } = serviceLimits;
  const expected = `meta: expected up to ${metaEntriesMax} texts of up to ${metaCharactersMax} characters by name`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { fault: expected };
  const entries = Object.entries(value);
  const isFine = ([name, text]: [string, unknown]) =>
    textWithin(name, metaCharactersMax) !== null && textWithin(text, metaCharactersMax) !== null;
  if (entries.length > metaEntriesMax || !entries.every(isFine)) return { fault: expected };
  return { meta: Object.fromEntries(entries as [string, string][]) };
}
