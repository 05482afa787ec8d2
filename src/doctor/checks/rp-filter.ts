/** Transparent mode: answers of endpoints are addressed to clients, and come from where clients are not (RFC 3704). */
import type { Check } from '../check.js';
import { setSysctl, sysctl } from '../readers.js';
import { transparentFamilies } from '../transparent-families.js';

const FOLDER = '/proc/sys/net/ipv4/conf';
const STRICT = 1;
const ALL = 'net.ipv4.conf.all.rp_filter';

export const rpFilter: Check = {
  name: 'rp_filter',
  examine: ({ config, machine }) => {
    if (!transparentFamilies(config).includes(4)) return [];
    const finding = { what: 'rp_filter', needed: '0 or 2' };
    const all = sysctl(machine, ALL);
    if (all === null) return [{ ...finding, verdict: 'unknown', there: `no ${ALL}` }];
    const interfaces = machine.list(FOLDER).filter((name) => !['all', 'default', 'lo'].includes(name));
    // The larger value of `all` and the interface holds. A name may have a dot (a VLAN), which sysctl(8) writes as a slash.
    const own = (name: string) => Number(machine.read(`${FOLDER}/${name}/rp_filter`) ?? 0);
    const strict = interfaces.filter((name) => Math.max(all, own(name)) === STRICT);
    if (strict.length === 0) return [{ ...finding, verdict: 'ok', there: 'loose or off' }];
    const why = 'the kernel drops the answers of endpoints behind these interfaces';
    return [
      {
        ...finding,
        verdict: 'short',
        there: `1 on ${strict.join(', ')}`,
        why,
        remedies: [setSysctl(ALL, 2)],
      },
    ];
  },
};
