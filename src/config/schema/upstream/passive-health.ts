/** `upstreams.NAME.passive_health` */
import { duration, integer, section } from '../fields.js';

export const passiveHealth = section(
  {
    max_fails: integer('Failures in the window that eject an endpoint', 1, 1_000_000).default(3),
    window: duration('10s', 'How far back failures count', { min: '100ms', max: '24h' }),
    eject: duration(
      '30s',
      'How long an ejected endpoint is left alone; twice as long with each repetition, up to 16 times',
      { min: '100ms', max: '24h' },
    ),
    max_ejected: integer('Percent of the endpoints that may be ejected at once', 0, 100).default(50),
  },
  'Learns from sessions whether an endpoint is well.',
);
