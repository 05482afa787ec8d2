/** Upstreams and protocols as the control interface lists them. */
import type { EndpointHealth, ProtocolStatus, UpstreamStatus } from '../../admin/control.js';
import { hostPort } from '../../base/address.js';
import { WHOLE_SHARE } from '../../health/table.js';
import { cellOf } from '../../metrics/cells.js';
import type { Totals } from '../../metrics/totals.js';
import type { SocketAddress } from '../../model/address.js';
import type { Config, TargetConfig } from '../../model/config.js';
import { configuredUpstreams } from '../../model/configured-upstreams.js';
import type { HealthStatus } from '../../model/health-status.js';
import { NONE } from '../../model/ids.js';
import type { AddressText } from '../../model/session.js';
import { signatureWords } from '../../protocols/words.js';
import { originsOf } from '../../providers/origins.js';
import { truthOf } from '../endpoint-truth.js';
import type { OperationsSource } from './source.js';

export function upstreamsOf(source: OperationsSource): UpstreamStatus[] {
  const plan = source.plan();
  const configured = configuredWeights(source.settings.current.config);
  const sessions = sessionsByEndpoint(source.totals());
  const origins = new Map(source.contributed().flatMap((each) => [...originsOf(each)]));
  return configuredUpstreams(plan).map(({ name: upstream, handler, options, endpoints }, index) => ({
    name: upstream,
    handler,
    balance: options.balance,
    from: origins.get(upstream)?.from ?? null,
    endpoints: endpoints.map((endpoint, at) => {
      const { name, addresses, weight, backup, state } = endpoint;
      const id = plan.ids.endpoints[index]?.[at] ?? NONE;
      const health = source.healthOf(id);
      return {
        name,
        from: origins.get(upstream)?.endpoints.get(name) ?? null,
        addresses: addresses.map(addressText),
        weight,
        configuredWeight: configured.get(upstream)?.get(name) ?? weight,
        backup,
        state,
        ...truthOf(endpoint, health),
        health: healthText(health),
        sessions: sessions.get(id) ?? 0,
      };
    }),
  }));
}

function healthText(health: HealthStatus | null): EndpointHealth {
  const last = health?.lastCheck ?? null;
  return {
    check: health?.check ?? null,
    since: health?.since?.toISOString() ?? null,
    lastCheck: last && { ...last, at: last.at.toISOString(), tookMs: Math.round(last.tookMs * 10) / 10 },
    ejectedUntil: health?.ejectedUntil?.toISOString() ?? null,
    asks: health?.asks ?? 'ready',
    sharePercent: Math.round((100 * (health?.share ?? WHOLE_SHARE)) / WHOLE_SHARE),
  };
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

export const protocolsOf = ({ protocols }: Config): ProtocolStatus[] =>
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
