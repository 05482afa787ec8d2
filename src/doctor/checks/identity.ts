/** A daemon that is root for longer than it takes to open its ports. */
import type { Check } from '../check.js';
import { userId } from '../readers.js';

export const identity: Check = {
  name: 'identity',
  examine: ({ config, machine }) => {
    const uid = userId(machine);
    const finding = { what: 'user', needed: 'not root' };
    if (uid === null) return [{ ...finding, verdict: 'unknown', there: 'no /proc/self/status' }];
    if (uid !== 0) return [{ ...finding, verdict: 'ok', there: `uid ${uid}` }];
    const { identity: next } = config.server;
    if (next !== null)
      return [
        {
          ...finding,
          verdict: 'ok',
          there: `root, to become ${[next.user.name, next.group.name].filter(Boolean).join(':')}`,
        },
      ];
    return [
      {
        ...finding,
        verdict: 'note',
        there: 'root',
        why: 'a fault in it, or in a handler, would have the whole machine',
        remedies: [
          'server: { user: anyport }  # in the configuration; `useradd --system anyport` makes the user',
          'DynamicUser=yes  # in a systemd unit, with AmbientCapabilities= for what it needs',
        ],
      },
    ];
  },
};
