/** Congestion controls that upstreams name: loaded, and allowed to this process. */
import type { Check, Finding } from '../check.js';
import type { Machine } from '../machine.js';
import { may, setSysctl, sysctlWords } from '../readers.js';

const AVAILABLE = 'net.ipv4.tcp_available_congestion_control';
const ALLOWED = 'net.ipv4.tcp_allowed_congestion_control';

export const congestion: Check = {
  name: 'congestion',
  examine: ({ config, machine }) => {
    const names = new Set(config.upstreams.map(({ options }) => options.tcp.congestion).filter(Boolean));
    return [...names].map((name) => findingOf(name, machine));
  },
};

function findingOf(name: string, machine: Machine): Finding {
  const available = sysctlWords(machine, AVAILABLE);
  const allowed = sysctlWords(machine, ALLOWED) ?? [];
  const finding = { what: 'congestion control', needed: name };
  if (available === null) return { ...finding, verdict: 'unknown', there: `no ${AVAILABLE}` };
  if (!available.includes(name)) {
    const there = `has ${available.join(', ')}`;
    return {
      ...finding,
      verdict: 'short',
      there,
      why: 'the configuration is refused',
      remedies: [`modprobe tcp_${name}`],
    };
  }
  if (allowed.includes(name) || may(machine, 'CAP_NET_ADMIN'))
    return { ...finding, verdict: 'ok', there: 'allowed' };
  return {
    ...finding,
    verdict: 'short',
    there: `allowed to all: ${allowed.join(', ')}`,
    why: 'the configuration is refused',
    remedies: [
      setSysctl(ALLOWED, [...allowed, name].join(' ')),
      'AmbientCapabilities=CAP_NET_ADMIN  # in a systemd unit, instead',
    ],
  };
}
