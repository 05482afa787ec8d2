/** `upstreams.NAME.tcp` */
import { duration, flag, form, integer, integerOrZero, section } from '../fields.js';

export const tcp = section(
  {
    // What Linux takes for TCP_MAXSEG, and at most for TCP_KEEPIDLE (9.1 h).
    mss: integerOrZero("Maximum segment size in bytes; 0: the system's", 88, 32_767),
    keepalive: duration(
      '30s',
      'Silence after which an endpoint is probed, and time between probes, in whole seconds; from when a session has lived so long. `0s`: never',
      { min: '0s', max: '9h' },
    ),
    user_timeout: integer(
      "Milliseconds that sent data may stay unacknowledged before the connection is given up; 0: the system's",
      0,
      86_400_000,
    ).default(0),
    congestion: form(
      "Congestion control of what is sent to endpoints; without it the system's (`net.ipv4.tcp_congestion_control`)",
      'a name such as `bbr` or `cubic`',
      (text) => (/^[\w-]{1,15}$/.test(text) ? text : null),
    ).default(''),
    nodelay: flag(true, 'Small writes are sent at once (TCP_NODELAY)'),
  },
  'Socket options of connections to endpoints; unix sockets have none.',
);
