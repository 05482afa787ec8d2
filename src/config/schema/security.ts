/** `security`: who may connect, and how often. */
import { networks } from './addresses.js';
import { duration, flag, integer, section } from './fields.js';

const rateLimit = section(
  {
    requests_per_second: integer('New sessions a second', 1, 10_000_000).default(1000),
    burst_size: integer('New sessions at once', 1, 10_000_000).default(100),
  },
  'New sessions per source; IPv6 by /64.',
);

const ddosGuard = section(
  {
    window: duration('10s', 'How far back new sessions are counted', { min: '1s', max: '1h' }),
    threshold: integer('New sessions in the window that ban their source', 1, 100_000_000).default(2000),
    ban: duration('60s', 'How long a banned source is refused', { min: '1s', max: '720h' }),
    identifying_per_ip: integer(
      'Sessions of one source (IPv6: of a /64) that may be under identification at once; over it the oldest of them is reset and counted',
      1,
      1_000_000,
    ).default(256),
  },
  'Bans sources that open sessions too fast.',
);

export const security = section(
  {
    enable_rate_limit: flag(false, 'Limit new sessions per source'),
    rate_limit: rateLimit.prefault({}),
    enable_ddos_guard: flag(false, 'Ban sources that open sessions too fast'),
    ddos_guard: ddosGuard.prefault({}),
    ip_whitelist: networks('Trusted: not rate limited, never banned').default([]),
    ip_blacklist: networks('Refused at accept, before a byte is read; wins over the whitelist').default([]),
    allow_only: networks('If not empty, every other source is refused').default([]),
  },
  'Who may connect, and how often.',
);
