/** Handshakes under way: net.ipv4.tcp_max_syn_backlog. With SYN cookies the kernel answers beyond it. */
import { countText } from '../../base/figures.js';
import { BACKLOG } from '../../budget/backlog.js';
import type { Check } from '../check.js';
import { setSysctl, sysctl } from '../readers.js';

const NAME = 'net.ipv4.tcp_max_syn_backlog';
const COOKIES = 'net.ipv4.tcp_syncookies';

export const synBacklog: Check = {
  name: 'syn_backlog',
  examine: ({ demand, machine }) => {
    const needed = Math.min(BACKLOG, demand.connections);
    const finding = { what: NAME, needed: countText(needed) };
    const most = sysctl(machine, NAME);
    const hasCookies = (sysctl(machine, COOKIES) ?? 0) > 0;
    if (most === null) return [{ ...finding, verdict: 'unknown', there: 'no such sysctl' }];
    const there = `${countText(most)}, SYN cookies ${hasCookies ? 'on' : 'off'}`;
    if (most >= needed) return [{ ...finding, verdict: 'ok', there }];
    const raise = setSysctl(NAME, BACKLOG);
    return hasCookies
      ? [
          {
            ...finding,
            verdict: 'note',
            there,
            remedies: [raise],
            why: 'beyond it handshakes lose their options (window scale, SACK)',
          },
        ]
      : [
          {
            ...finding,
            verdict: 'short',
            there,
            remedies: [raise, `${setSysctl(COOKIES, 1)}  # too, against floods`],
            why: 'beyond it SYNs are dropped',
          },
        ];
  },
};
