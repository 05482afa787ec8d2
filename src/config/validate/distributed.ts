/** `distributed`: what of it contradicts itself, and the files that it names. */
import { isRecordsName } from '../../base/address.js';
import type { Identity } from '../../model/config.js';
import type { DistributedConfig } from '../../model/distributed.js';
import type { Report, Warn } from '../report.js';
import type { WrittenDistributed } from '../schema/distributed.js';
import type { UpstreamEntry } from '../schema/upstreams.js';
import type { Context } from './context.js';
import type { Shape } from './shape.js';
import { readTlsFiles, warnOfTlsFiles } from './tls-files.js';
import type { NamedUpstream } from './upstreams.js';

const HOST_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Null: this node is alone. What is wrong is said even of a section that is off. */
export function resolveDistributed(
  { distributed: written }: Shape,
  context: Context,
  report: Report,
  writer: Identity | null,
): DistributedConfig | null {
  if (written === null) return null;
  const nodeId = nodeIdOf(written, context, report);
  const tls =
    written.tls === undefined
      ? null
      : readTlsFiles(written.tls, context, (name, said) =>
          report.problem(['distributed', 'tls', name], said),
        );
  checkAccess(written, report);
  if (!written.enable) return null;
  if (written.etcd_endpoints.length === 0)
    report.missing(['distributed'], 'needs `etcd_endpoints` such as `["http://etcd:2379"]`');
  return {
    nodeId,
    endpoints: written.etcd_endpoints,
    ttlS: Math.ceil(written.ttl / 1000),
    refreshMs: written.service_discovery.refresh_interval,
    prefix: written.prefix,
    advertise: written.advertise ?? null,
    tls,
    user: written.username === '' ? null : { name: written.username, password: written.password },
    stateFile: stateFileOf(written, context, report, writer),
    allowLoopback: written.allow_loopback,
    sharesHealth: written.share_health,
    clusterKey: written.cluster_key ?? null,
    dividesLimits: written.divide_limits,
    discovers: written.service_discovery.enable,
    watchPrefix: watchPrefixOf(written, report),
  };
}

function nodeIdOf({ node_id, enable }: WrittenDistributed, { hostName }: Context, report: Report): string {
  const id = node_id ?? hostName;
  if (enable && !HOST_NAME.test(id))
    report.missing(['distributed'], `needs a \`node_id\`: the name of this host, \`${id}\`, can not be one`);
  return id;
}

function checkAccess({ etcd_endpoints, tls, username, password }: WrittenDistributed, report: Report): void {
  const at = (key: string, message: string) => report.problem(['distributed', key], message);
  const isSecure = etcd_endpoints.some((url) => url.startsWith('https:'));
  if (tls !== undefined && etcd_endpoints.length > 0 && !isSecure)
    at('tls', 'has no effect: none of `etcd_endpoints` is an `https` URL');
  if (username === '' && password !== '') at('password', 'needs a `username`, too');
  if (username !== '' && password === '') at('username', 'needs a `password`, too');
}

function stateFileOf(
  { state_file: path }: WrittenDistributed,
  { writeFault }: Context,
  report: Report,
  writer: Identity | null,
): string | null {
  if (path === undefined) return null;
  const fault = writeFault(path, 'replaced', writer?.user.uid ?? null);
  if (fault !== null) report.problem(['distributed', 'state_file'], fault);
  return path;
}

/** What is valid, and probably not intended. */
export function warnOfDistributed({ distributed: written }: Shape, context: Context, warn: Warn): void {
  if (written === null || !written.enable) return;
  const { tls, username, etcd_endpoints } = written;
  if (tls !== undefined)
    warnOfTlsFiles(tls, username !== '', context, (name, said) => warn(['distributed', 'tls', name], said));
  const isOpen = (url: string) => url.startsWith('http:') && !isPrivate(new URL(url).hostname);
  if (username !== '' && etcd_endpoints.some(isOpen))
    warn(['distributed', 'password'], 'goes to etcd in clear text: use `https` URLs');
}

/** Of this machine alone. */
const isPrivate = (host: string): boolean => /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(host);

type Places = Pick<NamedUpstream, 'path'> & { readonly value: Pick<UpstreamEntry, 'endpoints'> };

/** Endpoints that only a cluster can find. */
export function checkServices(
  upstreams: readonly Places[],
  distributed: DistributedConfig | null,
  report: Report,
): void {
  if (distributed?.discovers === true) return;
  const cure =
    distributed === null
      ? '`distributed` with `enable: true`'
      : '`distributed.service_discovery.enable: true`';
  for (const { path, value } of upstreams)
    for (const [index, { address }] of (value.endpoints ?? []).entries())
      if ('service' in address.address && !isRecordsName(address.address.service))
        report.problem([...path, 'endpoints', index], `\`${address.name}\` needs ${cure}`);
}

/** What nodes write of themselves is no fragment of a configuration. */
const OWN_KEYS = ['nodes', 'services', 'status', 'health', 'bans'];

function watchPrefixOf(
  { config_manager: manager, prefix }: WrittenDistributed,
  report: Report,
): string | null {
  if (manager?.enable !== true) return null;
  const watchPrefix = manager.watch_prefix ?? `${prefix}/config`;
  const own = OWN_KEYS.map((name) => `${prefix}/${name}/`);
  const other = own.find((each) => each.startsWith(`${watchPrefix}/`) || `${watchPrefix}/`.startsWith(each));
  if (other !== undefined)
    report.problem(
      ['distributed', 'config_manager', 'watch_prefix'],
      `\`${watchPrefix}/\` and \`${other}\`, where nodes write, have keys in common: write \`${prefix}/config\``,
    );
  return watchPrefix;
}
