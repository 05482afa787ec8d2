/** `server.udp` */
import { duration, integer, section, size } from './fields.js';

/** Of `idle_timeout`, here and of an upstream. */
export const flowIdleBounds = { min: '10ms', max: '24h' } as const;

const MIB = 1024 ** 2;

export const udp = section(
  {
    idle_timeout: duration('60s', 'Ends a flow in which no datagram moves either way', flowIdleBounds),
    max_flows: integer(
      'Flows at once, all listeners and workers together. Over it the oldest flow goes whose client has not been heard of since its first answer; if there is none, the new one is refused and counted',
      1,
      4_000_000,
    ).default(65_536),
    max_flows_per_ip: integer(
      'Flows at once of each source (IPv6: each /64); over it a datagram that would begin one is dropped and counted. 0: no limit',
      0,
      4_000_000,
    ).default(1024),
    receive_buffer: size(
      4 * MIB,
      'Receive buffer of each listening socket: what a burst may leave there while the worker is elsewhere. Without CAP_NET_ADMIN at most `net.core.rmem_max`, and a warning says what it is',
      4096,
      1024 * MIB,
    ),
  },
  'Datagrams of one client address on one listener are a session, called a flow.',
);
