/** `drop`: a connection is forgotten without a packet, which the kernel lets CAP_NET_ADMIN do. */
import { mayEndBy } from '../../model/endings.js';
import type { Check } from '../check.js';
import { may } from '../readers.js';

export const drop: Check = {
  name: 'drop',
  examine: ({ config, machine }) => {
    if (!mayEndBy(config, 'drop')) return [];
    const finding = { what: 'sessions that are dropped', needed: 'CAP_NET_ADMIN' };
    if (may(machine, 'CAP_NET_ADMIN')) return [{ ...finding, verdict: 'ok', there: 'effective' }];
    const remedies = ['AmbientCapabilities=CAP_NET_ADMIN  # in a systemd unit'];
    return [
      { ...finding, verdict: 'note', there: 'not this process', why: 'they are reset instead', remedies },
    ];
  },
};
