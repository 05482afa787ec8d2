/** Round trips of one message on connections that stay open, behind a request of Redis. */
import { twoProtocols, type Workload } from './workload.js';

export const REDIS = Buffer.from('*1\r\n$4\r\nPING\r\n');

export const ping: Workload = {
  name: 'ping',
  words: 'round trips of 64 bytes on open connections',
  unit: 'round trip',
  measures: 'units',
  connections: [1, 64, 1000],
  bytes: { usual: 64, most: 1 << 20 },
  sections: twoProtocols,
  opening: REDIS,
  client: () => ({ kind: 'ping' }),
};
