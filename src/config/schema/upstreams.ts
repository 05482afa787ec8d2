/** `upstreams.NAME`: destinations of sessions. */
import { z } from 'zod';
import { weightLimits } from '../../model/overrides.js';
import { type UpstreamOptions, upstreamCarriers } from '../../model/upstream-options.js';
import { endpointAddress } from './addresses.js';
import { choice, expecting, flag, integer, list, mapping, text } from './fields.js';
import { upstreamTimeouts } from './timeouts.js';
import { balancing } from './upstream/balancing.js';
import { bandwidth } from './upstream/bandwidth.js';
import { dns } from './upstream/dns.js';
import { healthCheck } from './upstream/health-check.js';
import { passiveHealth } from './upstream/passive-health.js';
import { pool } from './upstream/pool.js';
import { proxyProtocol } from './upstream/proxy-protocol.js';
import { queue } from './upstream/queue.js';
import { quic } from './upstream/quic.js';
import { source } from './upstream/source.js';
import { tcp } from './upstream/tcp.js';
import { udp } from './upstream/udp.js';
import { via } from './upstream/via.js';

/** `address`: the schema of where it is. */
export function endpointAt<Address extends z.ZodType>(address: Address) {
  const detailed = mapping({
    address,
    weight: integer(
      'Its share, for the strategies that look at it; 0: gets no new session, whatever the strategy',
      weightLimits.min,
      weightLimits.max,
    ).default(1),
    backup: flag(false, 'Used only when no other endpoint is usable'),
  });
  return z.union(
    [address.transform((place) => ({ address: place, weight: 1, backup: false })), detailed],
    expecting('an address, or `{ address, weight, backup }`'),
  );
}

export const endpoint = endpointAt(endpointAddress('Where it is'));

/** Options that take effect. A new one is a field here, a field in UpstreamOptions, and its reader. */
const options = {
  ...balancing,
  retries: integer('Further endpoints to try before any byte is lost', 0, 16).default(2),
  max_connections: integer(
    'Sessions at once for each endpoint, connecting ones too, all workers together; 0: no limit. A full endpoint is passed over; when all are full the session waits (`queue`) or ends (`over_limit`)',
    0,
    10_000_000,
  ).default(0),
  ...upstreamTimeouts,
  queue: queue.prefault({}),
  pool: pool.prefault({}),
  dns: dns.prefault({}),
  tcp: tcp.prefault({}),
  udp: udp.prefault({}),
  quic: quic.prefault({}),
  source: source.prefault({}),
  health_check: healthCheck.optional(),
  passive_health: passiveHealth.optional(),
  on_down: choice(
    ['keep', 'reset'],
    'What becomes of the sessions of an endpoint that its check takes down. `keep`: they go on. `reset`: both sides are reset',
  ).default('keep'),
  bandwidth: bandwidth.prefault({}),
  proxy_protocol: proxyProtocol,
  over: choice(
    upstreamCarriers,
    'How endpoints are reached. `tcp`: a connection for each session. `kcp`: all sessions of a worker are streams of one link of [reliable UDP](kcp.md), to another anyport or to kcptun',
  ).default('tcp'),
  kcp: text('Profile of `kcp` for `over: kcp`', 'name of a profile').optional(),
  dscp: integer("DSCP of packets to the endpoint; 0: the system's", 0, 63).default(0),
} satisfies { readonly [Key in keyof UpstreamOptions]: z.ZodType<UpstreamOptions[Key]> };

const PATH = 'a path';
/** Each is watched. */
const FILES_MAX = 32;

const targetFiles = list(
  z.string(expecting(PATH)).min(1, expecting(PATH)),
  "Files with more endpoints, in the JSON of Prometheus' `file_sd`, which are [followed](operations.md#endpoints-in-files)",
  'paths',
)
  .nonempty()
  .max(FILES_MAX, expecting(`at most ${FILES_MAX} paths`))
  .optional();

/** `each`: the schema of one endpoint. */
export const upstreamOf = <Endpoint extends z.ZodType>(each: Endpoint, example: string) =>
  mapping(
    {
      endpoints: list(each, 'Where sessions go', 'addresses, or `{ address, weight, backup }`')
        .nonempty()
        .optional(),
      file_sd: targetFiles,
      handler: text(
        'Serve sessions in this process instead, as `protocols[].handler`',
        'module path or `builtin:` name',
      ).optional(),
      ...options,
      via,
    },
    example,
  );

export const upstream = upstreamOf(endpoint, '{ endpoints: ["10.0.0.5:80"] }');

export type UpstreamEntry = z.output<typeof upstream>;
