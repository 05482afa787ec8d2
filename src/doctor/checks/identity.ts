/** Who the daemon is: root for no longer than it takes to open its ports, and able to become whom `server.user` names. */
import type { Config, Identity } from '../../model/config.js';
import type { Check, Finding } from '../check.js';
import { userId } from '../readers.js';

export const identity: Check = {
  name: 'identity',
  examine: ({ config, machine }) => {
    const { identity } = config.server;
    const needed = identity === null ? 'not root' : shown(identity);
    const finding = { what: 'user', needed };
    const uid = userId(machine);
    if (uid === null) return [{ ...finding, verdict: 'unknown', there: 'no /proc/self/status' }];
    if (uid === 0) return [{ ...finding, ...asRoot(config) }];
    const there = `uid ${uid}`;
    if (identity === null || identity.user.uid === uid) return [{ ...finding, verdict: 'ok', there }];
    const remedies = ['start it as root, or as that user', 'server.user: ""  # instead'];
    return [{ ...finding, verdict: 'short', there, why: 'only root becomes another user', remedies }];
  },
};

function asRoot(config: Config): Omit<Finding, 'what' | 'needed'> {
  const { identity: next } = config.server;
  if (next !== null) return { verdict: 'ok', there: `root, to become ${shown(next)}` };
  const remedies = [
    'server.user: anyport  # after useradd --system anyport',
    'DynamicUser=yes  # in a systemd unit, with AmbientCapabilities= for what it needs',
  ];
  if (hasModules(config)) {
    const why = 'modules do not run as root: the daemon does not start';
    return {
      verdict: 'short',
      there: 'root',
      why,
      remedies: [...remedies, 'anyport run --allow-root  # instead'],
    };
  }
  return { verdict: 'note', there: 'root', why: 'a fault in it would have the whole machine', remedies };
}

const shown = ({ user, group }: Identity): string => [user.name, group.name].filter(Boolean).join(':');

const hasModules = ({ upstreams, protocols }: Config): boolean =>
  [...upstreams.map(({ handler }) => handler), ...protocols.map(({ validator }) => validator)].some((url) =>
    url?.startsWith('file:'),
  );
