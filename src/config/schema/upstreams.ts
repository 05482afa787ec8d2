/** `upstreams.NAME`: destinations of sessions. */
import { z } from 'zod';
import { weightLimits } from '../../model/overrides.js';
import type { UpstreamOptions } from '../../model/upstream-options.js';
import { strategies, strategyNames } from '../../upstream/balance/index.js';
import { endpointAddress } from './addresses.js';
import {
  choice,
  duration,
  expecting,
  flag,
  integer,
  integerOrZero,
  list,
  mapping,
  section,
  size,
  text,
} from './fields.js';

const GIB = 1024 ** 3;

const detailedEndpoint = mapping({
  address: endpointAddress('Where it is'),
  weight: integer(
    'Its share, for the strategies that look at it',
    weightLimits.min,
    weightLimits.max,
  ).default(1),
  backup: flag(false, 'Used only when no other endpoint is usable'),
});

export const endpoint = z.union(
  [
    endpointAddress('Where it is').transform((address) => ({ address, weight: 1, backup: false })),
    detailedEndpoint,
  ],
  expecting('an address, or `{ address, weight, backup }`'),
);

const healthCheck = section(
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

const passiveHealth = section(
  {
    max_fails: integer('Failures in the window that eject an endpoint', 1, 1_000_000).default(3),
    window: duration('10s', 'How far back failures count', { min: '100ms', max: '24h' }),
    eject: duration('30s', 'How long an ejected endpoint is left alone', { min: '100ms', max: '24h' }),
  },
  'Learns from sessions whether an endpoint is well.',
);

const pool = section(
  {
    warm: integer('Connections opened ahead', 0, 10_000).default(0),
    max_idle: duration('30s', 'How long one may wait', { min: '100ms', max: '24h' }),
  },
  'Connections opened ahead.',
);

const dns = section(
  {
    refresh: duration('30s', "Time between two look-ups of the endpoints' names", { min: '1s', max: '24h' }),
    keep_last_good: flag(true, 'Keep the last addresses when a look-up fails'),
  },
  'How names become addresses.',
);

const tcp = section(
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
  },
  'Socket options of connections to endpoints; unix sockets have none.',
);

const bandwidth = section(
  {
    up: size(0, 'Bytes a second towards the upstream; 0: no limit', 0, 1024 * GIB),
    down: size(0, 'Bytes a second towards the client; 0: no limit', 0, 1024 * GIB),
    per: text('What shares the limit', 'name of a scope').default('session'),
  },
  'Limits of speed.',
);

const balances = strategyNames.map((name) => `\`${name}\`: ${strategies[name].words}`).join('. ');

/** Options that take effect. A new one is a field here, a field in UpstreamOptions, and its reader. */
const options = {
  balance: choice(strategyNames, `Which endpoint is next. ${balances}`).default('round_robin'),
  retries: integer('Further endpoints to try before any byte is lost', 0, 16).default(2),
  dns: dns.prefault({}),
  tcp: tcp.prefault({}),
  dscp: integer("DSCP of packets to the endpoint; 0: the system's", 0, 63).default(0),
} satisfies { readonly [Key in keyof UpstreamOptions]: z.ZodType<UpstreamOptions[Key]> };

export const upstream = mapping(
  {
    endpoints: list(endpoint, 'Where sessions go', 'addresses, or `{ address, weight, backup }`')
      .nonempty()
      .optional(),
    handler: text(
      'Serve sessions in this process instead, as `protocols[].handler`',
      'module path or `builtin:` name',
    ).optional(),
    ...options,
    health_check: healthCheck.optional(),
    passive_health: passiveHealth.optional(),
    pool: pool.optional(),
    max_connections: integer('Sessions at once for each endpoint; 0: no limit', 0, 10_000_000).default(0),
    proxy_protocol: choice(['off', 'v1', 'v2'], 'Header that tells the endpoint who the client is').default(
      'off',
    ),
    bandwidth: bandwidth.optional(),
    via: text('Reach it through this HTTP CONNECT proxy', 'URL').optional(),
  },
  '{ endpoints: ["10.0.0.5:80"] }',
);

export type UpstreamEntry = z.output<typeof upstream>;
