/**
 * The destination of a request. Strict, because what is judged here is dialled: a text that resolvers, libraries or
 * browsers read as different hosts is none.
 */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { PORT_MAX } from '../base/address.js';
import { plainAddress } from '../base/network.js';

export interface Destination {
  /** An address in canonical form (IPv4 for an IPv4-mapped one), or a name in lower case without a trailing dot. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

export type DestinationAnswer = Destination | { readonly fault: string };
type HostAnswer = { readonly host: string } | { readonly fault: string };

/** RFC 1035 section 2.3.4. */
const NAME_CHARACTERS_MAX = 253;
/** Letters, digits, hyphens within, and underscores, which names of services have. Other scripts come as A-labels (RFC 5890). */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
/** A last label that URL parsers and `inet_aton` take for a part of an IPv4 address: `2130706433`, `0x7f`. */
const NUMBER = /^(?:\d+|0x[0-9a-f]*)$/;
const PORT = /^[1-9]\d{0,4}$/;
const BRACKETED = /^\[([0-9A-Fa-f:.]+)\]$/;

/** `host:port` with an IPv6 address in brackets (RFC 9112 section 3.2.3, authority-form). */
export function readAuthority(text: string): DestinationAnswer {
  const colon = text.lastIndexOf(':');
  const isPort = colon >= 0 && !text.endsWith(']');
  if (!isPort) return { fault: 'the destination has no port' };
  const hostText = text.slice(0, colon);
  const bracketed = BRACKETED.exec(hostText)?.[1];
  if (bracketed === undefined && hostText.includes(':'))
    return { fault: 'the destination is not HOST:PORT, with an IPv6 address in brackets and without a zone' };
  if (bracketed !== undefined && !isIPv6(bracketed)) return { fault: 'the IPv6 address is not well-formed' };
  const portText = text.slice(colon + 1);
  if (!PORT.test(portText)) return { fault: `the port is not a number from 1 to ${PORT_MAX}` };
  return destinationOf(bracketed ?? hostText, Number(portText));
}

/** Of a host as it stands in a SOCKS request: IPv6 without brackets. */
export function destinationOf(hostText: string, port: number): DestinationAnswer {
  if (port < 1 || port > PORT_MAX) return { fault: `the port is not a number from 1 to ${PORT_MAX}` };
  const host = readHost(hostText);
  return 'fault' in host ? host : { ...host, port };
}

function readHost(text: string): HostAnswer {
  if (isIPv4(text)) return { host: text };
  if (text.includes(':')) return readIpv6(text);
  const name = text.toLowerCase();
  const absolute = name.endsWith('.') ? name.slice(0, -1) : name;
  const labels = absolute.split('.');
  if (NUMBER.test(labels.at(-1) ?? ''))
    return { fault: 'an IPv4 address is four decimal numbers from 0 to 255 without leading zeros' };
  if (absolute.length > NAME_CHARACTERS_MAX || !labels.every((label) => LABEL.test(label)))
    return { fault: 'the host is neither an address nor a host name (in ASCII: xn-- for other scripts)' };
  return { host: absolute };
}

function readIpv6(text: string): HostAnswer {
  if (!isIPv6(text) || text.includes('%'))
    return { fault: 'the IPv6 address is not well-formed, or has a zone' };
  const plain = plainAddress(text);
  return { host: isIPv4(plain) ? plain : new SocketAddress({ address: plain, family: 'ipv6' }).address };
}
