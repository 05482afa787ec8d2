/** `connect_proxy` as it is compared and shown, without its users, which are things of their own. */
import { formatDuration } from '../../base/duration.js';
import type { ConnectProxyConfig, DestinationRule, PortRange } from '../../model/connect-proxy.js';
import { shownList } from './lists.js';
import type { Setting } from './settings.js';

/** Keys of the file, and how their values are written. */
const keys: Readonly<Record<string, (proxy: ConnectProxyConfig) => unknown>> = {
  listeners: ({ listeners }) => shownList(listeners),
  allow: ({ allow }) => shownList(allow.map(destinationText)),
  deny: ({ deny }) => shownList(deny.map(destinationText)),
  ports: ({ ports }) => ports.map(rangeText),
  users_file: ({ usersFile }) => usersFile,
  allow_from: ({ allowFrom }) => shownList(allowFrom),
  socks: ({ socks }) => socks,
  udp: ({ udp }) => udp,
  log_users: ({ logUsers }) => logUsers,
  resolve_timeout: ({ resolveTimeoutMs }) => formatDuration(resolveTimeoutMs),
  dial_timeout: ({ options }) => durationText(options.dial_timeout),
  idle_timeout: ({ options }) => durationText(options.idle_timeout),
  half_close_timeout: ({ options }) => durationText(options.half_close_timeout),
};

/** The same names for every configuration; without the section none of its keys is in force. */
export function connectProxySettings(proxy: ConnectProxyConfig | null): Setting[] {
  const isOn = { name: 'connect_proxy', value: proxy !== null, shown: proxy !== null };
  const settings = Object.entries(keys).map(([key, show]) => {
    const value = proxy && show(proxy);
    return { name: `connect_proxy.${key}`, value, shown: value };
  });
  return [isOn, ...settings];
}

const durationText = (ms: number | undefined): string | null =>
  ms === undefined ? null : formatDuration(ms);

const destinationText = ({ name, network, ports }: DestinationRule): string =>
  `${name ?? networkText(network ?? '')}:${ports === 'any' ? '*' : ports.map(rangeText).join()}`;

/** IPv6 in brackets, which end before the length of the prefix. */
function networkText(network: string): string {
  const [address = '', ...bits] = network.split('/');
  return [address.includes(':') ? `[${address}]` : address, ...bits].join('/');
}

const rangeText = ({ first, last }: PortRange): string => (first === last ? `${first}` : `${first}-${last}`);
