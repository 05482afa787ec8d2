/** Short connections: one request, one answer, closed by the server. */
import { twoProtocols, type Workload } from './workload.js';

export const conn: Workload = {
  name: 'conn',
  words: 'short connections: a request, 128 bytes back, closed by the server',
  unit: 'connection',
  measures: 'units',
  connections: [64],
  bytes: { usual: 128, most: 256 * 1024 },
  sections: twoProtocols,
  client: () => ({ kind: 'visit' }),
};
