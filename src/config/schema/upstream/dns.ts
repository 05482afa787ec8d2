/** `upstreams.NAME.dns` */
import { duration, flag, section } from '../fields.js';

export const dns = section(
  {
    refresh: duration('30s', "Time between two look-ups of the endpoints' names", { min: '1s', max: '24h' }),
    keep_last_good: flag(true, 'Keep the last addresses when a look-up fails'),
  },
  'How names become addresses.',
);
