/** `upstreams.NAME.queue` */
import { duration, integer, section } from '../fields.js';

export const queue = section(
  {
    length: integer(
      'Sessions that may wait for a place at an endpoint, all workers together; one more ends at once (`over_limit`). 0: none waits',
      0,
      100_000,
    ).default(0),
    timeout: duration('10s', 'How long one may wait; then it ends (`over_limit` by `timeout`)', {
      min: '10ms',
      max: '1h',
    }),
  },
  'Sessions that wait while every usable endpoint has `max_connections`.',
);
