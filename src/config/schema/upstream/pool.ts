/** `upstreams.NAME.pool` */
import { duration, integer, section } from '../fields.js';

export const pool = section(
  {
    warm: integer(
      'Connections opened ahead for each endpoint, at most, all workers together; as many as sessions begin while one connects',
      0,
      10_000,
    ).default(0),
    max_idle: duration('30s', 'How long one may wait for a session', { min: '100ms', max: '24h' }),
  },
  'Connections opened ahead.',
);
