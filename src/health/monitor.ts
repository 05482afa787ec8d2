/**
 * Health of all endpoints, by id, from everything that is known: answers of checks, failures of sessions. The only
 * writer of the table that workers read. Each change is told once.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../base/clock.js';
import { type LogLine, rateLimited } from '../base/log.js';
import { configuredUpstreams } from '../model/configured-upstreams.js';
import type { HealthStatus } from '../model/health-status.js';
import type { EndpointFailures } from '../model/message.js';
import type { Plan } from '../model/plan.js';
import type { HealthCheckOptions, PassiveHealthOptions } from '../model/upstream-options.js';
import { checkOf } from './checks/index.js';
import {
  type EjectionCounts,
  ejected,
  hasFailed,
  mayEject,
  mustReturn,
  neverEjected,
  returned,
  withFailures,
} from './ejection.js';
import { Endpoint } from './endpoint.js';
import { eventsOf, type HealthEvent, newHealth, resettled, step } from './machine.js';
import { Others } from './others.js';
import { probe } from './probe.js';
import { type Answer, Prober, type ProberParts, type ProbeTarget } from './prober.js';
import { type HealthTable, WHOLE_SHARE } from './table.js';
import { targetOf } from './target.js';

export interface MonitorParts {
  readonly clock: Clock;
  /** Date and time, for people. */
  readonly wallMs: () => number;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly table: Pick<HealthTable, 'set'>;
  readonly log: { readonly info: LogLine; readonly warn: LogLine; readonly error: LogLine };
  /** An endpoint is down, or up again, by its check. */
  readonly changed: (change: { upstream: string; endpoint: string; why: string | null }) => void;
  /** Resets the sessions of an endpoint. */
  readonly reset: (endpoint: number) => void;
  /** Default: a real probe. */
  readonly ask?: ProberParts['ask'];
}

export const monitorLimits = {
  /** Lines of each level, all endpoints together. */
  linesPerSecond: 100,
} as const;

/** Upstream, by id: whether any of its endpoints may have sessions. */
type Served = Map<number, boolean>;

export class Monitor {
  /** Called with the id of an endpoint that may have sessions again. */
  readonly onRise: ((endpoint: number) => void)[] = [];
  /** Other nodes of the cluster. */
  readonly others: Others;
  readonly #parts: MonitorParts;
  readonly #prober: Prober;
  readonly #endpoints = new Map<number, Endpoint>();
  #served: Served = new Map();

  constructor(parts: MonitorParts) {
    const { clock, random, log, ask = askReally } = parts;
    const limited = (write: LogLine) => rateLimited(write, monitorLimits.linesPerSecond, () => clock.nowMs());
    this.#parts = {
      ...parts,
      log: {
        info: limited((fields, message) => log.info(fields, message)),
        warn: limited((fields, message) => log.warn(fields, message)),
        error: limited((fields, message) => log.error(fields, message)),
      },
    };
    this.others = new Others({
      endpoints: () => this.#endpoints.values(),
      heard: () => this.#lookWhoIsServed(),
      turn: (endpoint, isOutvoted) => this.#turn(endpoint, isOutvoted),
    });
    this.#prober = new Prober({
      clock,
      random,
      ask,
      answered: (target, answer) => this.#answered(target, answer),
    });
  }

  /** The Plan in force. What is known of endpoints that stay is kept, also when their check is another one. */
  follow(plan: Plan): void {
    const kept = new Set(plan.ids.endpoints.flat());
    for (const [id, endpoint] of this.#endpoints) if (!kept.has(id)) this.#forget(id, endpoint);
    const targets: ProbeTarget[] = [];
    for (const [index, { name: upstream, options, endpoints, via }] of configuredUpstreams(plan).entries()) {
      const upstreamId = plan.ids.upstreams[index] as number;
      for (const [at, planned] of endpoints.entries()) {
        const id = plan.ids.endpoints[index]?.[at] as number;
        const endpoint = this.#known(id, { upstream, upstreamId, name: planned.name });
        this.#settle(endpoint, options.health_check);
        if (options.passive_health === undefined) this.#pardon(endpoint);
        endpoint.plan = planned;
        endpoint.options = options;
        this.others.tell(endpoint);
        if (options.health_check !== undefined)
          targets.push(targetOf({ id, upstream, via }, planned, options.health_check, options));
        this.#publish(endpoint);
      }
    }
    this.#prober.follow(targets);
    this.#recall();
    this.#lookWhoIsServed();
  }

  /** Sessions failed because of these endpoints. */
  failed(failures: EndpointFailures): void {
    for (const [id, count] of failures) {
      const endpoint = this.#endpoints.get(id);
      const settings = endpoint?.options?.passive_health;
      // The sessions of one that is down say nothing new.
      if (endpoint === undefined || settings === undefined || endpoint.isDown) continue;
      endpoint.ejection = withFailures(endpoint.ejection, count, this.#parts.clock.nowMs(), settings);
      if (hasFailed(endpoint.ejection, settings)) this.#eject(endpoint, settings);
    }
  }

  close(): void {
    this.#prober.close();
    for (const endpoint of this.#endpoints.values()) endpoint.cancelReturn();
  }

  /** Part of its weight that counts while it starts slowly, 0..256. */
  setSlowShare(id: number, share: number): void {
    const endpoint = this.#endpoints.get(id);
    if (endpoint === undefined) return;
    endpoint.slowShare = share;
    this.#publish(endpoint);
  }

  /** Null: there is no such endpoint. */
  statusOf(id: number): HealthStatus | null {
    return this.#endpoints.get(id)?.status ?? null;
  }

  /** Answers of checks so far, and how long the last one took. */
  checks(): { upstream: string; endpoint: string; ok: number; failed: number; seconds: number }[] {
    return [...this.#endpoints.values()]
      .filter(({ ok, failed }) => ok + failed > 0)
      .map(({ upstream, name, ok, failed, last }) => ({
        ...{ upstream, endpoint: name, ok, failed },
        seconds: (last?.tookMs ?? 0) / 1000,
      }));
  }

  /** So far, of every endpoint whose sessions count. */
  ejections(): { upstream: string; endpoint: string; count: number }[] {
    return [...this.#endpoints.values()]
      .filter(({ options }) => options?.passive_health !== undefined)
      .map(({ upstream, name, ejections }) => ({ upstream, endpoint: name, count: ejections }));
  }

  #known(id: number, names: { upstream: string; upstreamId: number; name: string }): Endpoint {
    const known = this.#endpoints.get(id);
    if (known !== undefined) return known;
    const made = new Endpoint(id, names, newHealth(this.#parts.clock.nowMs()));
    this.#endpoints.set(id, made);
    return made;
  }

  /** Another check begins with the health that there is; without one nothing speaks against an endpoint. */
  #settle(endpoint: Endpoint, check: HealthCheckOptions | undefined): void {
    const before = endpoint.options?.health_check;
    if (isDeepStrictEqual(before, check)) return;
    const { health } = endpoint;
    const nowMs = this.#parts.clock.nowMs();
    if (check === undefined) endpoint.last = null;
    endpoint.health = check === undefined ? newHealth(nowMs) : resettled(health, before?.type !== check.type);
    const events = eventsOf(health, endpoint.health);
    if (events.length > 0) this.#tell(endpoint, events, null);
  }

  #forget(id: number, endpoint: Endpoint): void {
    endpoint.cancelReturn();
    this.#endpoints.delete(id);
    this.#parts.table.set(id, { up: true, share: WHOLE_SHARE });
  }

  #answered({ id, settings }: ProbeTarget, { outcome, tookMs }: Answer): number {
    const endpoint = this.#endpoints.get(id);
    if (endpoint === undefined) return settings.interval;
    const { clock, random, wallMs } = this.#parts;
    const { health, events, nextMs } = step(endpoint.health, outcome, clock.nowMs(), settings, random);
    const words = (outcome.well ? outcome.note : outcome.why) ?? null;
    endpoint.health = health;
    endpoint.last = { at: new Date(wallMs()), well: outcome.well, words, tookMs };
    if (outcome.well) endpoint.ok += 1;
    else endpoint.failed += 1;
    if (events.length > 0) this.#tell(endpoint, events, words);
    return nextMs;
  }

  /** What has changed takes effect, then it is told. */
  #tell(endpoint: Endpoint, events: readonly HealthEvent[], words: string | null): void {
    const { log, changed, reset, wallMs } = this.#parts;
    const { upstream, name, health } = endpoint;
    const names = { upstream, endpoint: name };
    const downMs = endpoint.changedAt === null ? null : wallMs() - endpoint.changedAt.getTime();
    if (!isDeepStrictEqual(events, ['asked'])) endpoint.changedAt = new Date(wallMs());
    this.#publish(endpoint);
    if (events.includes('down')) {
      const why = endpoint.why ?? words ?? '';
      log.warn({ ...names, check: endpoint.options?.health_check?.type, why }, 'endpoint is down');
      changed({ ...names, why });
      if (endpoint.options?.on_down === 'reset') reset(endpoint.id);
    } else if (events.includes('up')) {
      log.info({ ...names, ...(downMs !== null && { down_ms: downMs }) }, 'endpoint is up');
      if (endpoint.why === null) changed({ ...names, why: null });
    } else if (endpoint.toldAsked !== health.asked) {
      log.info({ ...names, asks: health.asked }, 'endpoint asks for another state');
    }
    endpoint.toldAsked = health.asked;
    this.#recall();
    this.#lookWhoIsServed();
  }

  #eject(endpoint: Endpoint, settings: PassiveHealthOptions): void {
    const { clock, wallMs, log } = this.#parts;
    const { upstream, name } = endpoint;
    if (!mayEject(countsOf(this.#endpointsOf(endpoint.upstreamId)), settings.max_ejected)) return;
    endpoint.ejection = ejected(endpoint.ejection, clock.nowMs(), settings);
    const { lastMs } = endpoint.ejection;
    endpoint.ejections += 1;
    endpoint.ejectedUntil = new Date(wallMs() + lastMs);
    endpoint.changedAt = new Date(wallMs());
    endpoint.cancelReturn = clock.after(lastMs, () => this.#return(endpoint));
    this.#publish(endpoint);
    log.warn(
      { upstream, endpoint: name, for_ms: lastMs },
      'endpoint is ejected: its sessions failed too often',
    );
    this.#parts.changed({ upstream, endpoint: name, why: endpoint.why });
    this.#lookWhoIsServed();
  }

  #return(endpoint: Endpoint): void {
    const { clock, wallMs, log } = this.#parts;
    const { upstream, name } = endpoint;
    endpoint.ejection = returned(endpoint.ejection, clock.nowMs());
    endpoint.ejectedUntil = null;
    if (!endpoint.isDown) endpoint.changedAt = new Date(wallMs());
    this.#publish(endpoint);
    log.info({ upstream, endpoint: name }, 'endpoint is back from its ejection');
    if (endpoint.why === null) this.#parts.changed({ upstream, endpoint: name, why: null });
    this.#lookWhoIsServed();
  }

  /** Where others have gone since, ejections end early: those that would end first. */
  #recall(): void {
    const ejectedNow = [...this.#endpoints.values()].filter(({ isEjected }) => isEjected);
    for (const upstreamId of new Set(ejectedNow.map((each) => each.upstreamId))) {
      const endpoints = this.#endpointsOf(upstreamId);
      const percent = endpoints[0]?.options?.passive_health?.max_ejected ?? 0;
      endpoints
        .filter(({ isEjected, mightTakeSessions }) => isEjected && mightTakeSessions)
        .sort((a, b) => (a.ejection.untilMs ?? 0) - (b.ejection.untilMs ?? 0))
        .slice(0, mustReturn(countsOf(endpoints), percent))
        .forEach((each) => {
          each.cancelReturn();
          this.#return(each);
        });
    }
  }

  #endpointsOf(upstreamId: number): Endpoint[] {
    return [...this.#endpoints.values()].filter((each) => each.upstreamId === upstreamId);
  }

  /** Sessions do not count any more. */
  #pardon(endpoint: Endpoint): void {
    endpoint.cancelReturn();
    if (endpoint.isEjected) this.#return(endpoint);
    endpoint.ejection = neverEjected;
  }

  #publish(endpoint: Endpoint): void {
    const { isUsable, share } = endpoint;
    this.#parts.table.set(endpoint.id, { up: isUsable, share });
    const rises = isUsable && !endpoint.wasUsable;
    endpoint.wasUsable = isUsable;
    if (rises) for (const hook of this.onRise) hook(endpoint.id);
  }

  /** Other nodes take it down, or not any more. Its sessions go on: this node reaches it. */
  #turn(endpoint: Endpoint, isOutvoted: boolean): void {
    const { log, changed, wallMs } = this.#parts;
    const { upstream, name } = endpoint;
    const hadReason = endpoint.why !== null;
    endpoint.isOutvoted = isOutvoted;
    const { why } = endpoint;
    this.#publish(endpoint);
    if (hadReason === (why !== null)) return;
    endpoint.changedAt = new Date(wallMs());
    if (why !== null) log.warn({ upstream, endpoint: name, why }, 'endpoint is down: other nodes say so');
    else
      log.info({ upstream, endpoint: name }, 'endpoint is up: other nodes do not speak against it any more');
    changed({ upstream, endpoint: name, why });
  }

  /** Once when an upstream has no endpoint left, and once when it has one again. */
  #lookWhoIsServed(): void {
    this.others.weigh();
    const { log } = this.#parts;
    const served: Served = new Map();
    const names = new Map<number, string>();
    for (const { upstreamId, upstream, takesSessions } of this.#endpoints.values()) {
      served.set(upstreamId, takesSessions || (served.get(upstreamId) ?? false));
      names.set(upstreamId, upstream);
    }
    for (const [id, isServed] of served) {
      const was = this.#served.get(id) ?? true;
      const upstream = names.get(id);
      if (was && !isServed) log.error({ upstream }, 'upstream has no endpoint for new sessions');
      if (!was && isServed) log.info({ upstream }, 'upstream has an endpoint for new sessions again');
    }
    this.#served = served;
  }
}

const countsOf = (endpoints: readonly Endpoint[]): EjectionCounts => ({
  endpoints: endpoints.length,
  ejected: endpoints.filter(({ isEjected }) => isEjected).length,
  usable: endpoints.filter(({ takesSessions }) => takesSessions).length,
});

const askReally: ProberParts['ask'] = async ({ settings, ...target }, address, signal) => {
  const check = checkOf(settings.type);
  if (check === undefined) return { well: false, why: `there is no check ${settings.type}` };
  const { serverName, upstream, endpoint, from = [], greeting = null, way = null } = target;
  return probe({
    from,
    way,
    greeting,
    check,
    options: settings,
    address,
    context: { serverName, upstream, endpoint },
    timeoutMs: settings.timeout,
    signal,
  });
};
