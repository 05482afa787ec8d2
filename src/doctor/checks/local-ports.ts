/** Local ports for connections to one address of an endpoint: net.ipv4.ip_local_port_range, of IPv6 too. */
import { countText } from '../../base/figures.js';
import { flowPorts, mostLocalPorts } from '../../budget/local-ports.js';
import type { Config } from '../../model/config.js';
import type { Check, Finding } from '../check.js';
import type { Machine } from '../machine.js';
import { setSysctl, sysctlWords } from '../readers.js';

const RANGE = 'net.ipv4.ip_local_port_range';
/** The lowest that needs no capability by default. */
const WIDEST = { low: 1024, high: 65_535 };

export const localPorts: Check = {
  name: 'local_ports',
  examine: ({ config, machine }) => [...ofConnections(config, machine), ...ofFlows(config, machine)],
};

function ofConnections(config: Config, machine: Machine): Finding[] {
  const most = mostLocalPorts(config);
  if (most === null) return [];
  const finding = { what: 'local ports', needed: `${countText(most.needed)} to ${most.endpoint}` };
  const range = rangeOf(machine);
  if (range === null) return [{ ...finding, verdict: 'unknown', there: `no ${RANGE}` }];
  const there = `${countText(range.free)} (${range.low}–${range.high})`;
  if (range.free >= most.needed) return [{ ...finding, verdict: 'ok', there }];
  const fewer = `max_connections: ${range.free}  # of upstream ${most.upstream}; or more addresses`;
  const wider = setSysctl(RANGE, `${WIDEST.low} ${WIDEST.high}`);
  const isWide = range.low <= WIDEST.low && range.high >= WIDEST.high;
  const why = 'with all sessions at one address connects fail with EADDRNOTAVAIL, reason over_limit';
  return [{ ...finding, verdict: 'short', there, why, remedies: isWide ? [fewer] : [wider, fewer] }];
}

/** Unlike connections, flows to different endpoints do not share a port. */
function ofFlows(config: Config, machine: Machine): Finding[] {
  const needed = flowPorts(config);
  const range = rangeOf(machine);
  if (needed === 0 || range === null || range.free >= needed) return [];
  const why =
    'one for each flow, whatever its endpoint: beyond them dials fail (anyport_dial_shortages_total, ports)';
  return [
    {
      what: 'local ports of flows',
      verdict: 'note',
      needed: countText(needed),
      there: `${countText(range.free)} (${range.low}–${range.high})`,
      why,
      remedies: [
        setSysctl(RANGE, `${WIDEST.low} ${WIDEST.high}`),
        `server.udp.max_flows: ${range.free}  # instead`,
      ],
    },
  ];
}

function rangeOf(machine: Machine): { low: number; high: number; free: number } | null {
  const [low = Number.NaN, high = Number.NaN] = (sysctlWords(machine, RANGE) ?? []).map(Number);
  if (!(high >= low)) return null;
  const [reserved = ''] = sysctlWords(machine, 'net.ipv4.ip_local_reserved_ports') ?? [];
  const kept = reserved
    .split(',')
    .filter(Boolean)
    .reduce((sum, part) => sum + overlap(part, low, high), 0);
  return { low, high, free: high - low + 1 - kept };
}

/** Ports of `9000` or `8000-8010` that are in the range. */
function overlap(part: string, low: number, high: number): number {
  const [first = Number.NaN, last = first] = part.split('-').map(Number);
  return Math.max(0, Math.min(last, high) - Math.max(first, low) + 1);
}
