/** A Plan prepared for use: classifiers built, routes indexed, balancers created, dials numbered. */
import { type Classifier, type EngineDial, type EngineTables, native } from '../addon.js';
import type { FailureFields } from '../base/failure.js';
import type { LogLine } from '../base/log.js';
import { parseNetworks, UNIX_PEERS } from '../base/network.js';
import type { LocalCode } from '../base/user-module.js';
import { type Handler, loadHandler } from '../handlers/index.js';
import type { WorkerCounters } from '../metrics/counters.js';
import { NONE } from '../model/ids.js';
import type { Plan, PlanProtocol, PlanUpstream } from '../model/plan.js';
import type { NamedRecognizer } from '../protocols/index.js';
import { loadRecognizer, orderOf } from '../protocols/planned.js';
import { settlesQuietly } from '../protocols/settlement.js';
import { createNaming } from '../routing/naming.js';
import { createRouteTable, type RouteTable } from '../routing/table.js';
import { createUpstream, type Loads, type Upstream } from '../upstream/upstream.js';
import type { ClassifierOf } from './classifiers.js';
import { PlanCounts } from './plan-counts.js';

export interface RuntimeUpstream {
  readonly plan: PlanUpstream;
  readonly balancer: Upstream;
  /** By endpoint and address: index into the engine's dials. */
  readonly dials: readonly (readonly number[])[];
  readonly handler: Handler | null;
}

export interface Runtime {
  readonly plan: Plan;
  readonly counts: PlanCounts;
  readonly tables: EngineTables;
  readonly routes: RouteTable;
  readonly protocols: readonly NamedRecognizer[];
  readonly upstreams: readonly RuntimeUpstream[];
  /** The facts of every session are needed, by the access log or an in-process handler. */
  readonly showsFacts: boolean;
  /** By listener: index in its classifier → index into `protocols`. */
  readonly order: readonly (readonly number[])[];
  /** By listener and classifier index: whether silence confirms the protocol. */
  readonly settlesQuietly: readonly (readonly boolean[])[];
}

/** Objects that outlive a Plan. */
export interface Surroundings {
  readonly counters: WorkerCounters;
  readonly random: () => number;
  readonly loads: Loads;
  readonly classifierOf: ClassifierOf;
  /** Logs failures of configured code (handlers, validators), rate-limited. */
  readonly complain: LogLine;
  /** Functions that Plans name; absent on a thread of its own. */
  readonly local?: LocalCode;
}

/** Rejects when an in-process handler or a validator can not be loaded. */
export async function createRuntime(plan: Plan, around: Surroundings): Promise<Runtime> {
  const dials: EngineDial[] = [];
  const counts = new PlanCounts(around.counters, plan.ids);
  const upstreams = await Promise.all(
    plan.upstreams.map((upstream, index) =>
      prepare(upstream, plan.ids.endpoints[index] ?? [], dials, around),
    ),
  );
  const protocols = await Promise.all(
    plan.protocols.map((protocol, index) => recognizerOf(protocol, index, counts, around)),
  );
  const order = plan.listeners.map(({ protocols }) => orderOf(protocols, plan.protocols.length));
  return {
    plan,
    counts,
    tables: { ...tablesOf(plan, order, counts, around), dials },
    routes: createRouteTable(plan),
    protocols,
    upstreams,
    showsFacts: plan.accessLog.enabled || upstreams.some(({ handler }) => handler !== null),
    order,
    settlesQuietly: order.map((positions, listener) => {
      const ranked = positions.map((index) => protocols[index] as NamedRecognizer);
      const accepted = plan.listeners[listener]?.protocols.length ?? 0;
      return ranked.map((_, position) => settlesQuietly(ranked, accepted, position));
    }),
  };
}

function recognizerOf(
  protocol: PlanProtocol,
  index: number,
  counts: PlanCounts,
  { complain, local }: Surroundings,
): Promise<NamedRecognizer> {
  const failed = (failure: FailureFields) => {
    counts.counters.add('anyport_validator_failures_total', counts.protocolRow(index));
    complain({ protocol: protocol.id, ...failure }, 'validator failed');
  };
  if (local !== undefined) return loadRecognizer(protocol, failed, { local });
  const thread = { cpuMs: native.threadCpuMs, runMicrotasks: native.runMicrotasks };
  return loadRecognizer(protocol, failed, { thread });
}

async function prepare(
  plan: PlanUpstream,
  ids: readonly number[],
  dials: EngineDial[],
  { random, loads, local }: Surroundings,
): Promise<RuntimeUpstream> {
  const numbered = plan.endpoints.map((endpoint) =>
    endpoint.addresses.map((address) => dials.push({ address, options: plan.options }) - 1),
  );
  const handler = plan.handler === null ? null : await loadHandler(plan.handler, local);
  return { plan, balancer: createUpstream(plan, ids, random, loads), dials: numbered, handler };
}

function tablesOf(
  plan: Plan,
  order: readonly (readonly number[])[],
  counts: PlanCounts,
  { classifierOf }: Surroundings,
): Omit<EngineTables, 'dials'> {
  const classifiers: Classifier[] = [];
  const known = new Map<string, number>();
  const classifierAt = (listener: number): number => {
    const protocols = order[listener] ?? [];
    const routable = plan.listeners[listener]?.protocols.length ?? 0;
    const key = `${protocols.join()} ${routable}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const ranked = protocols.map((index) => plan.protocols[index] as PlanProtocol);
    const index = classifiers.push(classifierOf(ranked, routable)) - 1;
    known.set(key, index);
    return index;
  };
  const { limits } = plan;
  const namingMsOf = createNaming(plan);
  return {
    generation: plan.generation,
    identifyTimeoutMs: limits.identifyTimeoutMs,
    identifyMinBytes: limits.identifyMinBytes,
    identifyMaxBytes: limits.identifyMaxBytes,
    dialTimeoutMs: limits.dialTimeoutMs,
    idleTimeoutMs: limits.idleTimeoutMs,
    halfCloseTimeoutMs: limits.halfCloseTimeoutMs,
    maxConnections: limits.maxConnections,
    longOpeningsPerSource: limits.longOpeningsPerSource,
    listeners: plan.listeners.map(({ onSilence, onUnknown, proxyProtocol }, index) => ({
      classifier: classifierAt(index),
      id: plan.ids.listeners[index] ?? NONE,
      ...counts.listenerRows(index),
      silenceMs: onSilence?.afterMs ?? 0,
      // If `on_unknown` leads to an upstream, do not delay the session for its name.
      nameUnrouted: onUnknown.kind === 'end',
      namingMs: namingMsOf(index),
      trustedProxies: parseNetworks(proxyProtocol?.trusted ?? []),
      trustsUnix: proxyProtocol?.trusted.includes(UNIX_PEERS) ?? false,
    })),
    classifiers,
  };
}
