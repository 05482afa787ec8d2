/** `upstreams.NAME.health_check` */
import { duration, integer, section, text } from '../fields.js';

export const healthCheck = section(
  {
    type: text(
      'What to try: `tcp`, `http`, `tls`, `redis`, `send_expect`, `dns`, `stun` …',
      'name of a check',
    ).default('tcp'),
    interval: duration('10s', 'Time between two checks', { min: '100ms', max: '24h' }),
    timeout: duration('2s', 'Time for an answer', { min: '10ms', max: '10m' }),
    rise: integer('Good answers that bring an endpoint up', 1, 1000).default(2),
    fall: integer('Bad answers that take it down', 1, 1000).default(3),
  },
  'Looks whether an endpoint is well.',
);
