/** What the control interface sees and does, in terms of the daemon's parts. */
import { createHash } from 'node:crypto';
import type {
  DiffResult,
  DrainStarted,
  EditResult,
  Health,
  LastChangeStatus,
  Operations,
  ProtocolStatus,
  Status,
  UpstreamStatus,
} from '../admin/control.js';
import { hostPort } from '../base/address.js';
import type { LogLine } from '../base/log.js';
import { unveilSecrets, veilSecrets } from '../config/secrets.js';
import { cellOf } from '../metrics/cells.js';
import type { MetricsText } from '../metrics/registry.js';
import type { Totals } from '../metrics/totals.js';
import type { SocketAddress } from '../model/address.js';
import type { Config, Document, ServerConfig, TargetConfig } from '../model/config.js';
import type { DiffItem } from '../model/diff.js';
import { NONE } from '../model/ids.js';
import type { EndpointOverride } from '../model/overrides.js';
import type { Plan } from '../model/plan.js';
import type { AddressText } from '../model/session.js';
import type { LiveCounts } from '../model/session-list.js';
import type { LastChange, Settings } from '../model/settings.js';
import type { Snapshot } from '../model/snapshot.js';
import type { LiveSessions } from '../plane/sessions.js';
import { signatureWords } from '../protocols/words.js';
import { editProtocols, type ProtocolEdit } from './protocol-edits.js';
import type { Changed } from './reconfiguration.js';

export interface OperationsSource {
  readonly version: string;
  readonly startedAt: Date;
  readonly settings: Settings;
  readonly metrics: MetricsText;
  health(): Health;
  /** In force. */
  plan(): Plan;
  snapshot(): Snapshot;
  totals(): Totals;
  readonly sessions: Pick<LiveSessions, 'list' | 'count' | 'end'>;
  override(upstream: string, endpoint: string, change: Partial<EndpointOverride>): Promise<Changed>;
  /** In force. */
  server(): Pick<ServerConfig, 'drainDelayMs' | 'gracefulShutdownTimeoutMs'>;
  requestDrain(): boolean;
  readonly info: LogLine;
}

/** Problems of the last refused change that the status shows. */
const PROBLEMS_SHOWN_MAX = 100;

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
    upstreams: () => upstreamsOf(source),
    async overrideEndpoint(upstream, endpoint, change) {
      const known = source.plan().upstreams.find(({ name }) => name === upstream);
      const isThere = known?.endpoints.some(({ name }) => name === endpoint) ?? false;
      if (!isThere) return null;
      const changed = await source.override(upstream, endpoint, change);
      if (changed.result === 'applied') source.info({ upstream, endpoint, ...change }, 'endpoint set');
      return changed;
    },
    protocols: () => protocolsOf(settings.current.config),
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

function statusOf(source: OperationsSource): Status {
  const { version, startedAt, settings } = source;
  const { name, changedAt } = settings.current;
  const health = source.health();
  const snapshot = source.snapshot();
  return {
    version,
    pid: process.pid,
    startedAt: startedAt.toISOString(),
    uptimeSeconds: Math.round((Date.now() - startedAt.getTime()) / 100) / 10,
    status: health.status,
    listeners: health.listeners,
    config: { name, changedAt: new Date(changedAt).toISOString() },
    lastChange: settings.last && lastChangeOf(settings.last),
    drain: health.status === 'draining' ? drainOf(source) : null,
    ...snapshot,
  };
}

function drainOf(source: OperationsSource): DrainStarted {
  const { drainDelayMs: delayMs, gracefulShutdownTimeoutMs: deadlineMs } = source.server();
  return { sessions: source.snapshot().activeConnections, delayMs, deadlineMs };
}

function lastChangeOf({ cause, at, result }: LastChange): LastChangeStatus {
  const problems = result.result === 'refused' ? result.problems.slice(0, PROBLEMS_SHOWN_MAX) : [];
  return { cause, at: new Date(at).toISOString(), result: result.result, problems };
}

/** An entity tag: RFC 9110 section 8.8.3. */
const tagOf = (document: Document): string =>
  `"${createHash('sha256').update(JSON.stringify(document)).digest('hex').slice(0, 32)}"`;

/** RFC 9110 section 13.1.1: a list of tags, or `*`. */
const isTagged = (document: Document, ifTag: string): boolean =>
  ifTag.trim() === '*' || ifTag.split(',').some((tag) => tag.trim() === tagOf(document));

async function replaceConfig(
  settings: Settings,
  document: Document,
  ifTag: string | null,
): Promise<EditResult> {
  const unveiled = unveilSecrets(document, settings.current.document);
  if (unveiled.problems.length > 0) return { result: 'refused', problems: unveiled.problems };
  if (ifTag === null) return settings.replace(unveiled.document, 'admin');
  // As an edit, because the tag is compared when it is this change's turn.
  let isStale = false;
  const result = await settings.edit((running) => {
    isStale = !isTagged(running, ifTag);
    return isStale ? running : unveiled.document;
  }, 'admin');
  return isStale ? { result: 'changed_meanwhile' } : result;
}

async function diff({ settings, sessions }: OperationsSource, document: Document): Promise<DiffResult> {
  const unveiled = unveilSecrets(document, settings.current.document);
  if (unveiled.problems.length > 0) return { ok: false, problems: unveiled.problems };
  const found = await settings.diff(unveiled.document);
  if (!found.ok) return found;
  const counts = await sessions.count();
  return { ok: true, items: found.diff.map((item) => ({ ...item, sessions: liveSessions(item, counts) })) };
}

function liveSessions({ kind, name, upstream }: DiffItem, counts: LiveCounts): number | null {
  switch (kind) {
    case 'setting':
      return null;
    case 'listener':
      return counts.listeners.get(name) ?? 0;
    case 'protocol':
      return counts.protocols.get(name.toLowerCase()) ?? 0;
    case 'route':
      return counts.routes.get(name) ?? 0;
    case 'upstream':
      return counts.upstreams.get(name) ?? 0;
    case 'endpoint':
      return counts.endpoints.get(`${upstream} ${name}`) ?? 0;
  }
}

async function edit(settings: Settings, wanted: ProtocolEdit): Promise<EditResult> {
  let fault: 'exists' | 'missing' | null = null;
  const result = await settings.edit((running) => {
    const edited = editProtocols(running, wanted);
    if (typeof edited !== 'string') return edited;
    fault = edited;
    return running;
  }, 'admin');
  return fault === null ? result : { result: fault };
}

function upstreamsOf(source: OperationsSource): UpstreamStatus[] {
  const { upstreams, ids } = source.plan();
  const configured = configuredWeights(source.settings.current.config);
  const sessions = sessionsByEndpoint(source.totals());
  return upstreams.map(({ name: upstream, handler, options, endpoints }, index) => ({
    name: upstream,
    handler,
    balance: options.balance,
    endpoints: endpoints.map(({ name, addresses, weight, backup, state }, at) => ({
      name,
      addresses: addresses.map(addressText),
      weight,
      configuredWeight: configured.get(upstream)?.get(name) ?? weight,
      backup,
      state,
      sessions: sessions.get(ids.endpoints[index]?.[at] ?? NONE) ?? 0,
    })),
  }));
}

/** By endpoint id. */
const sessionsByEndpoint = ({ upstream_endpoint: rows }: Totals): Map<number, number> =>
  new Map(rows.map(({ second, cells }) => [second, cells[cellOf.anyport_endpoint_sessions] ?? 0]));

const configuredWeights = ({ upstreams }: Config): Map<string, Map<string, number>> =>
  new Map(
    upstreams.map(({ name, endpoints }) => [
      name,
      new Map(endpoints.map((each) => [each.name, each.weight])),
    ]),
  );

function addressText(address: SocketAddress): AddressText {
  if ('path' in address) return `unix:${address.path}`;
  return hostPort(address.host, address.port);
}

const protocolsOf = ({ protocols }: Config): ProtocolStatus[] =>
  protocols.map(({ name, id, priority, target, signature, validator }, index) => ({
    name,
    id,
    rank: index + 1,
    priority,
    builtIn: signature === null,
    target: target && targetText(target),
    signature: signatureWords(id, signature, validator !== null),
  }));

const targetText = (target: TargetConfig): string =>
  target.kind === 'end' ? target.closing : target.upstream;
