/** What is valid in `connect_proxy`, and probably not intended. */
import { createNetworkSet, holdsNetwork, networkPrefix } from '../../base/network.js';
import { specialRangeOf } from '../../forward-proxy/address-classes.js';
import type { ListenerConfig } from '../../model/config.js';
import type { ConnectProxyConfig, DestinationRule } from '../../model/connect-proxy.js';
import { takesConnections } from '../../model/transports.js';
import { isMapping } from '../path.js';
import type { Warn } from '../report.js';
import { takerOf } from './at-accept.js';
import { SECTION } from './connect-proxy.js';
import type { Context } from './context.js';
import { covers } from './destinations.js';
import type { Checked } from './warnings.js';

export function warnOfConnectProxy(
  checked: Checked,
  { usersFile }: Context,
  warn: Warn,
  nameOf: (path: readonly (string | number)[]) => string,
): void {
  const proxy = checked.config.connectProxy;
  if (proxy === null) return;
  warnOfIdleKeys(checked, proxy, warn);
  warnOfDenied(proxy, warn);
  warnOfSpecial(proxy, warn);
  warnOfClearText(checked, proxy, warn);
  warnOfWaiting(checked, proxy, warn, nameOf);
  const file = proxy.usersFile === null ? null : usersFile(proxy.usersFile);
  if (file !== null && 'isShared' in file && file.isShared)
    warn(
      [...SECTION, 'users_file'],
      'may be read by other users of this machine, who can try passwords: `chmod 600` it',
    );
}

function warnOfIdleKeys({ source, shape, config }: Checked, proxy: ConnectProxyConfig, warn: Warn): void {
  const written = isMapping(source.value) ? source.value.connect_proxy : null;
  const idle = (key: string, why: string) => {
    if (isMapping(written) && key in written) warn([...SECTION, key], `has no effect${why}`);
  };
  if (proxy.users === null) for (const key of ['user_limits', 'log_users']) idle(key, ' without users');
  if (shape.connectProxy?.allow?.every(({ ports }) => ports !== null))
    idle('ports', ': every destination of `allow` names its own');
  if (!proxy.socks) idle('udp', ' without `socks: true`');
  const socks = config.protocols.filter(({ id }) => id === 'socks4' || id === 'socks5');
  const speaks = ({ name, protocols }: ListenerConfig) =>
    proxy.listeners.includes(name) && socks.some((each) => protocols.includes(each.name));
  if (proxy.socks && !config.listeners.some(speaks))
    idle('socks', ': none of its listeners has `socks5` or `socks4` among its `protocols`');
}

function warnOfDenied({ allow, deny }: ConnectProxyConfig, warn: Warn): void {
  for (const [index, rule] of allow.entries()) {
    const by = deny.findIndex((each) => covers(each, rule));
    if (by >= 0)
      warn([...SECTION, 'allow', index], `can never be reached: connect_proxy.deny[${by}] denies all of it`);
  }
}

/** What listens for this machine alone, or hands out its credentials: whoever lists more than one address and port may not know. */
function warnOfSpecial({ allow }: ConnectProxyConfig, warn: Warn): void {
  for (const [index, rule] of allow.entries()) {
    const fault = rule.network === null ? null : specialFault(rule, rule.network);
    if (fault !== null) warn([...SECTION, 'allow', index], fault);
  }
}

function specialFault({ ports }: DestinationRule, network: string): string | null {
  if (EVERY_ADDRESS.includes(network))
    return 'is every public address: others are reached where a network within their range is listed';
  const [address = ''] = network.split('/');
  const range = specialRangeOf(address);
  const isExact = address === network && ports !== 'any';
  if (range === null || isExact || !holdsNetwork(range.prefix, networkPrefix(network))) return null;
  return OF_THIS_MACHINE[range.what] ?? null;
}

const EVERY_ADDRESS = ['0.0.0.0/0', '::/0'];

/** By what a range is called. */
const OF_THIS_MACHINE: Readonly<Record<string, string>> = {
  'a loopback': 'lets clients reach what listens for this machine alone',
  'an unspecified': 'lets clients reach what listens for this machine alone',
  'a metadata': 'lets clients ask where clouds hand out the credentials of this machine',
};

/** Where only machines nearby come from. */
const isNearby = createNetworkSet([
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '::1',
  'fc00::/7',
  'fe80::/10',
]);

/** In Basic and SOCKS passwords stand as they are. */
function warnOfClearText({ config }: Checked, proxy: ConnectProxyConfig, warn: Warn): void {
  if (proxy.users === null || proxy.allowFrom.length > 0) return;
  const open = config.listeners.find(
    (listener) =>
      proxy.listeners.includes(listener.name) &&
      takesConnections(listener) &&
      listener.address.kind === 'inet' &&
      !isNearby(listener.address.host),
  );
  if (open === undefined) return;
  const key = proxy.usersFile === null ? 'users' : 'users_file';
  const what = `passwords come to \`${open.address.text}\` in clear text, for whoever is on the way to read`;
  warn(
    [...SECTION, key],
    `${what}: let clients come through TLS or a tunnel, or name their networks in \`allow_from\``,
  );
}

/** Their clients may wait for the server to speak first. */
function warnOfWaiting(
  { config, reachability: { routes, accepts } }: Checked,
  proxy: ConnectProxyConfig,
  warn: Warn,
  nameOf: (path: readonly (string | number)[]) => string,
): void {
  const others = routes.filter(({ path }) => path[0] !== SECTION[0]);
  for (const listener of config.listeners) {
    if (!proxy.listeners.includes(listener.name)) continue;
    const taker = takerOf(others.filter((route) => accepts(route, listener)));
    if (taker === undefined) continue;
    const what = `a session of \`${listener.name}\` has to say what it speaks before ${nameOf(taker.path)} takes it`;
    warn(
      [...SECTION, 'listeners'],
      `${what}: list the listeners without it unless the proxy is meant to be there`,
    );
  }
}
