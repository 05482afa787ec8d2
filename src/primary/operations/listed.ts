/** Upstreams and protocols as the control interface lists them. */
import type { EndpointHealth, ProtocolStatus, RouteStatus, UpstreamStatus } from '../../admin/control.js';
import { hostPort } from '../../base/address.js';
import { upstreamOrigins } from '../../config/upstream-origins.js';
import { WHOLE_SHARE } from '../../health/table.js';
import { cellOf } from '../../metrics/cells.js';
import type { Totals } from '../../metrics/totals.js';
import type { SocketAddress } from '../../model/address.js';
import type { Config, TargetConfig } from '../../model/config.js';
import { configuredUpstreams } from '../../model/configured-upstreams.js';
import type { HealthStatus } from '../../model/health-status.js';
import { NONE } from '../../model/ids.js';
import type { Origin, Origins } from '../../model/origins.js';
import type { Plan, PlanTarget } from '../../model/plan.js';
import type { AddressText } from '../../model/session.js';
import { signatureWords } from '../../protocols/words.js';
import { truthOf } from '../endpoint-truth.js';
import type { OperationsSource } from './source.js';

export function upstreamsOf(source: OperationsSource): UpstreamStatus[] {
  const plan = source.plan();
  const configured = configuredWeights(source.settings.current.config);
  const sessions = sessionsByEndpoint(source.totals());
  const upstreams = configuredUpstreams(plan);
  const origins = upstreamOrigins(upstreams, source.settings.current.config.origins);
  return upstreams.map(({ name: upstream, handler, options, endpoints }, index) => ({
    name: upstream,
    handler,
    balance: options.balance,
    from: origins[index]?.from ?? null,
    endpoints: endpoints.map((endpoint, at) => {
      const { name, addresses, weight, backup, state } = endpoint;
      const id = plan.ids.endpoints[index]?.[at] ?? NONE;
      const health = source.healthOf(id);
      return {
        name,
        from: origins[index]?.endpoints[at]?.from ?? null,
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

export function protocolsOf({ protocols, origins }: Config): ProtocolStatus[] {
  const from = fromsOf(origins, 'protocol', ({ name }) => name.toLowerCase());
  return protocols.map(({ name, id, priority, target, signature, validator }, index) => ({
    name,
    id,
    rank: index + 1,
    priority,
    builtIn: signature === null,
    target: target && targetText(target),
    signature: signatureWords(id, signature, validator !== null),
    from: from.get(name.toLowerCase()) ?? null,
  }));
}

/** By their names in a Plan. */
export function routesOf({ routes, upstreams }: Plan, { origins }: Config): RouteStatus[] {
  const from = new Map([
    ...fromsOf(origins, 'route', ({ name }) => name),
    ...fromsOf(origins, 'protocol', ({ name }) => `protocols.${name}`),
    ...fromsOf(origins, 'forward', (_, index) => `forwards[${index}]`),
  ]);
  const targetOf = (to: PlanTarget) => {
    if (to.kind === 'end') return to.closing;
    return to.kind === 'proxy' ? null : (upstreams[to.upstream]?.name ?? null);
  };
  return routes.map(({ name, to }) => ({ name, target: targetOf(to), from: from.get(name) ?? null }));
}

const fromsOf = (
  origins: Origins,
  kind: Origin['kind'],
  keyOf: (origin: Origin, index: number) => string,
): Map<string, string | null> =>
  new Map(origins.filter((each) => each.kind === kind).map((each, index) => [keyOf(each, index), each.from]));

const targetText = (target: TargetConfig): string =>
  target.kind === 'end' ? target.closing : target.upstream;
