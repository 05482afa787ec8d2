/** What listeners take: streams, datagrams, or both on one port; and what sockets they have for it. */
import type { Transport } from './protocol.js';

export const listenerTransports = ['tcp', 'udp', 'tcp+udp', 'kcp'] as const;
export type ListenerTransport = (typeof listenerTransports)[number];

interface Transported {
  readonly transport: ListenerTransport;
  /** Profile of the links that come to its socket of datagrams; null or absent: none do. */
  readonly kcp?: string | number | null | undefined;
}

/** Whether links of reliable UDP come there, whose streams are sessions. */
export const takesLinks = ({ kcp = null }: Transported): boolean => kcp !== null;

/** TCP connections, or those of a Unix socket. */
export const takesConnections = ({ transport }: Transported): boolean =>
  transport === 'tcp' || transport === 'tcp+udp';

/** Sessions that are streams, of connections or of links. */
export const takesStreams = (listener: Transported): boolean =>
  takesConnections(listener) || listener.transport === 'kcp' || takesLinks(listener);

/** Sessions that are flows of datagrams. */
export const takesDatagrams = ({ transport }: Transported): boolean =>
  transport === 'udp' || transport === 'tcp+udp';

const transports = (streams: boolean, datagrams: boolean): Transport[] => [
  ...(streams ? (['tcp'] as const) : []),
  ...(datagrams ? (['udp'] as const) : []),
];

/** What its sessions are. */
export const transportsOf = (listener: Transported): Transport[] =>
  transports(takesStreams(listener), takesDatagrams(listener));

export const hasDatagramSocket = ({ transport }: Transported): boolean => transport !== 'tcp';

/** Those of which it has sockets. */
export const socketTransportsOf = (listener: Transported): Transport[] =>
  transports(takesConnections(listener), hasDatagramSocket(listener));
