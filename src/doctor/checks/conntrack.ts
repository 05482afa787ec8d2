/** Connection tracking, where it is loaded: each session has an entry towards the client and one towards the endpoint. */
import { countText } from '../../base/figures.js';
import type { Check } from '../check.js';
import { setSysctl, sysctl } from '../readers.js';

const MAX = 'net.netfilter.nf_conntrack_max';
const ENTRIES_PER_SESSION = 2;

export const conntrack: Check = {
  name: 'conntrack',
  examine: ({ demand, machine }) => {
    const sessions = demand.connections + demand.flows;
    const needed = sessions * ENTRIES_PER_SESSION + demand.warm + demand.tarpit;
    const finding = { what: MAX, needed: countText(needed) };
    const most = sysctl(machine, MAX);
    if (most === null) return [{ ...finding, verdict: 'ok', there: 'not loaded' }];
    const used = sysctl(machine, 'net.netfilter.nf_conntrack_count') ?? 0;
    const there = `${countText(most)}, ${countText(used)} in use`;
    if (most - used >= needed) return [{ ...finding, verdict: 'ok', there }];
    const why = 'packets of new connections are dropped ("table full" in dmesg)';
    return [{ ...finding, verdict: 'short', there, why, remedies: [setSysctl(MAX, used + needed)] }];
  },
};
