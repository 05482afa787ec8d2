/** What listeners take: streams, datagrams, or both on one port. */
import type { Transport } from './protocol.js';

export const listenerTransports = ['tcp', 'udp', 'tcp+udp', 'kcp'] as const;
export type ListenerTransport = (typeof listenerTransports)[number];

interface Transported {
  readonly transport: ListenerTransport;
}

export const takesStreams = ({ transport }: Transported): boolean =>
  transport === 'tcp' || transport === 'tcp+udp';

export const takesDatagrams = ({ transport }: Transported): boolean =>
  transport === 'udp' || transport === 'tcp+udp';

/** Those of which it has sockets. */
export const transportsOf = (listener: Transported): Transport[] => [
  ...(takesStreams(listener) ? (['tcp'] as const) : []),
  ...(takesDatagrams(listener) ? (['udp'] as const) : []),
];
