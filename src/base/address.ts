/** Address syntax: addresses to listen on and addresses of endpoints. */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { plainAddress } from './network.js';

export type Endpoint =
  | { readonly host: string; readonly port: number }
  | { readonly path: string }
  /** The name of SRV records, which begins with `_`, of a service that nodes register, or of a file of endpoints. */
  | { readonly service: string };

export type Listen =
  | { readonly kind: 'inet'; readonly host: string; readonly port: number; readonly text: string }
  | { readonly kind: 'unix'; readonly path: string; readonly text: string };

export const PORT_MAX = 65_535;
/** sockaddr_un.sun_path holds 108 bytes including the terminating NUL. */
const UNIX_PATH_BYTES_MAX = 107;
const UNIX_PREFIX = 'unix:';
const RECORDS_PREFIX = 'srv:';
const REGISTERED_PREFIX = 'service:';
const HOST_PORTS = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/]*)):(\d{1,5})(?:-(\d{1,5}))?$/;
const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$/;
/** RFC 2782: the service and the transport come first. */
const RECORDS_NAME = /^_[^.]+\._(?:tcp|udp)\./i;
/** One segment of a key; never the name of SRV records. */
const REGISTERED_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const ONLY_DIGITS = /^[\d.]+$/;

interface HostPorts {
  readonly host: string;
  readonly bracketed: boolean;
  readonly first: number;
  readonly last: number;
}

function splitHostPorts(text: string): HostPorts | null {
  const match = HOST_PORTS.exec(text);
  if (match === null) return null;
  const first = Number(match[3]);
  const last = match[4] === undefined ? first : Number(match[4]);
  if (last < first || last > PORT_MAX) return null;
  return { host: match[1] ?? match[2] ?? '', bracketed: match[1] !== undefined, first, last };
}

function unixPath(text: string): string | null {
  const path = text.slice(UNIX_PREFIX.length);
  if (path === '' || path === '@' || path.includes('\0')) return null;
  return Buffer.byteLength(path) <= UNIX_PATH_BYTES_MAX ? path : null;
}

/** `@name` is in the abstract namespace: no file, no permissions. */
export const isAbstract = (path: string): boolean => path.startsWith('@');

/** Canonical form, so that equal addresses have equal texts: compressed IPv6; IPv4 for an IPv4-mapped address. */
function literal(host: string): string {
  const plain = plainAddress(host);
  return isIPv6(plain) ? new SocketAddress({ address: plain, family: 'ipv6' }).address : plain;
}

function isHost({ host, bracketed }: HostPorts): boolean {
  if (bracketed) return isIPv6(host);
  return ONLY_DIGITS.test(host) ? isIPv4(host) : HOST_NAME.test(host);
}

/** Where a forward leads: `10.0.0.7` keeps the port that the client has chosen. */
export type Destination =
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint }
  | {
      readonly kind: 'ports';
      readonly host: string;
      /** As written, with the brackets of an IPv6 address. */
      readonly hostText: string;
      /** Null: those that are listened on. */
      readonly ports: { readonly first: number; readonly count: number } | null;
    };

/** `host`, `host:port`, `host:first-last`, or what else an endpoint may be; null when the text is none of them. */
export function parseDestination(text: string): Destination | null {
  const isNamed = text.startsWith(RECORDS_PREFIX) || registeredName(text) !== null;
  if (text.startsWith(UNIX_PREFIX) || isNamed) {
    const endpoint = parseEndpoint(text);
    return endpoint && { kind: 'endpoint', endpoint };
  }
  const isBare = /^\[[^\]]*\]$/.test(text) || !text.includes(':');
  const parts = splitHostPorts(isBare ? `${text}:1` : text);
  if (parts === null || parts.first === 0 || !isHost(parts)) return null;
  const { host, bracketed, first, last } = parts;
  return {
    kind: 'ports',
    host: bracketed ? literal(host) : host,
    hostText: isBare ? text : text.slice(0, text.lastIndexOf(':')),
    ports: isBare ? null : { first, count: last - first + 1 },
  };
}

/** Null: not the name of a service. `service:80` is port 80 of a host of that name, as it has always been. */
function registeredName(text: string): string | null {
  if (!text.startsWith(REGISTERED_PREFIX)) return null;
  const name = text.slice(REGISTERED_PREFIX.length);
  return REGISTERED_NAME.test(name) && !/^\d+(?:-\d+)?$/.test(name) ? name : null;
}

/** Of the kinds of services: found by SRV records. */
export const isRecordsName = (service: string): boolean => service.startsWith('_');

export const isRegisteredName = (service: string): boolean =>
  !isRecordsName(service) && fileOfService(service) === null;

const FILE_PREFIX = 'file:';

/** The name under which the endpoints of a file are known. `path`: absolute. */
export const serviceOfFile = (path: string): string => `${FILE_PREFIX}${path}`;

/** The path again; null: it is another kind of service. */
export const fileOfService = (service: string): string | null =>
  service.startsWith(FILE_PREFIX) ? service.slice(FILE_PREFIX.length) : null;

/**
 * `host:port`, `[::1]:port`, `unix:/path`, `unix:@name`, `srv:_redis._tcp.name` or `service:name`; null when the text is none
 * of them.
 */
export function parseEndpoint(text: string): Endpoint | null {
  if (text.startsWith(UNIX_PREFIX)) {
    const path = unixPath(text);
    return path === null ? null : { path };
  }
  if (text.startsWith(RECORDS_PREFIX)) {
    const service = text.slice(RECORDS_PREFIX.length);
    return RECORDS_NAME.test(service) && HOST_NAME.test(service) ? { service } : null;
  }
  const registered = registeredName(text);
  if (registered !== null) return { service: registered };
  const parts = splitHostPorts(text);
  if (parts === null || parts.first !== parts.last || parts.first === 0 || !isHost(parts)) return null;
  return { host: parts.bracketed ? literal(parts.host) : parts.host, port: parts.first };
}

/** As `addressFault`, for what `parseDestination` reads. */
export function destinationFault(text: string): string | null {
  if (isIPv6(text)) return `write it in brackets: \`[${text}]\``;
  return /:\d+-\d+$/.test(text) ? `ports are 1 to ${PORT_MAX}, the lower one first` : addressFault(text);
}

/** An address without a port: `127.0.0.1`, `::1`, `[::1]` or `localhost`; null when the text is none of them. */
export function parseHost(text: string): string | null {
  if (text === 'localhost') return '127.0.0.1';
  const host = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  if (host.includes('%')) return null; // an IPv6 zone index, which can not be bound here
  return isIPv6(host) || (host === text && isIPv4(host)) ? literal(host) : null;
}

/** The literal to bind. Without a host: `::`, dual-stack. */
function bindHost(parts: HostPorts): string | null {
  if (parts.host === '') return '::';
  if (parts.host === 'localhost') return '127.0.0.1';
  return (parts.bracketed ? isIPv6(parts.host) : isIPv4(parts.host)) ? literal(parts.host) : null;
}

/**
 * `:9090`, `0.0.0.0:9090`, `[::]:9090`, `unix:/run/a.sock`, `unix:@name`, `9090`, or a port range `9000-9010` in
 * place of the port: one address per port. Port 0: chosen by the kernel. Null when the text is none of them.
 */
export function parseListen(text: string): Listen[] | null {
  if (text.startsWith(UNIX_PREFIX)) {
    const path = unixPath(text);
    return path === null ? null : [{ kind: 'unix', path, text }];
  }
  const full = text.includes(':') ? text : `:${text}`;
  const parts = splitHostPorts(full);
  const host = parts === null ? null : bindHost(parts);
  if (parts === null || host === null) return null;
  const prefix = full.slice(0, full.lastIndexOf(':'));
  return Array.from({ length: parts.last - parts.first + 1 }, (_, index) => {
    const port = parts.first + index;
    return { kind: 'inet', host, port, text: `${prefix}:${port}` };
  });
}

/** How many addresses `parseListen` makes of a text: without making them, as there may be many ranges. */
export function listenCount(text: string): number {
  if (text.startsWith(UNIX_PREFIX)) return 1;
  const parts = splitHostPorts(text.includes(':') ? text : `:${text}`);
  return parts === null ? 0 : parts.last - parts.first + 1;
}

/** `host:port` or `[::1]:port`; null when the text is something else. */
export function splitHostPort(text: string): { readonly host: string; readonly port: number } | null {
  const endpoint = parseEndpoint(text);
  return endpoint !== null && 'port' in endpoint ? endpoint : null;
}

/** `HOST:PORT`, with an IPv6 address in brackets. */
export const hostPort = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/**
 * Explains why a text is not an address with a port and what to write instead; null when no specific reason is known.
 */
export function addressFault(text: string): string | null {
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.exec(text)?.[0];
  if (scheme !== undefined) return `leave out \`${scheme}\``;
  if (text.startsWith(RECORDS_PREFIX))
    return 'the name of SRV records is such as `srv:_redis._tcp.example.com`, without a port';
  if (text.startsWith(REGISTERED_PREFIX))
    return 'the name of a registered service is such as `service:orders`: up to 128 letters, digits, `.`, `_` and `-`';
  if (isIPv6(text)) return `the port is missing: write \`[${text}]:PORT\``;
  const bracketed = /^\[(.*)\]$/.exec(text)?.[1];
  if (bracketed === undefined ? isName(text) : isIPv6(bracketed)) {
    return `the port is missing: write \`${text}:PORT\``;
  }
  const port = /:(\d+)$/.exec(text)?.[1];
  if (port !== undefined && (Number(port) === 0 || Number(port) > PORT_MAX))
    return `ports are 1 to ${PORT_MAX}`;
  return /^[0-9A-Fa-f:]+:\d+$/.test(text) && isIPv6(text.slice(0, text.lastIndexOf(':')))
    ? 'write an IPv6 address in brackets'
    : null;
}

/** As `addressFault`, for addresses to listen on: `localhost` is the only host name allowed. */
export function listenFault(text: string): string | null {
  if (text.includes(',')) return 'write several as a list';
  if (text.startsWith('*:')) return `leave out \`*\`: write \`${text.slice(1)}\``;
  if (text.startsWith('/')) return `write \`${UNIX_PREFIX}${text}\``;
  const host = text.replace(/:[\d-]*$/, '');
  const isHostName = /[a-z]/i.test(host) && HOST_NAME.test(host) && host !== 'localhost';
  if (isHostName) return 'write an address of this machine, not a name';
  if (/^(?:.*:)?\d+-\d+$/.test(text)) return `ports are 1 to ${PORT_MAX}, the lower one first`;
  return /^\d+$/.test(text) ? `ports are 1 to ${PORT_MAX}` : addressFault(text);
}

/** An IPv4 address or a host name. */
const isName = (text: string): boolean => (ONLY_DIGITS.test(text) ? isIPv4(text) : HOST_NAME.test(text));
