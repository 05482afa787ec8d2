/** `server`: the port, and limits for every session. */
import { identifyBytesMax } from '../../protocols/read-limit.js';
import { listenAddress } from './addresses.js';
import {
  account,
  choice,
  duration,
  flag,
  integer,
  integerOrAuto,
  oneOrMore,
  section,
  size,
} from './fields.js';
import { serverTimeouts } from './timeouts.js';
import { udp } from './udp.js';

const MAX_TIMEOUT = '24h';

export const server = section(
  {
    listen: oneOrMore(
      listenAddress('One address, or one of several'),
      'Where to listen. Without it and without `listeners`: `:9090`. No host means every interface',
      'address with a port or a port range',
    ).optional(),
    workers: integerOrAuto('Worker threads; `auto`: the cores available to the process', 1, 256),
    accept: choice(
      ['reuseport', 'handoff'],
      '`reuseport`: a listening socket per worker. `handoff`: the primary accepts and hands each connection to the least loaded worker',
    ).default('reuseport'),
    max_connections: integer(
      'Sessions at once, all listeners together; over it a connection is refused and counted',
      1,
      10_000_000,
    ).default(1024),
    max_connections_per_ip: integer(
      'Sessions at once for each source (IPv6: each /64), all listeners together; over it a connection is refused and counted. 0: no limit',
      0,
      10_000_000,
    ).default(0),
    max_identifying: integer(
      'Sessions under identification at once, all listeners together, connections and flows apart; over it the oldest of a source that has most of them is reset and counted. 0: no limit',
      0,
      10_000_000,
    ).default(0),
    long_openings_per_ip: integer(
      'Openings longer than 4 KiB that are being identified at once, for each source (IPv6: each /64) and worker, those of datagrams apart; over it the oldest of them is reset and counted; 0: no limit',
      0,
      1024,
    ).default(64),
    tarpit_max: integer(
      'Connections held at once by `tarpit`, all workers together; they are no sessions. Over it a connection is reset; 0: each one',
      0,
      10_000,
    ).default(256),
    tarpit_hold: duration('60s', 'How long `tarpit` holds a connection', { min: '1s', max: '1h' }),
    buffer_size: size(32_768, 'Relay copy buffer', 1024, 1024 ** 2),
    identify_timeout: duration('15s', 'Total time for a client to say what it speaks', {
      min: '10ms',
      max: '10m',
    }),
    identify_min_bytes: size(
      1024,
      'Bytes to wait for before a session may be called unknown; a certain match never waits, and one that nothing routes waits a second at most. At most `buffer_size`',
      1,
      65_536,
    ),
    identify_max_bytes: size(
      identifyBytesMax,
      'Bytes of an opening that are looked at: a hello, a head of HTTP. What is longer is decided by what has been read, and rules on facts that were not fail closed. At most 64 KiB, or `buffer_size` where that is more',
      1024,
      1024 ** 2,
    ),
    cache_ttl: duration(
      '5m',
      'How long the endpoint of a client is remembered, from its last session on (`affinity`); addresses of destinations of `connect_proxy` no longer than that',
      {
        min: '1s',
        max: MAX_TIMEOUT,
      },
    ),
    ...serverTimeouts,
    udp: udp.prefault({}),
    drain_delay: duration(
      '0s',
      'At a drain: time from "not ready" to the end of accepting, in which load balancers turn away',
      { min: '0s', max: '1h' },
    ),
    upgrade_timeout: duration('30s', 'Time for a new process to be ready, at an upgrade in place (SIGUSR2)', {
      min: '1s',
      max: '10m',
    }),
    graceful_shutdown_timeout: duration('60s', 'Time for sessions to finish after SIGTERM', {
      min: '0s',
      max: MAX_TIMEOUT,
    }),
    reload_on_change: flag(true, 'Read the configuration again when its files change'),
    user: account(
      "Whom anyport becomes when it is started as root: nothing but opening ports is done as root, and handlers, validators, logs and socket files are this user's. It is no other one before a restart",
      'name or number of a user',
    ),
    group: account(
      "With `user`: its group. Without it the primary group of the user; supplementary groups are the user's in both cases",
      'name or number of a group',
    ),
  },
  'The port, and what holds for every session.',
);
