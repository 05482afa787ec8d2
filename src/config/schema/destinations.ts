/** Patterns of destinations: `*.example.com:443`, `10.1.0.0/16:*`, `[2001:db8::]/32`. */
import { isIPv6, SocketAddress } from 'node:net';
import { PORT_MAX } from '../../base/address.js';
import { isNetwork, networkFault, plainAddress, withoutHostBits } from '../../base/network.js';
import { ANY_DESTINATION, type DestinationRule, type PortRange } from '../../model/connect-proxy.js';
import { form, list } from './fields.js';

/** Null: it names no port. */
export interface DestinationPattern extends Omit<DestinationRule, 'ports'> {
  readonly ports: DestinationRule['ports'] | null;
}

const PATTERN =
  'a host name, `*.` and one, `*`, an address or a network, with `:PORT`, `:FIRST-LAST` or `:*` behind it or not, such as `*.example.com:443`';

/** Each is looked at for every request. */
const RULES_MAX = 1000;

export function destinations(meaning: string) {
  const pattern = form(meaning, PATTERN, parseDestinations, destinationsFault);
  return list(pattern, meaning, 'destinations').max(RULES_MAX, `has more than ${RULES_MAX} destinations`);
}

/** Null: it is none. */
export function parseDestinations(text: string): DestinationPattern | null {
  const parts = partsOf(text);
  const host = parts && hostOf(parts.host);
  const ports = parts === null || parts.ports === null ? null : parsePorts(parts.ports);
  if (host === null || (parts?.ports !== null && ports === null)) return null;
  return { ...host, ports };
}

interface Parts {
  /** Without brackets. */
  readonly host: string;
  /** As written; null: none. */
  readonly ports: string | null;
}

const BRACKETED = /^\[([^\]]*)\](\/\d+)?(?::(.*))?$/;

function partsOf(text: string): Parts | null {
  const [, inner, bits = '', behind = null] = BRACKETED.exec(text) ?? [];
  if (inner !== undefined)
    return isIPv6(inner.split('/')[0] ?? '') ? { host: inner + bits, ports: behind } : null;
  // Without brackets the last part of an IPv6 address might be a port.
  if (isNetwork(text) && text.includes(':')) return text.includes('/') ? { host: text, ports: null } : null;
  const colon = text.indexOf(':');
  return colon < 0
    ? { host: text, ports: null }
    : { host: text.slice(0, colon), ports: text.slice(colon + 1) };
}

function hostOf(host: string): Pick<DestinationRule, 'name' | 'network'> | null {
  if (isNetwork(host)) return { name: null, network: canonical(withoutHostBits(host) ?? host) };
  const name = plainPattern(host);
  return isNamePattern(name) ? { name, network: null } : null;
}

function canonical(network: string): string {
  const [address = '', bits] = network.split('/');
  const plain = plainAddress(address);
  const text = isIPv6(plain) ? new SocketAddress({ address: plain, family: 'ipv6' }).address : plain;
  if (bits === undefined) return text;
  return `${text}/${plain === address ? bits : Number(bits) - 96}`;
}

/** `example.com.` is the same name written absolutely. */
const plainPattern = (host: string): string => host.toLowerCase().replace(/(?<=[^.])\.$/, '');

/** As the names in requests are (src/forward-proxy). */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const NAME_CHARACTERS_MAX = 253;
/** Of an address: what looks like a part of one is no name. */
const NUMBER = /^(?:\d+|0x[0-9a-f]*)$/;

function isNamePattern(pattern: string): boolean {
  if (pattern === ANY_DESTINATION) return true;
  const name = pattern.startsWith('*.') ? pattern.slice(2) : pattern;
  const labels = name.split('.');
  return (
    name.length <= NAME_CHARACTERS_MAX &&
    labels.every((label) => LABEL.test(label)) &&
    !NUMBER.test(labels.at(-1) ?? '')
  );
}

const ANY_PORT = '*';

/** `443`, `8000-8999`, `80,443`, `*`; null: none of these. */
export function parsePorts(text: string): DestinationRule['ports'] | null {
  if (text === ANY_PORT) return 'any';
  const ranges = text.split(',').map(rangeOf);
  return ranges.every((range) => range !== null) ? ranges : null;
}

function rangeOf(text: string): PortRange | null {
  const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text.trim()) ?? [];
  const range = { first: Number(first), last: Number(last) };
  return range.first >= 1 && range.first <= range.last && range.last <= PORT_MAX ? range : null;
}

function destinationsFault(text: string): string | null {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return 'leave out the scheme and what is behind the host';
  if (isIPv6(text)) return `write it in brackets: \`[${text}]\``;
  const network = /^([0-9a-f:.]*:[0-9a-f:.]*\/\d+):(.*)$/i.exec(text);
  if (network !== null && isNetwork(network[1] ?? ''))
    return `write \`[${network[1]?.replace('/', ']/')}:${network[2]}\``;
  const parts = partsOf(text);
  if (parts === null) return null;
  if (parts.ports !== null && parsePorts(parts.ports) === null)
    return `ports are 1 to ${PORT_MAX}, the lower one first`;
  return networkFault(parts.host) ?? nameFault(parts.host);
}

function nameFault(host: string): string | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what is not ASCII
  if (/[^\x00-\x7f]/.test(host))
    return 'names are asked for in ASCII: write the form that begins with `xn--`';
  if (host.replace(/^\*(?:\.|$)/, '').includes('*')) return '`*` stands alone, or before the first dot';
  return NUMBER.test(plainPattern(host).split('.').at(-1) ?? '')
    ? 'an IPv4 address is four decimal numbers from 0 to 255'
    : null;
}
