/** Short connections of thirteen protocols in turn, with every built-in protocol of connections to choose from. */
import { protocols } from '../../protocols/index.js';
import { clientHello, openings } from './openings.js';
import type { Workload } from './workload.js';

export const identify: Workload = {
  name: 'identify',
  words:
    'short connections of 13 protocols, of all that are known: the opening, the same bytes back, closed by the server',
  unit: 'connection',
  measures: 'units',
  connections: [64],
  bytes: null,
  sections: (endpoint) => ({
    protocols: protocols
      .filter(({ transports }) => transports.includes('tcp'))
      .map(({ id }) => ({ name: id, target: endpoint })),
  }),
  client: () => ({ kind: 'visit' }),
  openings: async () => [...Object.values(openings), await clientHello('bench.example.com')],
};
