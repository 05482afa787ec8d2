/** `distributed`: this node among others, by etcd. */
import { z } from 'zod';
import { parseEndpoint } from '../../base/address.js';
import { formatDuration, parseDuration } from '../../base/duration.js';
import { strategyNames } from '../../upstream/balance/index.js';
import { expectedGot } from '../messages.js';
import {
  choice,
  type DurationBounds,
  expecting,
  flag,
  form,
  mapping,
  oneOrMore,
  section,
  text,
  writtenFile,
} from './fields.js';

const NODE_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const KEY_PREFIX = /^(?:\/[A-Za-z0-9._-]{1,64}){1,8}$/;
const ETCD = 'the URL of an etcd such as `http://etcd:2379`';
const PREFIX = 'a prefix of keys such as `/anyport`';

/** Milliseconds, from a duration or from a bare number of seconds. */
function seconds(byDefault: string, meaning: string, { min, max }: DurationBounds) {
  const [minMs, maxMs] = [parseDuration(min) ?? 0, parseDuration(max) ?? 0];
  const expected = `seconds, or a duration such as \`30s\`, from ${min} to ${max}`;
  const schema = z
    .union([z.number(), z.string()], expecting(expected))
    .transform((written, context): number => {
      const ms = typeof written === 'number' ? written * 1000 : parseDuration(written);
      if (ms !== null && ms >= minMs && ms <= maxMs) return ms;
      context.issues.push({ code: 'custom', input: written, message: expectedGot(expected, written) });
      return z.NEVER;
    });
  return schema.prefault(byDefault).meta({
    description: meaning,
    'x-values': `seconds or duration, ${formatDuration(minMs)} to ${formatDuration(maxMs)}`,
  });
}

/** As `http://host:port`; a bare `host:port` is one, too, as in ETCD_ENDPOINTS. Null: it is none. */
function etcdUrl(written: string): string | null {
  const [, scheme = 'http', place = ''] = /^(?:(https?):\/\/)?([^/?#@]+)\/?$/i.exec(written.trim()) ?? [];
  const endpoint = parseEndpoint(/:\d+$/.test(place) ? place : `${place}:2379`);
  if (endpoint === null || !('host' in endpoint)) return null;
  return `${scheme.toLowerCase()}://${/:\d+$/.test(place) ? place : `${place}:2379`}`;
}

const etcdFault = (written: string): string | null =>
  written.includes('@') ? 'write user and password as `username` and `password`' : null;

const keyPrefix = (meaning: string) =>
  form(meaning, PREFIX, (written) => {
    const prefix = written.replace(/\/$/, '');
    return KEY_PREFIX.test(prefix) ? prefix : null;
  });

const path = (meaning: string) => text(meaning, 'a path').optional();

const tls = section(
  {
    ca: path('PEM file of the authorities that are trusted; without it those that Node.js brings'),
    cert: path('PEM file of the certificate that this node shows (mTLS), with `key`'),
    key: path('PEM file of its private key'),
  },
  'TLS to etcd, where its URLs are `https`. The files are read with the configuration.',
);

export const distributed = section(
  {
    enable: flag(false, 'Take part'),
    node_id: form(
      'Name of this node, one of its own for each. ANYPORT_NODE_ID or PROTOPLEX_NODE_ID win over it. Default: the name of the host',
      'up to 128 letters, digits, `.`, `_` and `-`',
      (name) => (NODE_ID.test(name) ? name : null),
    ).optional(),
    etcd_endpoints: oneOrMore(
      form('Members of one etcd cluster', ETCD, etcdUrl, etcdFault),
      'Members of one etcd cluster: the next is asked when one does not answer. ETCD_ENDPOINTS, separated by commas, wins over it',
      ETCD,
    ).default([]),
    ttl: seconds('30s', 'How long what a node says of itself outlives it', { min: '5s', max: '1h' }),
    prefix: keyPrefix('What all keys begin with').default('/anyport'),
    advertise: form('Where other nodes reach this one', 'an address such as `10.0.0.1:9090`', (written) => {
      const endpoint = parseEndpoint(written);
      return endpoint !== null && 'host' in endpoint ? written : null;
    }).optional(),
    tls: tls.optional(),
    username: text('User of etcd; needs `password`').default(''),
    password: text('Password of this user').default(''),
    state_file: writtenFile(
      'Where the last good state is kept, for a start without etcd; only its owner may read it, and its folder must be writable',
      '/var/lib/anyport/cluster.json',
    ).optional(),
    allow_loopback: flag(
      false,
      'Instances of services, and endpoints in fragments, may have loopback addresses. Whoever may write to etcd then leads clients to what listens on this machine alone',
    ),
    share_health: flag(
      true,
      'Nodes tell each other what their health checks find: an endpoint is down, too, where most of them say so',
    ),
    cluster_key: form(
      'What signs the bans that nodes share, the same for all of them and known to nobody else (`openssl rand -hex 32`); without it none are shared',
      'a text of 32 to 1024 characters',
      (key) => (key.length >= 32 && key.length <= 1024 ? key : null),
    ).optional(),
    divide_limits: flag(
      false,
      'Limits per source (`security.rate_limit`, `server.max_connections_per_ip`) are for all nodes together: each has its part, rounded up, of as many as are registered',
    ),
    service_discovery: section(
      {
        enable: flag(true, 'Endpoints `service:NAME` are looked up'),
        refresh_interval: seconds('30s', 'Time between two lists; in between a watch tells of changes', {
          min: '1s',
          max: '1h',
        }),
      },
      'Endpoints of `service:NAME`, from the keys PREFIX/services/NAME/INSTANCE.',
    ).prefault({}),
    config_manager: section(
      {
        enable: flag(true, 'Fragments of a configuration are read from etcd'),
        watch_prefix: keyPrefix('What their keys begin with. Default: PREFIX/config').optional(),
      },
      '[Fragments of a configuration](cluster.md#configuration-from-etcd), from the keys WATCH_PREFIX/NAME.',
    ).optional(),
    load_balancer: z
      .union(
        [
          choice(strategyNames, 'Strategy').transform((strategy) => ({ strategy })),
          mapping({ strategy: choice(strategyNames, 'Strategy') }),
        ],
        expecting(`one of ${strategyNames.map((name) => `\`${name}\``).join(', ')}, or \`{ strategy: … }\``),
      )
      .optional()
      .meta({
        description: 'Strategy of upstreams of services that say none',
        'x-values': strategyNames.map((name) => `\`${name}\``).join(', '),
      }),
  },
  'Other nodes, through etcd.',
);

export type WrittenDistributed = z.output<typeof distributed>;
