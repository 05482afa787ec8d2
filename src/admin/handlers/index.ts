/** The routes of the control interface: the one table of server, OpenAPI document and reference. */
import type { Route } from '../router.js';
import { banRoutes } from './bans.js';
import { configRoutes } from './config.js';
import { descriptionRoutes } from './description.js';
import { kcpRoutes } from './kcp.js';
import { monitoringRoutes } from './monitoring.js';
import { protocolRoutes } from './protocols.js';
import { drainRoutes, reloadRoutes } from './reload.js';
import { routeRoutes } from './routes.js';
import { sessionRoutes } from './sessions.js';
import { statusRoutes } from './status.js';
import { upstreamRoutes } from './upstreams.js';

export const routes: readonly Route[] = [
  ...statusRoutes,
  ...configRoutes,
  ...reloadRoutes,
  ...drainRoutes,
  ...sessionRoutes,
  ...kcpRoutes,
  ...banRoutes,
  ...protocolRoutes,
  ...routeRoutes,
  ...upstreamRoutes,
  ...monitoringRoutes,
  ...descriptionRoutes(() => routes),
];
