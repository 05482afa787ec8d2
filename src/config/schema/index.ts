/** The schema of the whole file, one entry per section. A new key is a row in its section; nothing changes here. */
import { z } from 'zod';
import { connectProxy } from './connect-proxy.js';
import { distributed } from './distributed.js';
import { docker } from './docker.js';
import { list, mapping, oneOrMore, text } from './fields.js';
import { forward } from './forwards.js';
import { kcp } from './kcp.js';
import { listener } from './listeners.js';
import { admin, logging, monitoring } from './operations.js';
import { protocol } from './protocols.js';
import { route } from './routes.js';
import { security } from './security.js';
import { server } from './server.js';
import { upstream } from './upstreams.js';

export const sections = {
  include: oneOrMore(
    text('A path, or a pattern with `*` and `?` in its last part'),
    'Other files of this configuration, relative to this one; they include no others. Lists are appended in their order, mappings joined key by key',
    'path or pattern such as `conf.d/*.yaml`',
  ),
  server,
  protocols: list(protocol, 'What the port accepts, and where it goes.', 'protocols'),
  listeners: list(listener, 'Ports that need more than `server.listen` says.', 'listeners'),
  routes: list(
    route,
    'The first whose conditions all hold is taken; `protocols[].target` is a route after these.',
    'routes',
  ),
  upstreams: z.record(z.string(), upstream).meta({ description: 'What sessions are relayed to, by name.' }),
  forwards: list(forward, 'Plain port forwarding: nothing is identified, and no route is asked.', 'forwards'),
  security,
  monitoring,
  logging,
  admin,
  distributed,
  connect_proxy: connectProxy,
  docker,
  kcp: z
    .record(z.string(), kcp)
    .meta({ description: 'Profiles of [reliable UDP](kcp.md), by name: both ends of a link need the same.' }),
};

export type SectionName = keyof typeof sections;

export const sectionNames = Object.keys(sections) as SectionName[];

/** JSON Schema (2020-12) of the input file. */
export function jsonSchema(): Record<string, unknown> {
  const file = mapping(sections).partial();
  return z.toJSONSchema(file, { io: 'input' }) as Record<string, unknown>;
}
