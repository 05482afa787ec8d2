/** Ports below net.ipv4.ip_unprivileged_port_start, which need CAP_NET_BIND_SERVICE. */
import type { Config } from '../../model/config.js';
import type { Check } from '../check.js';
import { may, setSysctl, sysctl } from '../readers.js';

const START = 'net.ipv4.ip_unprivileged_port_start';
const DEFAULT_START = 1024;

export const lowPorts: Check = {
  name: 'low_ports',
  examine: ({ config, machine }) => {
    const start = sysctl(machine, START) ?? DEFAULT_START;
    const low = portsOf(config).filter((port) => port > 0 && port < start);
    const lowest = Math.min(...low);
    if (low.length === 0) return [];
    const finding = { what: `ports below ${start}`, needed: `CAP_NET_BIND_SERVICE for ${low.join(', ')}` };
    if (may(machine, 'CAP_NET_BIND_SERVICE')) return [{ ...finding, verdict: 'ok', there: 'effective' }];
    const remedies = [
      'AmbientCapabilities=CAP_NET_BIND_SERVICE  # in a systemd unit',
      `setcap cap_net_bind_service=+ep "$(readlink -f "$(command -v node)")"  # for all of Node`,
      setSysctl(START, lowest),
      'start it as root, with server.user: NAME',
    ];
    return [
      { ...finding, verdict: 'short', there: 'not this process', why: 'bind fails with EACCES', remedies },
    ];
  },
};

function portsOf({ listeners, monitoring, admin }: Config): number[] {
  const addresses = [...listeners.map(({ address }) => address), ...(admin ? [admin.address] : [])];
  const inet = addresses.flatMap((address) => (address.kind === 'inet' ? [address.port] : []));
  const served = [monitoring.metrics, monitoring.health].flatMap((each) => (each ? [each.port] : []));
  return [...new Set([...inet, ...served])].sort((a, b) => a - b);
}
