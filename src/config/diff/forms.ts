/** Listeners, protocols, upstreams and endpoints as they are compared and shown: keys and values as in the file. */
import { createHash } from 'node:crypto';
import { formatDuration } from '../../base/duration.js';
import type {
  EndpointConfig,
  ListenAddress,
  ListenerConfig,
  ProtocolConfig,
  TargetConfig,
  UpstreamConfig,
} from '../../model/config.js';
import type { ProxyUserConfig } from '../../model/connect-proxy.js';
import type { KcpProfile, KcpSecurity } from '../../model/kcp.js';
import type { Signature } from '../../model/protocol.js';
import type { Via } from '../../model/via.js';
import { hopUrl } from '../../via/url.js';
import { isMapping } from '../path.js';
import type { Form } from './items.js';
import { listFields } from './lists.js';

/** Endpoints named in the line about an upstream. */
const ENDPOINTS_SHOWN_MAX = 8;

/** Options of upstreams that are milliseconds; a test compares them with the schema. */
export const durationOptions: readonly string[] = [
  'dns.refresh',
  'pool.max_idle',
  'queue.timeout',
  'slow_start',
  'tcp.keepalive',
  'udp.idle_timeout',
];

export const targetText = (target: TargetConfig): string =>
  target.kind === 'end' ? target.closing : target.upstream;

export function addressText(address: ListenAddress): string {
  return address.kind === 'inet' && address.ipv6Only ? `${address.text} (IPv6 alone)` : address.text;
}

export const modeText = (address: ListenAddress): string | null =>
  address.kind === 'unix' ? address.mode.toString(8).padStart(4, '0') : null;

/** `protocolsAll`: how many are configured; a listener that accepts them all says so, whichever they are. */
export function listenerForm(listener: ListenerConfig, protocolsAll: number): Form {
  const { name, address, transport, kcp, proxyProtocol, maxConnections, lists } = listener;
  return {
    name,
    about: address.text === name ? '' : addressText(address),
    fields: {
      address: addressText(address),
      transport,
      kcp,
      mode: modeText(address),
      ...treatment(listener, protocolsAll),
      proxy_protocol: proxyProtocol,
      max_connections: maxConnections,
      ...listFields(lists),
    },
  };
}

/** What becomes of its sessions. */
function treatment(
  { protocols, forward, onUnknown, onSilence }: ListenerConfig,
  protocolsAll: number,
): Form['fields'] {
  if (forward !== null) return { forwards_to: forward.upstream };
  return {
    protocols: protocols.length === protocolsAll ? 'all' : protocols,
    on_unknown: targetText(onUnknown),
    on_silence: onSilence && { after: formatDuration(onSilence.afterMs), to: targetText(onSilence.to) },
  };
}

export function protocolForm(protocol: ProtocolConfig): Form {
  const { name, target, priority, signature, transports, validator } = protocol;
  const transport = signature === null ? null : transports.join('+');
  const to = target && targetText(target);
  return {
    name,
    // An upstream of its own is an item of its own.
    about: to === null || to === name ? '' : `→ ${to}`,
    fields: { target: to, priority, transport, ...signatureFields(signature), validator },
  };
}

function signatureFields(signature: Signature | null): Form['fields'] {
  const { startBytes, offset, contains, containsWithin, patterns, minBytes, maxBytes } = signature ?? {};
  return {
    start_bytes: startBytes,
    offset,
    contains,
    identify_min_bytes: containsWithin,
    regex: patterns,
    min_bytes: minBytes,
    max_bytes: maxBytes,
  };
}

export function upstreamForm({ name, handler, endpoints, via, options }: UpstreamConfig): Form {
  const shown = endpoints.slice(0, ENDPOINTS_SHOWN_MAX).map((endpoint) => endpoint.name);
  const rest = endpoints.length - shown.length;
  return {
    name,
    about: handler ?? [...shown, ...(rest > 0 ? [`… ${rest} more`] : [])].join(', '),
    fields: { handler, ...viaFields(via), ...optionFields('', options) },
  };
}

/** Certificates are shown by what tells them apart. */
function viaFields(via: Via | null): Form['fields'] {
  const ca = via?.tls?.ca ?? null;
  return {
    via: via?.hops.map(hopUrl).join(' '),
    'via.server_name': via?.tls?.serverName ?? null,
    'via.ca': ca && createHash('sha256').update(ca).digest('hex').slice(0, DIGITS_SHOWN),
  };
}

const DIGITS_SHOWN = 12;

/** Flattened: `tcp.keepalive`. */
function optionFields(base: string, options: object): Record<string, unknown> {
  const entries = Object.entries(options).flatMap(([key, value]: [string, unknown]) => {
    if (isMapping(value)) return Object.entries(optionFields(`${base}${key}.`, value));
    const path = base + key;
    return [[path, durationOptions.includes(path) ? formatDuration(Number(value)) : value]];
  });
  return Object.fromEntries(entries) as Record<string, unknown>;
}

export function endpointForm({ name, weight, backup }: EndpointConfig): Form {
  const about = [...(weight === 1 ? [] : [`weight ${weight}`]), ...(backup ? ['backup'] : [])].join(', ');
  return { name, about, fields: { weight, backup } };
}

/** Keys that follow from secrets stand for them. */
export function kcpForm({ name, security, mode, fec, ...rest }: KcpProfile): Form {
  return {
    name,
    about: security.wire,
    fields: {
      wire: security.wire,
      ...securityFields(security),
      mode: { ...mode, intervalMs: undefined, interval: formatDuration(mode.intervalMs) },
      mtu: rest.mtu,
      send_window: rest.sendWindow,
      receive_window: rest.receiveWindow,
      fec,
      heartbeat: formatDuration(rest.heartbeatMs),
      dead_after: formatDuration(rest.deadAfterMs),
      status_log: formatDuration(rest.statusLogMs),
    },
  };
}

export const userForm = ({ name, hash, maxConnections, bandwidth }: ProxyUserConfig): Form => ({
  name,
  about: '',
  fields: {
    hash,
    max_connections: maxConnections,
    'bandwidth.up': bandwidth.up,
    'bandwidth.down': bandwidth.down,
  },
});

function securityFields(security: KcpSecurity): Form['fields'] {
  if (security.wire === 'anyport') {
    const { cipher, psk, serverKey, privateKey } = security;
    return { cipher, secret: psk, server_key: serverKey, private_key: privateKey };
  }
  const { pass, crypt, smux, compression } = security;
  return {
    'kcptun.key': pass,
    'kcptun.crypt': crypt,
    'kcptun.smux': smux,
    'kcptun.compression': compression,
  };
}
