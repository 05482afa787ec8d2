/** `upstreams.NAME.bandwidth` */
import { bandwidthScopes } from '../../../model/upstream-options.js';
import { choice, section, size } from '../fields.js';

const GIB = 1024 ** 3;

export const bandwidth = section(
  {
    up: size(0, 'Bytes a second towards the upstream; 0: no limit', 0, 1024 * GIB),
    down: size(0, 'Bytes a second towards the client; 0: no limit', 0, 1024 * GIB),
    per: choice(
      bandwidthScopes,
      'What shares each of the two limits, over all workers: nothing (each `session` has its own), the sessions of one `source` (IPv6: of one /64), of one `endpoint`, or of this `upstream`. Those that share are equal',
    ).default('session'),
  },
  'Limits of speed, for sessions from a change on.',
);
