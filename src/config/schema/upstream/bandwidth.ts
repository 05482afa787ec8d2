/** `upstreams.NAME.bandwidth` */
import { section, size, text } from '../fields.js';

const GIB = 1024 ** 3;

export const bandwidth = section(
  {
    up: size(0, 'Bytes a second towards the upstream; 0: no limit', 0, 1024 * GIB),
    down: size(0, 'Bytes a second towards the client; 0: no limit', 0, 1024 * GIB),
    per: text('What shares the limit', 'name of a scope').default('session'),
  },
  'Limits of speed.',
);
