/** `connect_proxy`: HTTP CONNECT and SOCKS on the ports that serve everything else. */
import { z } from 'zod';
import { PORT_MAX } from '../../base/address.js';
import type { PortRange } from '../../model/connect-proxy.js';
import { peers } from './addresses.js';
import { destinations, parsePorts } from './destinations.js';
import { duration, expecting, flag, integer, list, mapping, section, size, text } from './fields.js';
import { upstreamTimeouts } from './timeouts.js';

const GIB = 1024 ** 3;
const HASH = 'a hash, as `anyport hash-password` prints it';
const USER = `${HASH}, or \`{ hash, max_connections, bandwidth }\``;

const bandwidth = (meaning: string) =>
  section(
    {
      up: size(0, "Bytes a second from the user's clients; 0: no limit", 0, 1024 * GIB),
      down: size(0, "Bytes a second to the user's clients; 0: no limit", 0, 1024 * GIB),
    },
    meaning,
    '{ up: 1MiB, down: 10MiB }',
  );

const maxConnections = (meaning: string) => integer(meaning, 0, 10_000_000);

const user = mapping(
  {
    hash: text('Hash of the password, as `anyport hash-password` prints it'),
    max_connections: maxConnections('Here instead of `user_limits.max_connections`').optional(),
    bandwidth: bandwidth('Here instead of `user_limits.bandwidth`.').optional(),
  },
  '{ hash: …, max_connections: 10 }',
);

const PORT = `a port from 1 to ${PORT_MAX}, or a range such as \`8000-8999\``;

const ports = z.union(
  [
    z.int(expecting(PORT)).min(1, expecting(PORT)).max(PORT_MAX, expecting(PORT)).transform(String),
    z.string(expecting(PORT)),
  ],
  expecting(PORT),
);

const portRange = ports.transform((written, context): PortRange => {
  const ranges = parsePorts(written);
  const [range] = Array.isArray(ranges) && ranges.length === 1 ? (ranges as PortRange[]) : [];
  if (range !== undefined) return range;
  context.issues.push({ code: 'custom', input: written, message: expecting(PORT).error({ input: written }) });
  return z.NEVER;
});

export const connectProxy = section(
  {
    listeners: list(
      z.string(expecting('the name of a listener')),
      'Where it is; without it, on every listener of connections whose `protocols` has `http`, or that has none',
      'names of listeners',
    ).optional(),
    allow: destinations(
      'Where clients may go, and nowhere else; without it, to every public address. Private, loopback and other special addresses are reached only where a network within their range is listed, such as `10.1.0.0/16:*`; a name does not open them. A destination without a port has those of `ports`',
    ).optional(),
    deny: destinations(
      'Where they may not, whatever `allow` says. A destination without a port has them all',
    ).default([]),
    ports: list(portRange, 'Ports of destinations that name none', 'ports and ranges of ports')
      .min(1, 'has no port: nothing could be reached')
      .prefault([443]),
    users: z
      .record(
        z.string(),
        z.union(
          [text('').transform((hash) => ({ hash, max_connections: undefined, bandwidth: undefined })), user],
          expecting(USER),
        ),
        expecting('a mapping of names to hashes'),
      )
      .optional()
      .meta({
        'x-values': 'mapping of names to hashes',
        description:
          'Who may use it, by name: a hash, or a mapping. They say so by Basic authentication (`Proxy-Authorization`) or as SOCKS 5 does; SOCKS 4a has no passwords, and is refused then',
      }),
    users_file: text(
      'File with more users: `NAME:HASH` a line, `#` before a comment; read again when it changes, as the files of the configuration are',
      'path',
    ).optional(),
    allow_from: peers('Clients that may use it; without it all, who then have to be `users`').default([]),
    user_limits: section(
      {
        max_connections: maxConnections(
          'Sessions of a user at once, all workers together; 0: no limit',
        ).default(0),
        bandwidth: bandwidth(
          'Limits of speed of all sessions of a user together, over all workers.',
        ).prefault({}),
      },
      'Limits of each user.',
    ).prefault({}),
    socks: flag(false, 'SOCKS 4a and 5 on the same listeners, under the same rules'),
    udp: flag(
      false,
      'UDP ASSOCIATE of SOCKS 5, too: datagrams to the same destinations and ports, from a relay at the address that the client has connected to, at a port that the system chooses',
    ),
    log_users: flag(
      false,
      'Name the user in the access log, and those with limits in metrics, as upstream `connect_proxy/NAME`',
    ),
    resolve_timeout: duration('5s', 'Time for the look-up of a name', { min: '100ms', max: '1m' }),
    ...upstreamTimeouts,
  },
  'A proxy for HTTP CONNECT and SOCKS, for clients that are configured to use one. It is not open to all: it has `users`, or networks that may use it.',
  '{ users_file: ./users }',
);

export type ConnectProxyEntry = z.output<typeof connectProxy>;
