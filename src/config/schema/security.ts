/** `security`: who may connect, and how often. */
import { duration, flag, integer, optionalDuration, section, writtenFile } from './fields.js';
import { listsOfAll } from './lists.js';

const rateLimit = section(
  {
    requests_per_second: integer('New sessions a second of one source', 1, 10_000_000).default(1000),
    burst_size: integer(
      'New sessions of one source at once; it is full again after burst_size / requests_per_second seconds',
      1,
      10_000_000,
    ).default(100),
    total_per_second: integer(
      'New sessions a second of all sources together; 0: no limit',
      0,
      10_000_000,
    ).default(0),
    total_burst: integer(
      'New sessions of all sources at once. Default: as many as `total_per_second`',
      1,
      10_000_000,
    ).optional(),
  },
  'New sessions per source (IPv6: per /64) and in all, all listeners together; over it a connection is reset before a byte is read.',
);

const ddosGuard = section(
  {
    window: duration('10s', 'How far back new sessions and failed identifications are counted', {
      min: '1s',
      max: '1h',
    }),
    threshold: integer(
      'A source (IPv6: a /64) that opens more sessions than that in the window is banned; refused ones count',
      1,
      100_000_000,
    ).default(2000),
    failures: integer(
      'So is one with more sessions than that in the window that end as `identify_timeout` or `unknown_protocol`; 0: these are no reason',
      0,
      100_000_000,
    ).default(100),
    ban: duration(
      '60s',
      'How long a banned source is refused the first time; each further time twice as long. A doubling is forgiven for each ban without another one for as long as it was',
      { min: '1s', max: '720h' },
    ),
    ban_max: optionalDuration('Longest ban. Default: `1h`, or `ban` where that is longer', {
      min: '1s',
      max: '720h',
    }),
    identifying_per_ip: integer(
      'Sessions of one source (IPv6: of a /64) that may be under identification at once, connections and flows apart; over it the oldest of them is reset and counted',
      1,
      1_000_000,
    ).default(256),
  },
  'Bans sources that open sessions too fast, or that fail to say what they speak too often.',
);

export const security = section(
  {
    enable_rate_limit: flag(false, 'Limit new sessions per source and in all, as `rate_limit` says'),
    rate_limit: rateLimit.prefault({}),
    enable_ddos_guard: flag(false, 'Ban sources as `ddos_guard` says'),
    ddos_guard: ddosGuard.prefault({}),
    ...listsOfAll,
    ban_export: writtenFile(
      'Where the banned addresses are written, one a line (IPv6 as /64), when they change: for nftables or fail2ban. The file is replaced as a whole; its folder must be writable',
      '/run/anyport/bans',
    ).optional(),
  },
  'Who may connect, and how often.',
);
