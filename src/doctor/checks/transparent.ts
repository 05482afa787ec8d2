/** `source.transparent`: the client's address as source needs CAP_NET_RAW, or CAP_NET_ADMIN, which is more. */
import type { Check } from '../check.js';
import { may } from '../readers.js';
import { transparentFamilies } from '../transparent-families.js';

export const transparent: Check = {
  name: 'transparent',
  examine: ({ config, machine }) => {
    if (transparentFamilies(config).length === 0) return [];
    const finding = { what: 'source.transparent', needed: 'CAP_NET_RAW' };
    if (may(machine, 'CAP_NET_RAW') || may(machine, 'CAP_NET_ADMIN'))
      return [{ ...finding, verdict: 'ok', there: 'effective' }];
    const remedies = ['AmbientCapabilities=CAP_NET_RAW  # in a systemd unit'];
    return [
      {
        ...finding,
        verdict: 'short',
        there: 'not this process',
        why: 'the configuration is refused',
        remedies,
      },
    ];
  },
};
