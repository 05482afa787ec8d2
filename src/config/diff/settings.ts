/** Everything outside of the lists, key by key: `server.workers`, `logging.level` … */
import { hostPort } from '../../base/address.js';
import { formatDuration } from '../../base/duration.js';
import { formatSize } from '../../base/size.js';
import type { ClientTls } from '../../model/client-tls.js';
import type {
  AdminConfig,
  Config,
  DockerConfig,
  GuardConfig,
  Identity,
  ListsConfig,
  LoggingConfig,
  MonitoringConfig,
  RateLimitConfig,
  ServerConfig,
  UdpConfig,
} from '../../model/config.js';
import type { DistributedConfig } from '../../model/distributed.js';
import { connectProxySettings } from './connect-proxy.js';
import { addressText, modeText } from './forms.js';
import { listFields } from './lists.js';

export interface Setting {
  /** Key path in the file. */
  readonly name: string;
  /** For comparison. */
  readonly value: unknown;
  /** In the file's form. */
  readonly shown: unknown;
}

type Show = (value: never) => unknown;

const plain: Show = (value) => value;
const duration = (ms: number): string => formatDuration(ms);
const size = (bytes: number): string => formatSize(bytes);

/** Keys of the file, and how their values are written. */
type Rows<Section> = { readonly [Key in keyof Section]: readonly [key: string, show: Show] };

const identityText = (identity: Identity | null): string | null =>
  identity && [identity.user.name, identity.group.name].filter(Boolean).join(':');

const server: Rows<Omit<ServerConfig, 'udp'>> = {
  workers: ['workers', plain],
  accept: ['accept', plain],
  maxConnections: ['max_connections', plain],
  maxConnectionsPerSource: ['max_connections_per_ip', plain],
  maxIdentifying: ['max_identifying', plain],
  tarpitMax: ['tarpit_max', plain],
  tarpitHoldMs: ['tarpit_hold', duration],
  longOpeningsPerSource: ['long_openings_per_ip', plain],
  bufferBytes: ['buffer_size', size],
  identifyTimeoutMs: ['identify_timeout', duration],
  identifyMinBytes: ['identify_min_bytes', size],
  identifyMaxBytes: ['identify_max_bytes', size],
  dialTimeoutMs: ['dial_timeout', duration],
  idleTimeoutMs: ['idle_timeout', duration],
  halfCloseTimeoutMs: ['half_close_timeout', duration],
  cacheTtlMs: ['cache_ttl', duration],
  drainDelayMs: ['drain_delay', duration],
  gracefulShutdownTimeoutMs: ['graceful_shutdown_timeout', duration],
  upgradeTimeoutMs: ['upgrade_timeout', duration],
  reloadOnChange: ['reload_on_change', plain],
  identity: ['user', identityText],
};

const udp: Rows<UdpConfig> = {
  idleTimeoutMs: ['idle_timeout', duration],
  maxFlows: ['max_flows', plain],
  maxFlowsPerSource: ['max_flows_per_ip', plain],
  receiveBufferBytes: ['receive_buffer', size],
};

const siteText = (site: { host: string; port: number } | null): string | null =>
  site && hostPort(site.host, site.port);

const monitoring: Rows<MonitoringConfig> = {
  metrics: ['metrics', siteText],
  health: ['health', siteText],
};

const logging: Rows<LoggingConfig> = {
  file: ['file', plain],
  level: ['level', plain],
  format: ['format', plain],
  accessLog: ['access_log', plain],
  accessLogRate: ['access_log_rate', plain],
};

const rateLimit: Rows<RateLimitConfig> = {
  perSecond: ['requests_per_second', plain],
  burst: ['burst_size', plain],
  totalPerSecond: ['total_per_second', plain],
  totalBurst: ['total_burst', plain],
};

const guard: Rows<GuardConfig> = {
  windowMs: ['window', duration],
  threshold: ['threshold', plain],
  failures: ['failures', plain],
  banMs: ['ban', duration],
  banMaxMs: ['ban_max', duration],
  identifyingPerSource: ['identifying_per_ip', plain],
};

function rowsOf<Section extends object>(name: string, section: Section, rows: Rows<Section>): Setting[] {
  return Object.entries<Rows<Section>[keyof Section]>(rows).map(([field, [key, show]]) => {
    const value: unknown = section[field as keyof Section];
    return { name: `${name}.${key}`, value, shown: show(value as never) };
  });
}

/** Without where the files are named. */
function listSettings(lists: ListsConfig): Setting[] {
  return Object.entries(listFields(lists)).map(([key, shown]) => ({
    name: `security.${key}`,
    value: shown,
    shown,
  }));
}

/** The secret itself is compared and never shown. */
function adminSettings(admin: AdminConfig | null): Setting[] {
  const listen = admin && addressText(admin.address);
  const mode = admin && modeText(admin.address);
  const token = admin?.token ?? '';
  return [
    { name: 'admin.listen', value: listen, shown: listen },
    { name: 'admin.mode', value: mode, shown: mode },
    { name: 'admin.hosts', value: admin?.hosts ?? [], shown: admin?.hosts ?? [] },
    { name: 'admin.token', value: token, shown: token === '' ? null : '(a secret)' },
  ];
}

function dockerSettings(docker: DockerConfig | null): Setting[] {
  const tls = docker && 'tls' in docker.place ? docker.place.tls : null;
  const rows = {
    socket: docker && placeText(docker.place),
    network: docker?.network ?? null,
    watch: docker?.watch ?? null,
    allow_loopback: docker?.allowLoopback ?? null,
    state_file: docker?.stateFile ?? null,
  };
  const plain = Object.entries(rows).map(([key, value]) => ({ name: `docker.${key}`, value, shown: value }));
  return [...plain, ...tlsSettings('docker.tls', tls)];
}

/** Compared and never shown. */
function tlsSettings(name: string, tls: ClientTls | null): Setting[] {
  const shown = { ca: '(a file)', cert: '(a file)', key: '(a secret)' };
  return Object.entries(shown).map(([key, words]) => {
    const value = tls?.[key as keyof ClientTls] ?? null;
    return { name: `${name}.${key}`, value, shown: value && words };
  });
}

/** Secrets are compared and never shown. */
function distributedSettings(distributed: DistributedConfig | null): Setting[] {
  const plainly = (key: string, value: unknown): Setting => setting(key, value, value);
  const setting = (key: string, value: unknown, shown: unknown): Setting => ({
    name: `distributed.${key}`,
    value: value ?? null,
    shown: shown ?? null,
  });
  const hidden = (key: string, value: string | undefined): Setting =>
    setting(key, value, value === undefined ? null : '(a secret)');
  const said = distributed ?? undefined;
  return [
    plainly('enable', distributed !== null),
    plainly('node_id', said?.nodeId),
    plainly('etcd_endpoints', said?.endpoints),
    setting('ttl', said?.ttlS, said && duration(said.ttlS * 1000)),
    plainly('prefix', said?.prefix),
    plainly('advertise', said?.advertise),
    ...tlsSettings('distributed.tls', said?.tls ?? null),
    plainly('username', said?.user?.name),
    hidden('password', said?.user?.password),
    plainly('state_file', said?.stateFile),
    plainly('allow_loopback', said?.allowLoopback),
    plainly('share_health', said?.sharesHealth),
    hidden('cluster_key', said?.clusterKey ?? undefined),
    plainly('divide_limits', said?.dividesLimits),
    plainly('service_discovery.enable', said?.discovers),
    setting('service_discovery.refresh_interval', said?.refreshMs, said && duration(said.refreshMs)),
    plainly('config_manager.watch_prefix', said?.watchPrefix),
  ];
}

const placeText = (place: DockerConfig['place']): string =>
  'socketPath' in place ? place.socketPath : `tcp://${hostPort(place.host, place.port)}`;

/** A section that is off has none of its keys in force. */
function switchable<Section extends object>(
  flag: string,
  name: string,
  section: Section | null,
  rows: Rows<Section>,
): Setting[] {
  const values = Object.keys(rows) as (keyof Section)[];
  const none = values.map((field) => ({ name: `${name}.${rows[field][0]}`, value: null, shown: null }));
  const enabled = section !== null;
  return [{ name: flag, value: enabled, shown: enabled }, ...(enabled ? rowsOf(name, section, rows) : none)];
}

const securitySettings = ({ security }: Config): Setting[] => [
  ...switchable('security.enable_rate_limit', 'security.rate_limit', security.rateLimit, rateLimit),
  ...switchable('security.enable_ddos_guard', 'security.ddos_guard', security.guard, guard),
  { name: 'security.ban_export', value: security.banExport, shown: security.banExport },
];

/** The same names in the same order for every configuration. */
export function settingsOf(config: Config): Setting[] {
  return [
    ...rowsOf('server', config.server, server),
    ...rowsOf('server.udp', config.server.udp, udp),
    ...securitySettings(config),
    ...listSettings(config.security.lists),
    ...rowsOf('monitoring', config.monitoring, monitoring),
    ...adminSettings(config.admin),
    ...rowsOf('logging', config.logging, logging),
    ...connectProxySettings(config.connectProxy),
    ...dockerSettings(config.docker),
    ...distributedSettings(config.distributed),
  ];
}
