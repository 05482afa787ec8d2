/** `upstreams.NAME.passive_health` */
import { duration, integer, section } from '../fields.js';

export const passiveHealth = section(
  {
    max_fails: integer('Failures in the window that eject an endpoint', 1, 1_000_000).default(3),
    window: duration('10s', 'How far back failures count', { min: '100ms', max: '24h' }),
    eject: duration('30s', 'How long an ejected endpoint is left alone', { min: '100ms', max: '24h' }),
  },
  'Learns from sessions whether an endpoint is well.',
);
