/** Short connections that open with a TLS hello, routed by the name in it; one that took another way would be reset. */
import { clientHello } from './openings.js';
import type { Workload } from './workload.js';

const HOSTS = Array.from({ length: 16 }, (_, index) => `host-${index}.bench.example.com`);

export const tlsSni: Workload = {
  name: 'tls-sni',
  words:
    'short connections: a TLS hello, routed by its server name, one of 16; the same bytes back, closed by the server',
  unit: 'connection',
  measures: 'units',
  connections: [64],
  bytes: null,
  sections: (endpoint) => ({
    protocols: [{ name: 'http', target: endpoint }],
    upstreams: Object.fromEntries(HOSTS.map((_, index) => [`up-${index}`, { endpoints: [endpoint] }])),
    routes: [
      ...HOSTS.map((sni, index) => ({ when: { protocol: 'tls', sni }, to: `up-${index}` })),
      { when: { protocol: 'tls' }, to: 'reset' },
    ],
  }),
  client: () => ({ kind: 'visit' }),
  openings: () => Promise.all(HOSTS.map(clientHello)),
};
