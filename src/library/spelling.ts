/**
 * The library's spelling of the configuration (`maxConnections`, the keys of `server` at the top) and the file's
 * (`server.max_connections`), in both directions. The lists of keys are compared with the schema by a test: the schema
 * itself is loaded only by the thread that checks configurations.
 */
import { isLocal } from '../base/user-module.js';
import type { Diff } from '../model/diff.js';

/** Sections of the file; every other key at the top of the options belongs to `server`. */
export const sectionKeys: readonly string[] = [
  'protocols',
  'listeners',
  'routes',
  'upstreams',
  'forwards',
  'security',
  'monitoring',
  'logging',
  'admin',
  'distributed',
  'connect_proxy',
  'docker',
  'kcp',
];

/** Keys of several words, as messages of the schema may name them. */
export const longKeys: readonly string[] = [
  'max_connections',
  'max_connections_per_ip',
  'max_identifying',
  'long_openings_per_ip',
  'tarpit_max',
  'tarpit_hold',
  'buffer_size',
  'allow_loopback',
  'state_file',
  'etcd_endpoints',
  'node_id',
  'service_discovery',
  'refresh_interval',
  'config_manager',
  'watch_prefix',
  'load_balancer',
  'identify_timeout',
  'identify_min_bytes',
  'identify_max_bytes',
  'cache_ttl',
  'dial_timeout',
  'idle_timeout',
  'half_close_timeout',
  'max_flows',
  'max_flows_per_ip',
  'receive_buffer',
  'on_reload',
  'drain_delay',
  'graceful_shutdown_timeout',
  'upgrade_timeout',
  'reload_on_change',
  'start_bytes',
  'min_bytes',
  'max_bytes',
  'proxy_protocol',
  'on_silence',
  'on_unknown',
  'file_sd',
  'keep_last_good',
  'user_timeout',
  'health_check',
  'fast_interval',
  'min_days',
  'server_name',
  'send_hex',
  'expect_hex',
  'expect_regex',
  'hash_key',
  'slow_start',
  'passive_health',
  'max_fails',
  'max_ejected',
  'on_down',
  'max_idle',
  'client_id',
  'follow_connection_id',
  'connection_id_length',
  'enable_rate_limit',
  'rate_limit',
  'requests_per_second',
  'burst_size',
  'total_per_second',
  'total_burst',
  'enable_ddos_guard',
  'ddos_guard',
  'ban_max',
  'identifying_per_ip',
  'ban_export',
  'ip_whitelist',
  'ip_whitelist_files',
  'ip_blacklist',
  'ip_blacklist_files',
  'allow_only',
  'allow_only_files',
  'enable_metrics',
  'metrics_port',
  'enable_health_check',
  'health_check_port',
  'access_log',
  'access_log_rate',
  'follow_connection_id',
  'connection_id_length',
  'send_window',
  'receive_window',
  'server_key',
  'private_key_file',
  'dead_after',
  'status_log',
  'connect_proxy',
  'users_file',
  'allow_from',
  'user_limits',
  'log_users',
  'resolve_timeout',
  'cluster_key',
  'divide_limits',
  'share_health',
];

/** Keys whose value is a duration: a number there is milliseconds. */
export const durationKeys: readonly string[] = [
  'tarpit_hold',
  'identify_timeout',
  'cache_ttl',
  'dial_timeout',
  'idle_timeout',
  'half_close_timeout',
  'drain_delay',
  'graceful_shutdown_timeout',
  'upgrade_timeout',
  'after',
  'refresh',
  'keepalive',
  'interval',
  'fast_interval',
  'slow_start',
  'timeout',
  'window',
  'eject',
  'max_idle',
  'ban',
  'ban_max',
  'heartbeat',
  'dead_after',
  'status_log',
  'resolve_timeout',
];

/** Mappings whose keys are names that the user chose. */
const NAMED: readonly string[] = ['upstreams', 'kcp', 'connect_proxy.users'];

export const toSnake = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export const toCamel = (key: string): string =>
  key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

export const isNamed = (path: readonly string[]): boolean => NAMED.includes(path.join('.'));

const known = new Set(longKeys);

/** A message of the schema, with the keys that it names in the library's spelling. */
export function respelled(message: string): string {
  return message
    .replace(/\bserver\.(?=[a-z_]+)/g, '')
    .replace(/(?<=unknown key `)\w+(?=`)/, toCamel)
    .replace(/\b[a-z]+(?:_[a-z]+)+\b/g, (word) => (known.has(word) ? toCamel(word) : word))
    .replace(/`validator`/g, '`validate`');
}

/** `server.max_connections` → `maxConnections`; `protocols[0].validator` → `protocols[0].validate`. */
export function respelledPath(path: string): string {
  const [section = '', ...rest] = path.split('.');
  if (section === 'server') return rest.map(toCamel).join('.');
  const isName = (index: number) => index === 0 && isNamed([section]);
  const inner = rest.map((part, index) => (isName(index) ? part : toCamel(part)));
  const spelled = [toCamel(section), ...inner];
  return spelled.join('.').replace(/^(protocols\[\d+\])\.validator\b/, '$1.validate');
}

/** The keys of a difference; names that the user chose stay, and a function is called one. */
export const respelledDiff = (diff: Diff): Diff =>
  diff.map((item) => ({
    ...item,
    name: item.kind === 'setting' ? respelledPath(item.name) : item.name,
    about: codeText(item.about) as string,
    fields: item.fields.map(({ key, from, to }) => ({
      key: key.split('.').map(toCamel).join('.'),
      from: codeText(from),
      to: codeText(to),
    })),
  }));

const codeText = (value: unknown): unknown =>
  typeof value === 'string' && isLocal(value) ? '(function)' : value;
