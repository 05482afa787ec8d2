/** Round trips of one message on connections that stay open: ECHO of Redis. */
import { type Setup, twoProtocols, type Workload } from './workload.js';

const HEAD = '*2\r\n$4\r\nECHO\r\n';

/** The load fills it up to the size of the message. */
export const echoOpening = (bytes: number): string =>
  Buffer.from(`${HEAD}$${Math.max(1, bytes - HEAD.length - 7)}\r\n`).toString('hex');

export const ping: Workload = {
  name: 'ping',
  words: 'round trips of 64 bytes on open connections',
  unit: 'round trip',
  measures: 'units',
  connections: [1, 64, 1000],
  bytes: { usual: 64, most: 1 << 20 },
  sections: twoProtocols,
  client: ({ bytes }: Setup) => ({ kind: 'ping', opening: echoOpening(bytes) }),
};
