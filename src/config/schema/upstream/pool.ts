/** `upstreams.NAME.pool` */
import { duration, integer, section } from '../fields.js';

export const pool = section(
  {
    warm: integer('Connections opened ahead', 0, 10_000).default(0),
    max_idle: duration('30s', 'How long one may wait', { min: '100ms', max: '24h' }),
  },
  'Connections opened ahead.',
);
