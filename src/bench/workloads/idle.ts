/** Connections that have had an answer, and do nothing. */
import { REDIS } from './ping.js';
import { twoProtocols, type Workload } from './workload.js';

export const idle: Workload = {
  name: 'idle',
  words: 'private memory of a connection that has had an answer and does nothing',
  unit: 'session',
  measures: 'memory',
  connections: [8000],
  bytes: { usual: 64, most: 64 * 1024 },
  sections: twoProtocols,
  opening: REDIS,
  client: () => ({ kind: 'hold' }),
};
