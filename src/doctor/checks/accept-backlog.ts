/** Connections that wait to be accepted: net.core.somaxconn caps the backlog of every listening socket. */
import { countText } from '../../base/figures.js';
import { BACKLOG } from '../../budget/backlog.js';
import type { Check } from '../check.js';
import { setSysctl, sysctl } from '../readers.js';

const NAME = 'net.core.somaxconn';

export const acceptBacklog: Check = {
  name: 'accept_backlog',
  examine: ({ demand, machine }) => {
    const needed = Math.min(BACKLOG, demand.connections);
    const finding = { what: NAME, needed: countText(needed) };
    const most = sysctl(machine, NAME);
    if (most === null) return [{ ...finding, verdict: 'unknown', there: 'no such sysctl' }];
    if (most >= needed) return [{ ...finding, verdict: 'ok', there: countText(most) }];
    const why =
      'a burst of connections waits for its repeated SYN, a second or more (anyport_listen_overflows_total)';
    return [
      { ...finding, verdict: 'short', there: countText(most), why, remedies: [setSysctl(NAME, BACKLOG)] },
    ];
  },
};
