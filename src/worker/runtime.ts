/** A Plan prepared for use: classifiers built, routes indexed, balancers created, dials numbered. */
import {
  type Classifier,
  type EngineDials,
  type EngineTables,
  type EngineUdp,
  type EngineWarmed,
  native,
  type TlsClient,
} from '../addon.js';
import type { FailureFields } from '../base/failure.js';
import type { LogLine } from '../base/log.js';
import { parseNetworks, UNIX_PEERS } from '../base/network.js';
import { loopClock, Slices, servingClock } from '../base/slices.js';
import { expectTexts, type LocalCode } from '../base/user-module.js';
import { type Handler, loadHandler } from '../handlers/index.js';
import { engineProfile } from '../kcp/engine-profile.js';
import type { WorkerCounters } from '../metrics/counters.js';
import type { Ask } from '../model/facts.js';
import { NONE } from '../model/ids.js';
import type { WorkerSettings } from '../model/message.js';
import type { Plan, PlanForm, PlanProtocol, PlanRoute, PlanUpstream } from '../model/plan.js';
import type { Transport } from '../model/protocol.js';
import { takesDatagrams } from '../model/transports.js';
import type { NamedRecognizer } from '../protocols/index.js';
import { formOf, type LoadedProtocol, loadProtocol, orderOf } from '../protocols/planned.js';
import { settlesQuietly } from '../protocols/settlement.js';
import type { AwaitsFacts } from '../routing/at-accept.js';
import { createNaming } from '../routing/naming.js';
import { prepareRoute } from '../routing/prepared.js';
import { type RouteTable, tableOf } from '../routing/table.js';
import { interleaved } from '../upstream/families.js';
import { type Around, takesSessions, Upstream } from '../upstream/upstream.js';
import { asksThrough, placeOf } from '../via/index.js';
import type { DialRange } from './answers.js';
import { defaultAuthorities } from './authorities.js';
import type { ClassifierOf } from './classifiers.js';
import { PlanCounts } from './plan-counts.js';
import { tellsFacts } from './preamble.js';
import { type ForwardProxy, prepareProxy } from './proxy.js';

/**
 * What is left of a Plan when it is prepared. Long sessions keep it: without automata, which the classifiers have taken
 * over, the conditions that the route table has, and the texts of modules that are loaded.
 */
export interface KeptPlan
  extends Pick<
    Plan,
    'generation' | 'listeners' | 'upstreams' | 'kcp' | 'connectProxy' | 'ids' | 'accessLog'
  > {
  readonly routes: readonly Pick<PlanRoute, 'name'>[];
}

export interface RuntimeUpstream {
  readonly plan: PlanUpstream;
  readonly balancer: Upstream;
  /** By endpoint: its addresses among the engine's dials. */
  readonly dials: readonly DialRange[];
  /** By endpoint: what the proxies on the way to it are asked; empty: there are none. */
  readonly ways: readonly (readonly Ask[])[];
  readonly handler: Handler | null;
}

export interface Runtime {
  readonly plan: KeptPlan;
  readonly counts: PlanCounts;
  readonly routes: RouteTable;
  readonly protocols: readonly LoadedProtocol[];
  readonly upstreams: readonly RuntimeUpstream[];
  /** The facts of every session are needed, by the access log, an in-process handler or a PROXY header. */
  readonly showsFacts: boolean;
  /** An upstream knows its clients by facts. */
  readonly balancesByFacts: boolean;
  readonly orders: Orders;
  /** Null: the Plan has none. */
  readonly proxy: ForwardProxy | null;
  /** By listener and index in its classifier of streams: whether silence confirms the protocol. */
  readonly settlesQuietly: readonly (readonly boolean[])[];
}

/** By transport and listener: index in the classifier → index into `protocols`. */
export type Orders = Readonly<Record<Transport, readonly (readonly number[])[]>>;

export interface PreparedRuntime {
  readonly runtime: Runtime;
  /** For the engine, which copies them. */
  readonly tables: EngineTables;
}

/** Objects that outlive a Plan. */
export interface Surroundings {
  readonly counters: WorkerCounters;
  readonly balancing: Around;
  readonly classifierOf: ClassifierOf;
  readonly own: WorkerSettings['own'];
  /** This worker's part of a number that is for all of them; by endpoint, so that others have what is left over of the next. */
  readonly share: (whole: number, endpoint: number) => number;
  /** The Plan in force, if any: where its balancers stand goes on. */
  readonly before?: Runtime | undefined;
  /** Logs failures of configured code (handlers, validators), rate-limited. */
  readonly complain: LogLine;
  /** Functions that Plans name; absent on a thread of its own. */
  readonly local?: LocalCode;
}

/**
 * In slices, between which the thread goes on with its sessions. Rejects when an in-process handler or a validator can not
 * be loaded.
 */
export async function createRuntime(plan: Plan, around: Surroundings): Promise<PreparedRuntime> {
  expectTexts(plan.modules ?? {});
  const slices = new Slices(around.before === undefined ? loopClock : servingClock);
  const { dials, ranges } = await numberDials(plan.upstreams, slices);
  const counts = new PlanCounts(around.counters, plan.ids, plan.upstreams);
  const before = upstreamsOf(around.before);
  const upstreams = await slices.map(plan.upstreams, (upstream, index) =>
    prepare(upstream, index, plan, ranges[index] ?? [], before, around),
  );
  const protocols = await slices.map(plan.protocols, (protocol, index) =>
    loadedProtocol(protocol, index, counts, around),
  );
  const orders = {
    tcp: await slices.map(plan.listeners, (listener) => orderOf(listener.protocols, plan.protocols, 'tcp')),
    udp: await slices.map(plan.listeners, (listener) =>
      orderOf(listener.datagramProtocols, plan.protocols, 'udp'),
    ),
  };
  const routes = tableOf(plan, await slices.map(plan.routes, prepareRoute), awaitsFactsOf(upstreams));
  const warmed = await slices.map(plan.upstreams, (_, index) =>
    warmedOf(plan, index, upstreams, around.share),
  );
  const tables = {
    ...(await tablesOf(plan, orders, routes, counts, around, slices)),
    dials,
    warmed: warmed.flat(),
  };
  const runtime: Runtime = {
    plan: keptOf(plan),
    counts,
    routes,
    protocols,
    upstreams,
    showsFacts:
      plan.accessLog.enabled || upstreams.some((each) => each.handler !== null || tellsFacts(each.plan)),
    balancesByFacts: upstreams.some(({ balancer }) => balancer.readsFacts),
    orders,
    proxy: plan.connectProxy && prepareProxy(plan.connectProxy, around.own, plan.limits.cacheTtlMs),
    settlesQuietly: await slices.map(orders.tcp, (positions, listener) => {
      const ranked = positions.map((index) => protocols[index]?.tcp as NamedRecognizer);
      const accepted = plan.listeners[listener]?.protocols.length ?? 0;
      return ranked.map((_, position) => settlesQuietly(ranked, accepted, position));
    }),
  };
  await slices.breathe();
  return { runtime, tables };
}

/** Made apart: the table of routes keeps it, and with a closure of createRuntime all Plans before would be kept, too. */
function awaitsFactsOf(upstreams: readonly RuntimeUpstream[]): AwaitsFacts {
  const reading = upstreams.map(({ balancer, plan }) => balancer.readsFacts || tellsFacts(plan));
  return (to) => to.kind === 'upstream' && (reading[to.upstream] ?? false);
}

function keptOf(plan: Plan): KeptPlan {
  const { generation, listeners, upstreams, kcp, connectProxy, ids, accessLog, routes } = plan;
  return {
    generation,
    listeners,
    upstreams,
    kcp,
    connectProxy,
    ids,
    accessLog,
    routes: routes.map(({ name }) => ({ name })),
  };
}

/** By id. */
const upstreamsOf = (before: Runtime | undefined): ReadonlyMap<number, RuntimeUpstream> =>
  new Map(before?.upstreams.map((upstream, index) => [before.plan.ids.upstreams[index] as number, upstream]));

function loadedProtocol(
  protocol: PlanProtocol,
  index: number,
  counts: PlanCounts,
  { complain, local }: Surroundings,
): Promise<LoadedProtocol> {
  const failed = (failure: FailureFields) => {
    counts.counters.add('anyport_validator_failures_total', counts.protocolRow(index));
    complain({ protocol: protocol.id, ...failure }, 'validator failed');
  };
  if (local !== undefined) return loadProtocol(protocol, failed, { local });
  const thread = { cpuMs: native.threadCpuMs, runMicrotasks: native.runMicrotasks };
  return loadProtocol(protocol, failed, { thread });
}

async function prepare(
  upstream: PlanUpstream,
  index: number,
  { ids, limits }: Plan,
  dials: readonly DialRange[],
  before: ReadonlyMap<number, RuntimeUpstream>,
  { balancing, local }: Surroundings,
): Promise<RuntimeUpstream> {
  const handler = upstream.handler === null ? null : await loadHandler(upstream.handler, local);
  const id = ids.upstreams[index] as number;
  const planned = { plan: upstream, id, ids: ids.endpoints[index] ?? [], affinityMs: limits.cacheTtlMs };
  const known = before.get(id)?.balancer;
  const balancer = known?.isOf(planned) ? known : new Upstream(planned, balancing, known);
  return { plan: upstream, balancer, dials, ways: waysOf(upstream), handler };
}

function waysOf({ via, endpoints }: PlanUpstream): readonly (readonly Ask[])[] {
  return via === null ? [] : endpoints.map(({ name }) => asksThrough(via.hops, placeOf(name)));
}

/** What the engine dials, and where among it the addresses of each endpoint are. */
async function numberDials(
  upstreams: readonly PlanUpstream[],
  slices: Slices,
): Promise<{ readonly dials: EngineDials[]; readonly ranges: DialRange[][] }> {
  let next = 0;
  const rangeOf = (count: number): DialRange => {
    next += count;
    return { first: next - count, count };
  };
  return {
    dials: await slices.map(upstreams, ({ endpoints, options }) => ({
      addresses: endpoints.flatMap(({ addresses }) => interleaved(addresses)),
      options,
    })),
    ranges: await slices.map(upstreams, ({ endpoints }) =>
      endpoints.map(({ addresses }) => rangeOf(addresses.length)),
    ),
  };
}

/** The endpoints of an upstream to which connections are opened ahead: those that new sessions may go to. */
function warmedOf(
  { upstreams, ids }: Plan,
  index: number,
  runtimes: readonly RuntimeUpstream[],
  share: Surroundings['share'],
): EngineWarmed[] {
  const planned = upstreams[index];
  const { warm, max_idle: maxIdleMs } = planned?.options.pool ?? NO_POOL;
  const ranges = runtimes[index]?.dials ?? [];
  return ranges.flatMap(({ first, count }, at) => {
    const endpoint = ids.endpoints[index]?.[at];
    const place = planned?.endpoints[at];
    if (endpoint === undefined || place === undefined || !takesSessions(place) || count === 0) return [];
    const most = share(warm, endpoint);
    return most === 0 ? [] : [{ endpoint, upstream: index, first, count, most, maxIdleMs }];
  });
}

const NO_POOL = { warm: 0, max_idle: 0 };

async function tablesOf(
  plan: Plan,
  orders: Orders,
  routes: RouteTable,
  counts: PlanCounts,
  { classifierOf }: Surroundings,
  slices: Slices,
): Promise<Omit<EngineTables, 'dials' | 'warmed'>> {
  const classifiers: Classifier[] = [];
  const known = new Map<string, number>();
  const classifierAt = (listener: number, routable: number, transport: Transport): number => {
    const protocols = orders[transport][listener] ?? [];
    const key = `${transport} ${protocols.join()} ${routable}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const ranked = protocols.map(
      (index) => formOf(plan.protocols[index] as PlanProtocol, transport) as PlanForm,
    );
    const index = classifiers.push(classifierOf(ranked, routable)) - 1;
    known.set(key, index);
    return index;
  };
  const { limits } = plan;
  const namingMsOf = createNaming(plan);
  const secured = await tlsClientsOf(plan.upstreams);
  return {
    generation: plan.generation,
    identifyTimeoutMs: limits.identifyTimeoutMs,
    identifyMinBytes: limits.identifyMinBytes,
    identifyMaxBytes: limits.identifyMaxBytes,
    maxConnections: limits.maxConnections,
    flowsMax: limits.flows.max,
    flowsPerSource: limits.flows.perSource,
    tarpitMax: limits.tarpitMax,
    tarpitHoldMs: limits.tarpitHoldMs,
    longOpeningsPerSource: limits.longOpeningsPerSource,
    admission: limits.admission,
    listeners: await slices.map(
      plan.listeners,
      ({ onSilence, onUnknown, proxyProtocol, maxConnections, ...listener }, index) => ({
        classifier: classifierAt(index, listener.protocols.length, 'tcp'),
        datagramClassifier: takesDatagrams(listener)
          ? classifierAt(index, listener.datagramProtocols.length, 'udp')
          : -1,
        id: plan.ids.listeners[index] ?? NONE,
        ...counts.listenerRows(index),
        maxConnections,
        silenceMs: onSilence?.afterMs ?? 0,
        quic: orders.udp[index]?.findIndex((each) => plan.protocols[each]?.id === 'quic') ?? -1,
        // If `on_unknown` leads to an upstream, do not delay the session for its name.
        nameUnrouted: onUnknown.kind === 'end',
        namingMs: namingMsOf(index),
        asksAtAccept: routes.decidesAtAccept(index),
        trustedProxies: parseNetworks(proxyProtocol?.trusted ?? []),
        trustsUnix: proxyProtocol?.trusted.includes(UNIX_PEERS) ?? false,
        kcp: listener.kcp ?? -1,
        kcpOnly: listener.transport === 'kcp',
      }),
    ),
    classifiers,
    kcpProfiles: plan.kcp.map((profile, index) => engineProfile(profile, plan.ids.kcp[index] ?? NONE)),
    upstreams: await slices.map(plan.upstreams, ({ options, kcp }, index) => ({
      id: plan.ids.upstreams[index] ?? NONE,
      row: counts.upstreamRow(index),
      maxConnections: options.max_connections,
      queueLength: options.queue.length,
      queueTimeoutMs: options.queue.timeout,
      dialTimeoutMs: options.dial_timeout ?? limits.dialTimeoutMs,
      idleTimeoutMs: options.idle_timeout ?? limits.idleTimeoutMs,
      halfCloseTimeoutMs: options.half_close_timeout ?? limits.halfCloseTimeoutMs,
      bandwidth: options.bandwidth,
      udp: flowsOf(options.udp, limits),
      quic: {
        follows: options.quic.follow_connection_id,
        idBytes: options.quic.connection_id_length,
      },
      kcp: kcp ?? -1,
      tls: secured.get(index) ?? null,
      endpoints: plan.ids.endpoints[index] ?? [],
    })),
  };
}

/** By upstream, of those whose first proxy is spoken to in TLS. */
async function tlsClientsOf(upstreams: readonly PlanUpstream[]): Promise<ReadonlyMap<number, TlsClient>> {
  const clients = new Map<number, TlsClient>();
  for (const [index, { via }] of upstreams.entries()) {
    if (!via?.tls) continue;
    const { serverName, ca } = via.tls;
    clients.set(index, await native.tlsClient(serverName, ca ?? defaultAuthorities()));
  }
  return clients;
}

const flowsOf = (udp: PlanUpstream['options']['udp'], { flows }: Plan['limits']): EngineUdp => ({
  idleTimeoutMs: udp.idle_timeout ?? flows.idleTimeoutMs,
  responses: udp.responses,
  amplification: udp.amplification,
  onReload: udp.on_reload,
  per: udp.per,
});
