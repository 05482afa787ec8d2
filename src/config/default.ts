/** The default file name, and the demonstration: three in-process services on one port. */
import { ADMIN_ADDRESS } from '../model/config.js';

export const DEFAULT_FILE = './anyport.yaml';

export const DEMO_ADDRESS = '127.0.0.1:9090';

export const demoConfig = (addresses: readonly string[]): string => `
listeners:
${addresses.map((address, n) => `  - { name: ${n === 0 ? 'demo' : `demo-${n + 1}`}, address: ${JSON.stringify(address)}, on_unknown: echo }`).join('\n')}
protocols:
  - { name: HTTP, handler: "builtin:http" }
  - { name: Redis, handler: "builtin:redis" }
upstreams:
  echo: { handler: "builtin:echo" }
admin: { listen: "${ADMIN_ADDRESS}" }
`;
