/** Validates a parsed file into a Config: reports all problems at once, each with its position; guesses nothing. */
import type { Config, Identity, MonitoringConfig, Problem, ServerConfig } from '../../model/config.js';
import { identifyBytesMax } from '../../protocols/read-limit.js';
import { originsIn } from '../origins.js';
import type { Path } from '../path.js';
import { Report } from '../report.js';
import type { Source } from '../source.js';
import { checkAdminAddress, resolveAdmin } from './admin.js';
import { resolveConnectProxy } from './connect-proxy.js';
import type { Context } from './context.js';
import { withDefaultStrategy } from './default-strategy.js';
import { checkServices, resolveDistributed } from './distributed.js';
import { resolveDocker } from './docker.js';
import { checkForwards } from './forward-checks.js';
import {
  forwardGroups,
  forwardUpstreamNames,
  forwardUpstreams,
  readForwards,
  writtenForwardUpstreams,
} from './forwards.js';
import { isForward } from './groups.js';
import { checkDatagramsOverKcp, KcpNames, resolveKcp } from './kcp.js';
import { resolveListeners } from './listeners.js';
import { ProtocolNames } from './protocols.js';
import { createReachability } from './reachability.js';
import { resolveRoutes } from './routes.js';
import { checkSecurity, securityConfig } from './security.js';
import { readShape, type Shape } from './shape.js';
import { Targets } from './targets.js';
import { checkHandlersOfDatagrams, checkHeadersOfDatagrams, ownHandlers } from './transport-options.js';
import { hasOwnUpstream, resolveUpstreams, writtenUpstreams } from './upstreams.js';
import { resolveIdentity } from './user.js';
import { checkDatagramsVia, checkVia } from './via.js';
import { warningsOf } from './warnings.js';

export type Validated =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Default bind address of metrics and health, unless `monitoring.address` restricts it. */
const EVERY_INTERFACE = '::';

export function validate(source: Source, context: Context): Validated {
  const report = new Report(source);
  const shape = readShape(source.value, report);
  const declared = declaredUpstreams(shape);
  const forwards = readForwards(shape, declared, report);
  const targets = new Targets([...declared.keys(), ...forwardUpstreamNames(forwards)], report);
  const names = new ProtocolNames(shape, targets, context, report);
  const { upstreams, written } = withDefaultStrategy(
    {
      upstreams: [
        ...resolveUpstreams(shape, context, report),
        ...forwardUpstreams(forwards, context, report),
      ],
      written: [...writtenUpstreams(shape), ...writtenForwardUpstreams(forwards)],
    },
    shape,
    source,
  );
  const passing = forwardGroups(forwards, targets, context, report);
  const groups = resolveListeners(shape, names, targets, passing, context, report);
  const routes = resolveRoutes(shape, groups, names, targets, report);
  const kcp = resolveKcp(shape, source, context, report);
  const connectProxy = resolveConnectProxy(shape, groups, names, context, report);
  const docker = resolveDocker(shape, context, report);
  const profiles = new KcpNames(shape, report);
  for (const entry of shape.listeners ?? []) profiles.checkListener(entry);
  for (const entry of written) profiles.checkUpstream(entry);
  for (const entry of written) checkVia(entry, report);
  checkServer(shape, report);
  checkSilences(shape, report);
  checkSecurity(shape, report);
  const identity = resolveIdentity(shape, context, report);
  const admin = resolveAdmin(shape, report);
  const distributed = resolveDistributed(shape, context, report, identity);
  checkServices(written, distributed, report);
  const monitoring = monitoringConfig(shape);
  const security = securityConfig(shape, context, report);
  checkAdminAddress(admin, groups, monitoring, report);
  checkForwards({ groups, upstreams, monitoring }, context, report);
  if (report.problems.length > 0) return { ok: false, problems: report.problems };
  const config: Config = {
    server: serverConfig(shape, context, identity),
    listeners: groups.flatMap(({ listeners }) => listeners),
    protocols: names.configured,
    routes,
    upstreams,
    kcp,
    connectProxy,
    docker,
    security,
    distributed,
    monitoring,
    admin,
    logging: loggingConfig(shape),
    origins: originsIn(source),
  };
  const asking = groups.filter((group) => !isForward(group));
  const reachability = createReachability(shape, asking, config);
  checkHeadersOfDatagrams(written, reachability, report);
  checkDatagramsOverKcp(written, reachability, report);
  checkDatagramsVia(written, reachability, report);
  checkHandlersOfDatagrams([...written, ...ownHandlers(shape)], reachability, report);
  if (report.problems.length > 0) return { ok: false, problems: report.problems };
  const checked = { source, shape, written, groups, names, profiles, config, reachability };
  const warnings = warningsOf(checked, context);
  return { ok: true, config, warnings };
}

/** Upstreams of their section, and those that protocols make, and where each is. */
function declaredUpstreams({ upstreamNames, protocols }: Shape): ReadonlyMap<string, Path> {
  const own = protocols.filter(({ value }) => hasOwnUpstream(value));
  return new Map<string, Path>([
    ...own.map(({ path, value }): [string, Path] => [value.name, path]),
    ...upstreamNames.map((name): [string, Path] => [name, ['upstreams', name]]),
  ]);
}

function checkServer({ server }: Shape, report: Report): void {
  const { buffer_size, identify_min_bytes, identify_max_bytes } = server;
  const problem = (key: string, message: string) => report.problem(['server', key], message);
  if (identify_min_bytes > buffer_size) {
    const why = `${identify_min_bytes} bytes do not fit into buffer_size, which is ${buffer_size}`;
    problem('identify_min_bytes', why);
  }
  const most = Math.max(buffer_size, identifyBytesMax);
  if (identify_max_bytes > most) {
    problem('identify_max_bytes', `${identify_max_bytes} bytes are more than ${most}: raise buffer_size too`);
  }
  if (identify_max_bytes < identify_min_bytes) {
    const why = `${identify_max_bytes} bytes are less than identify_min_bytes, which is ${identify_min_bytes}`;
    problem('identify_max_bytes', why);
  }
}

/** `identify_timeout` is the total: it must outlast the silence. */
function checkSilences({ server, listeners }: Shape, report: Report): void {
  for (const { path, value } of listeners ?? []) {
    const { after = 0 } = value.on_silence ?? {};
    if (after < server.identify_timeout) continue;
    report.problem(
      [...path, 'on_silence', 'after'],
      `is not shorter than server.identify_timeout, which is ${server.identify_timeout} ms`,
    );
  }
}

function serverConfig({ server }: Shape, { cores }: Context, identity: Identity | null): ServerConfig {
  return {
    workers: server.workers === 'auto' ? cores : server.workers,
    accept: server.accept,
    maxConnections: server.max_connections,
    maxConnectionsPerSource: server.max_connections_per_ip,
    maxIdentifying: server.max_identifying,
    tarpitMax: server.tarpit_max,
    tarpitHoldMs: server.tarpit_hold,
    bufferBytes: server.buffer_size,
    identifyTimeoutMs: server.identify_timeout,
    identifyMinBytes: server.identify_min_bytes,
    longOpeningsPerSource: server.long_openings_per_ip,
    identifyMaxBytes: server.identify_max_bytes,
    dialTimeoutMs: server.dial_timeout,
    idleTimeoutMs: server.idle_timeout,
    halfCloseTimeoutMs: server.half_close_timeout,
    udp: {
      idleTimeoutMs: server.udp.idle_timeout,
      maxFlows: server.udp.max_flows,
      maxFlowsPerSource: server.udp.max_flows_per_ip,
      receiveBufferBytes: server.udp.receive_buffer,
    },
    cacheTtlMs: server.cache_ttl,
    drainDelayMs: server.drain_delay,
    gracefulShutdownTimeoutMs: server.graceful_shutdown_timeout,
    upgradeTimeoutMs: server.upgrade_timeout,
    reloadOnChange: server.reload_on_change,
    identity,
  };
}

function monitoringConfig({ monitoring }: Shape): MonitoringConfig {
  if (monitoring === null) return { metrics: null, health: null };
  const host = monitoring.address ?? EVERY_INTERFACE;
  const at = (enabled: boolean, port: number) => (enabled ? { host, port } : null);
  return {
    metrics: at(monitoring.enable_metrics, monitoring.metrics_port),
    health: at(monitoring.enable_health_check, monitoring.health_check_port),
  };
}

function loggingConfig({ logging }: Shape): Config['logging'] {
  return {
    file: logging.file ?? null,
    level: logging.level,
    format: logging.format,
    accessLog: logging.access_log,
    accessLogRate: logging.access_log_rate,
  };
}
