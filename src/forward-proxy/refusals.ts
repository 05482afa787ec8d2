/** Why a request is refused: what each protocol says of it, and how the session ends. One table for all of them. */
import type { RefusalCause } from '../model/connect-proxy.js';
import type { Ender, Reason, Stage } from '../model/session.js';

export interface Refusal {
  /** HTTP status and its phrase (RFC 9110 section 15). */
  readonly status: number;
  readonly phrase: string;
  /** Error type of `Proxy-Status` (RFC 9209 section 2.3). */
  readonly type: string;
  /** Reply field of SOCKS 5 (RFC 1928 section 6). */
  readonly socks5: number;
  /** Result code of SOCKS 4: 91 in general, 93 where the client is not who it should be. */
  readonly socks4: number;
  readonly by: Ender;
  readonly during: Stage;
  readonly reason: Reason;
}

const byProxy = { socks4: 91, by: 'proxy', during: 'route', reason: 'rejected' } as const;
const byEndpoint = { socks4: 91, by: 'upstream', during: 'connect', reason: 'connect_failed' } as const;

export const refusals = {
  /** It can not be read as a request. */
  malformed: {
    ...byProxy,
    status: 400,
    phrase: 'Bad Request',
    type: 'http_request_error',
    socks5: 0x01,
  },
  /** Another type of address than IPv4, IPv6 and name. */
  address_type: {
    ...byProxy,
    status: 400,
    phrase: 'Bad Request',
    type: 'http_request_error',
    socks5: 0x08,
  },
  /** Of a source that is not served. */
  source: { ...byProxy, status: 403, phrase: 'Forbidden', type: 'http_request_denied', socks5: 0x02 },
  /** To where nobody may go. */
  destination: {
    ...byProxy,
    status: 403,
    phrase: 'Forbidden',
    type: 'destination_ip_prohibited',
    socks5: 0x02,
  },
  command: {
    ...byProxy,
    status: 405,
    phrase: 'Method Not Allowed',
    type: 'http_request_denied',
    socks5: 0x07,
  },
  credentials: {
    ...byProxy,
    status: 407,
    phrase: 'Proxy Authentication Required',
    type: 'http_request_denied',
    socks5: 0x02,
    socks4: 93,
  },
  /** The request did not come whole in time. */
  slow: {
    status: 408,
    phrase: 'Request Timeout',
    type: 'http_request_error',
    socks5: 0x01,
    socks4: 91,
    by: 'timeout',
    during: 'sniff',
    reason: 'identify_timeout',
  },
  /** The source guesses passwords. */
  guessing: {
    ...byProxy,
    status: 429,
    phrase: 'Too Many Requests',
    type: 'http_request_denied',
    socks5: 0x02,
    reason: 'rate_limited',
  },
  /** More than is read of an opening. */
  large: {
    ...byProxy,
    status: 431,
    phrase: 'Request Header Fields Too Large',
    type: 'http_request_error',
    socks5: 0x01,
  },
  version: {
    ...byProxy,
    status: 501,
    phrase: 'Not Implemented',
    type: 'http_request_denied',
    socks5: 0x01,
  },
  /** The name has no address. */
  name: {
    ...byProxy,
    status: 502,
    phrase: 'Bad Gateway',
    type: 'dns_error',
    socks5: 0x04,
    during: 'pick',
    reason: 'no_endpoint',
  },
  connection: {
    ...byEndpoint,
    status: 502,
    phrase: 'Bad Gateway',
    type: 'connection_refused',
    socks5: 0x05,
  },
  network: {
    ...byEndpoint,
    status: 502,
    phrase: 'Bad Gateway',
    type: 'destination_ip_unroutable',
    socks5: 0x03,
  },
  host: {
    ...byEndpoint,
    status: 502,
    phrase: 'Bad Gateway',
    type: 'destination_ip_unroutable',
    socks5: 0x04,
  },
  /** This side has no place for it. */
  busy: {
    ...byProxy,
    status: 503,
    phrase: 'Service Unavailable',
    type: 'proxy_internal_error',
    socks5: 0x01,
    during: 'pick',
    reason: 'over_limit',
  },
  lookup_timeout: {
    status: 504,
    phrase: 'Gateway Timeout',
    type: 'dns_timeout',
    socks5: 0x04,
    socks4: 91,
    by: 'timeout',
    during: 'pick',
    reason: 'no_endpoint',
  },
  connect_timeout: {
    status: 504,
    phrase: 'Gateway Timeout',
    type: 'connection_timeout',
    // "TTL expired": what timeouts are called by Tor's server too, and shown as by clients.
    socks5: 0x06,
    socks4: 91,
    by: 'timeout',
    during: 'connect',
    reason: 'connect_timeout',
  },
} as const satisfies Record<RefusalCause, Refusal>;

export interface Refused {
  readonly verdict: 'refuse';
  readonly cause: RefusalCause;
  /** One line, for the client and the access log: of what was sent it has only what has been found well-formed. */
  readonly why: string;
}

export const refuse = (cause: RefusalCause, why: string): Refused => ({ verdict: 'refuse', cause, why });
