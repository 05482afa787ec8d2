/** `listeners[]`: ports that need more options than `server.listen` has. */
import { z } from 'zod';
import { listenerTransports } from '../../model/transports.js';
import { listenAddress, peers, socketMode, TARGET } from './addresses.js';
import { choice, duration, expecting, flag, integer, list, mapping, section, text } from './fields.js';
import { listsOfListener } from './lists.js';

const silence = mapping(
  {
    after: duration('300ms', 'How long a client may say nothing; less than `identify_timeout`', {
      min: '10ms',
      max: '10m',
    }),
    to: text('Where it goes then', TARGET),
  },
  '{ to: mail }',
);

const proxyProtocol = section(
  {
    accept: flag(false, 'Read a PROXY header (v1, v2) before the first byte of the protocol'),
    trusted: peers(
      'Who sends one; may not be empty. From anybody else no header is read. `unix`: whoever may open the socket',
    ).default([]),
  },
  'PROXY protocol in front of the session.',
  '{ accept: true, trusted: ["10.0.0.0/8"] }',
);

/** Who may connect, and how many: whatever is done with the sessions. */
export const admission = {
  mode: socketMode(
    'Who may connect to a unix socket: permissions of its file. Without it `0660`, owner and group; an abstract one (`unix:@name`) has none',
  ).optional(),
  proxy_protocol: proxyProtocol.optional(),
  max_connections: integer(
    'Connections at once on this listener, of a port range on each port; over it one is refused and counted. `server.max_connections` holds besides; 0: no limit. Flows have `server.udp.max_flows`',
    0,
    10_000_000,
  ).default(0),
  ...listsOfListener,
};

export const listener = mapping(
  {
    name: text('Its name in routes, logs and metrics; a port range names each `NAME:PORT`', 'name'),
    address: listenAddress(
      'Where to listen. No host means every address; `[::]` takes IPv4 too, unless an IPv4 address of the port is listed',
    ),
    transport: choice(
      listenerTransports,
      '`tcp`: connections. `udp`: datagrams, of which those of one client address are a session (a flow). `tcp+udp`: both, on the same port. `kcp`: [reliable UDP](kcp.md) alone, whose streams are sessions as connections are',
    ).default('tcp'),
    kcp: text(
      'Takes links of reliable UDP with this profile of `kcp`: with `udp` and `tcp+udp` beside flows, on the same port',
      'name of a profile',
    ).optional(),
    protocols: list(
      z.string(expecting('the name of a protocol')),
      'What is accepted here; without it, all that is configured',
      'names of protocols',
    ).optional(),
    ...admission,
    on_silence: silence
      .meta({
        description:
          'For protocols in which the server speaks first: where a client goes that says nothing, or half-closes before a byte.',
      })
      .optional(),
    on_unknown: text(
      'Where a session goes that nothing routes: an upstream, or one of the [ways to end it](operations.md#ends)',
      TARGET,
    ).default('close'),
  },
  '{ name: main, address: ":443" }',
);

export type ListenerEntry = z.output<typeof listener>;
