/** What the control interface sees and does, in terms of the daemon's parts. */
import type { Operations } from '../../admin/control.js';
import { veilSecrets } from '../../config/secrets.js';
import { configuredUpstreams } from '../../model/configured-upstreams.js';
import type { ProtocolEdit } from '../protocol-edits.js';
import { diff, edit, replaceConfig, tagOf } from './changes.js';
import { protocolsOf, routesOf, upstreamsOf } from './listed.js';
import type { OperationsSource } from './source.js';
import { drainOf, statusOf } from './status.js';

export function createOperations(source: OperationsSource): Operations {
  const { version, settings, metrics } = source;
  const protocolEdit = (wanted: ProtocolEdit) => unlessDraining(source, () => edit(settings, wanted));
  return {
    version,
    metrics,
    health: () => source.health(),
    status: () => statusOf(source),
    config() {
      const { document } = settings.current;
      return { document: veilSecrets(document), tag: tagOf(document) };
    },
    replaceConfig: (document, ifTag) =>
      unlessDraining(source, () => replaceConfig(settings, document, ifTag)),
    diff: (document) => diff(source, document),
    reload: () => unlessDraining(source, () => settings.reload('admin')),
    drain() {
      source.requestDrain();
      return drainOf(source);
    },
    sessions: (query) => source.sessions.list(query),
    endSession: (id) => source.sessions.end(id),
    kcpLinks: (limit) => source.sessions.links(limit),
    bans: (limit) => source.bans.list(limit),
    ban: (request) => source.bans.ban(request),
    liftBan: (ip) => source.bans.lift(ip),
    upstreams: () => upstreamsOf(source),
    async overrideEndpoint(upstream, endpoint, change) {
      const known = configuredUpstreams(source.plan()).find(({ name }) => name === upstream);
      const isThere = known?.endpoints.some(({ name }) => name === endpoint) ?? false;
      if (!isThere) return null;
      const changed = await source.override(upstream, endpoint, change);
      if (changed.result === 'applied') source.info({ upstream, endpoint, ...change }, 'endpoint set');
      return changed;
    },
    protocols: () => protocolsOf(settings.current.config),
    routes: () => routesOf(source.plan(), settings.current.config),
    addProtocol: (entry) => protocolEdit({ kind: 'add', entry }),
    replaceProtocol: (name, entry, how) => protocolEdit({ kind: how, name, entry }),
    removeProtocol: (name) => protocolEdit({ kind: 'remove', name }),
  };
}

/** What the settings refuse then is no fault of a configuration. */
async function unlessDraining<Result>(
  source: OperationsSource,
  change: () => Promise<Result>,
): Promise<Result | { readonly result: 'called_off' }> {
  return source.health().status === 'draining' ? { result: 'called_off' } : change();
}
