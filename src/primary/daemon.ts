/**
 * The daemon: a configuration in, a running daemon out. Composes sockets, DNS, workers and monitoring, and decides when
 * each starts and ends; how they change is in reconfiguration.ts. Signals, standard output and exit status belong to the
 * caller (src/cli/run), so several daemons can run in one process.
 */
import { native } from '../addon.js';
import type { Control, Health, Operations } from '../admin/control.js';
import { systemClock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { LocalCode } from '../base/user-module.js';
import { compile } from '../config/compile.js';
import type { Monitor } from '../health/monitor.js';
import { SlowStart } from '../health/slow-start.js';
import { withInherited } from '../metrics/figures.js';
import { InheritedTotals } from '../metrics/inherited.js';
import { createMetricsText, type MetricsText } from '../metrics/registry.js';
import { snapshotOf } from '../metrics/snapshot.js';
import type { Config } from '../model/config.js';
import type { ListeningAddress } from '../model/listening-address.js';
import type { Plan } from '../model/plan.js';
import type { Report } from '../model/report.js';
import type { AddressText } from '../model/session.js';
import type { Snapshot } from '../model/snapshot.js';
import type { Sockets } from '../plane/change.js';
import { DataPlane } from '../plane/data-plane.js';
import { IdRegistry } from '../plane/ids.js';
import { createSystemResolver } from '../providers/resolver.js';
import { Bans } from './bans/index.js';
import { Cluster, type Membership } from './cluster.js';
import { Containers } from './containers.js';
import { Contributions } from './contributions.js';
import { ControlInterface } from './control-interface.js';
import { type FiguresSource, figuresOf } from './figures.js';
import { type Fitted, fitToFileLimit, warnOfLowered } from './file-limit.js';
import { Fragments, withFragments } from './fragments.js';
import { Handover } from './handover.js';
import { createMonitor } from './health.js';
import { InheritedServers } from './inherited-servers.js';
import { type Listening, listenWith, openListeners } from './listening.js';
import { ListsPart } from './lists.js';
import { withModules } from './modules.js';
import { MonitoringPart } from './monitoring.js';
import { Names } from './names.js';
import { createOperations } from './operations/index.js';
import { withOverride } from './overrides.js';
import { type Part, prepareAll } from './part.js';
import { refuseUnderProcessLimits } from './process-limits.js';
import { FIRST_GENERATION, planeChange, Reconfiguration } from './reconfiguration.js';
import { Reloads } from './reloads.js';
import { RunningSettings, type SettingsSource } from './settings.js';
import { type Shared, shareWith } from './sharing.js';
import { warnOfShortages } from './shortages.js';
import { Shutdown } from './shutdown.js';
import type { InheritedGroup, PreparedSockets } from './sockets.js';
import { StartError } from './start-error.js';

const NO_SOCKETS: Sockets = { of: () => [], close: () => {} };

export interface DaemonOptions {
  readonly version: string;
  readonly log: Logger;
  /** Takes finished log lines of workers. */
  readonly write: (lines: Uint8Array) => void;
  /** Log lines lost so far. */
  readonly linesDropped: () => number;
  /** Demonstration: take any free port if the configured one is in use. */
  readonly movesPorts: boolean;
  /** Demonstration: go on without the control interface if its address is in use. */
  readonly yieldsAdmin?: boolean;
  /** `workers: 0`: the data plane runs on the calling thread, and the configuration may name these functions. */
  readonly local?: LocalCode;
  /** Takes what workers report beside the log: endpoints that change state, and sessions after `reportSessions`. */
  readonly report?: (reports: readonly Report[]) => void;
  /** As after `reportSessions`, from the first session on. */
  readonly reportsSessions?: boolean;
  /** Where configurations come from. */
  readonly source: SettingsSource;
  /** Asked first, before modules of a change are loaded. */
  readonly guards?: readonly Part[];
  /** Called once everything is bound, before workers start. Rejects with a StartError. */
  readonly bound?: () => Promise<void>;
  /** Whatever else follows the configuration. */
  readonly parts?: readonly Part[];
  /** Listening sockets that others have opened: the service manager, or the process before this one. */
  readonly inherited?: readonly InheritedGroup[];
  /** Of the process before this one. */
  readonly membership?: Membership | undefined;
  /** There is a process before this one: monitoring is not served before `handover.takeOver`. */
  readonly isSuccessor?: boolean;
}

interface Opened {
  readonly fitted: Fitted;
  readonly options: DaemonOptions;
  readonly sockets: PreparedSockets;
  readonly servers: InheritedServers;
  readonly cluster: Cluster;
  readonly names: Names;
  readonly ids: IdRegistry;
  readonly plane: DataPlane;
}

export class Daemon {
  /** The configuration in force, and the way to change it. */
  readonly settings: RunningSettings;
  /** Its part in an upgrade in place. */
  readonly handover: Handover;
  readonly #options: DaemonOptions;
  readonly #cluster: Cluster;
  readonly #shared: Shared;
  readonly #names: Names;
  readonly #ids: IdRegistry;
  readonly #plane: DataPlane;
  readonly #monitor: Monitor;
  readonly #slowStart: SlowStart;
  readonly #listening: Listening;
  readonly #reconfiguration: Reconfiguration;
  readonly #reloads: Reloads;
  readonly #metrics: MetricsText;
  readonly #lists: ListsPart;
  readonly #monitoring: MonitoringPart;
  readonly #admin: ControlInterface;
  readonly #contributions: Contributions;
  readonly #containers: Containers;
  readonly #fragments: Fragments;
  /** Sources that are refused for a time. */
  readonly bans: Bans;
  readonly #startedAt = new Date();
  /** Servers of the primary. */
  readonly #parts: readonly Part[];
  readonly #shutdown: Shutdown;
  #hasStarted = false as boolean;

  private constructor(opened: Opened) {
    const { fitted, options, sockets, servers, cluster, names, ids, plane } = opened;
    const { log, source, version, inherited = [] } = options;
    this.#options = options;
    this.#cluster = cluster;
    this.#names = names;
    this.#ids = ids;
    this.#plane = plane;
    plane.reporting.sessions = options.reportsSessions ?? false;
    this.#monitor = createMonitor(plane, log, options.report);
    this.#slowStart = new SlowStart({
      clock: systemClock,
      setShare: (endpoint, share) => this.#monitor.setSlowShare(endpoint, share),
    });
    this.#monitor.onRise.push((endpoint) => this.#slowStart.rise(endpoint));
    const predecessor = options.isSuccessor ? new InheritedTotals(ids) : null;
    this.#metrics = this.#createMetrics(predecessor);
    const control: Control = { health: () => this.health(), metrics: this.#metrics };
    this.#monitoring = new MonitoringPart(control, log, servers);
    const operations = () => this.#operations();
    this.#admin = new ControlInterface({
      operations,
      log,
      yields: options.yieldsAdmin ?? false,
      inherited: servers,
    });
    const idOf = (listener: string) => ids.listener(listener);
    this.#lists = new ListsPart({ admission: plane.admission, idOf, log });
    const trusted = () => this.#lists.trusted;
    this.bans = new Bans({ admission: plane.admission, trusted, clock: systemClock, nowMs: Date.now, log });
    this.#contributions = new Contributions(source);
    const beside = { contributions: this.#contributions, settings: () => this.settings, log };
    this.#containers = new Containers(beside);
    this.#fragments = new Fragments(beside);
    this.#shared = shareWith({ monitor: this.#monitor, bans: this.bans, names, log });
    const followers = [this.#fragments, ...this.#shared.followers];
    cluster.attach({ sessions: () => plane.open, followers });
    this.#parts = [
      this.#lists,
      this.#monitoring,
      this.#admin,
      this.bans,
      this.#contributions,
      this.#containers,
      this.#fragments,
      ...(options.parts ?? []),
    ];
    this.#listening = listenWith(sockets.sockets, plane, log);
    const parts = this.#parts;
    const listening = this.#listening;
    const inside = [
      { use: 'monitoring' as const, server: this.#monitoring },
      { use: 'admin' as const, server: this.#admin },
    ];
    const changes = () => this.#metrics.changes();
    this.handover = new Handover({
      ...{ version, log, predecessor, inherited, sockets, servers, listening, inside, changes },
      owned: [this.bans, cluster],
      membership: () => cluster.membership,
      reconfiguration: () => this.#reconfiguration,
      hold: (why) => this.settings.hold(why),
    });
    this.#reconfiguration = new Reconfiguration({
      ...{ fitted, plane, ids, cluster, names, listening, parts, log, guards: options.guards ?? [] },
      inForce: (plan) => this.#followHealth(plan),
    });
    this.#shutdown = new Shutdown({
      plane,
      handsOver: () => this.handover.hasGivenWay,
      times: () => this.handover.timesOf(this.#reconfiguration.fitted.config.server),
      totals: () => this.#metrics.totals(),
      names: ids,
      info: (fields, message) => log.info(fields, message),
      clock: systemClock,
    });
    this.#reloads = new Reloads(log, systemClock.nowMs);
    this.settings = new RunningSettings({
      config: fitted.wanted,
      source: this.#contributions.source,
      change: (config) => this.#reconfiguration.change(config),
      reloads: this.#reloads,
      nowMs: systemClock.nowMs,
    });
  }

  /** Opens sockets and resolves names; accepts nothing yet. Rejects with a StartError; `callOff` ends the wait for names. */
  static async open(wanted: Config, options: DaemonOptions, callOff: AbortSignal): Promise<Daemon> {
    const { log, write, local, report, movesPorts, inherited = [] } = options;
    const fitted = fitToFileLimit(await withModules(wanted));
    warnOfLowered(fitted, log);
    const { config } = fitted;
    refuseUnderProcessLimits(config);
    warnOfShortages(config, log);
    const sockets = await openListeners(config, { movesPorts, inherited }, log);
    const servers = new InheritedServers(inherited);
    const cluster = openCluster(options);
    const names = new Names(config, cluster.directory, log);
    const close = () => {
      names.close();
      cluster.close();
    };
    if (callOff.aborted) close();
    else callOff.addEventListener('abort', close, { once: true });
    try {
      (await cluster.prepare(config)).commit();
      await names.start((discovery) => daemon.#reconfiguration.renew(discovery));
      const ids = new IdRegistry();
      const plan = compile(config, names.discovery, FIRST_GENERATION, ids);
      // A successor's workers get their sockets all at once, when none of them can fail to start any more.
      const first = options.isSuccessor ? NO_SOCKETS : sockets.sockets;
      const plane = new DataPlane(
        planeChange(fitted, plan, first, () => daemon.#reconfiguration.listensAt),
        {
          log,
          write,
          ...(local && { local }),
          ...(report && { report }),
          failed: (failures) => daemon.#monitor.failed(failures),
        },
      );
      const daemon: Daemon = new Daemon({ fitted, options, sockets, servers, cluster, names, ids, plane });
      return daemon;
    } catch (error) {
      close();
      sockets.sockets.close();
      throw error;
    } finally {
      // A drain goes on with names and the cluster until its sessions have ended.
      callOff.removeEventListener('abort', close);
    }
  }

  /**
   * Resolves when every worker accepts; a successor takes over afterwards. Rejects with a StartError when one can not, or
   * when shut down before.
   */
  async start(): Promise<void> {
    const { config } = this.#reconfiguration.fitted;
    if (config.monitoring.metrics !== null) this.#metrics.prepare();
    if (this.#options.isSuccessor) this.handover.hold();
    (await prepareAll(this.#parts, config)).commit();
    await this.#options.bound?.();
    this.#followHealth(this.#plane.plan);
    try {
      await this.#plane.start();
    } catch (error) {
      throw new StartError(`a worker did not start: ${error instanceof Error ? error.message : error}`);
    }
    if (this.#options.isSuccessor) await this.handover.accept();
    this.#hasStarted = true;
    if (!this.#options.isSuccessor) this.handover.takeOver();
    this.#containers.begin();
  }

  /** Listening addresses. */
  get listeners(): readonly ListeningAddress[] {
    return this.#listening.current.addresses;
  }

  /** Address of the control interface; null: none. */
  get admin(): AddressText | null {
    return this.#admin.address;
  }

  get workers(): number {
    return this.#reconfiguration.fitted.config.server.workers;
  }

  /** Open sessions. */
  get sessions(): number {
    return this.#plane.open;
  }

  /** Whether any worker's event loop turns. */
  get isAlive(): boolean {
    return this.#plane.beating > 0;
  }

  health(): Health {
    const { accepting } = this.#plane;
    return {
      status: this.#statusOf(accepting),
      workers: { wanted: this.workers, accepting },
      listeners: this.listeners,
    };
  }

  /** The counters and gauges of this moment. */
  snapshot(): Snapshot {
    return snapshotOf(this.#metrics.totals(), {
      timeMs: Date.now(),
      plan: this.#plane.plan,
      workers: { wanted: this.workers, accepting: this.#plane.accepting },
      names: this.#ids,
      bans: this.bans.counts,
      buffers: native.bufferTiers(this.#plane.plan.limits.bufferBytes),
    });
  }

  /** Whether ended sessions are reported, from now on. */
  reportSessions(wanted: boolean): void {
    this.#plane.reporting.sessions = wanted;
  }

  /** The text of /metrics. */
  metricsText(): Promise<string> {
    return this.#metrics.scrape();
  }

  /** Aborted when a drain is wanted; whoever runs the daemon then calls `drain`. */
  get drainRequested(): AbortSignal {
    return this.#shutdown.requested;
  }

  /** Asks whoever runs the daemon to drain and end it. False: that was done before. */
  requestDrain(): boolean {
    return this.#shutdown.request();
  }

  /**
   * Not ready at once; accepts no more after the delay (default: `drain_delay`); sessions finish until the deadline
   * (default: `graceful_shutdown_timeout`), and what is left is reset. Resolves with whether no thread died and none was late.
   * During the start it waits only for workers that already accept; `close` ends the others.
   */
  drain(deadlineMs?: number, delayMs?: number): Promise<boolean> {
    this.#cluster.leave();
    this.#fragments.close();
    this.#containers.close();
    this.settings.close('the daemon is draining');
    this.#reconfiguration.close();
    return this.#shutdown.drain(this.#hasStarted, deadlineMs, delayMs);
  }

  /** Ends all sessions now; resolves with whether there were none. */
  cut(): Promise<boolean> {
    return this.#shutdown.cut();
  }

  /** Releases everything; remaining sessions are reset. */
  async close(): Promise<void> {
    this.settings.close();
    this.#reconfiguration.close();
    this.#shutdown.close();
    this.#monitor.close();
    this.#slowStart.close();
    for (const part of [this.#cluster, this.#names, ...this.#parts]) part.close();
    await this.#plane.close();
    this.#listening.close();
    await Promise.all([this.#cluster.ended, this.#containers.ended]);
  }

  #followHealth(plan: Plan): void {
    this.#monitor.follow(plan);
    this.#slowStart.follow(plan);
  }

  #statusOf(accepting: number): Health['status'] {
    if (this.#shutdown.hasBegun) return 'draining';
    return this.#hasStarted ? runningStatus(accepting, this.workers) : 'starting';
  }

  #operations(): Operations {
    return createOperations({
      version: this.#options.version,
      startedAt: this.#startedAt,
      settings: this.settings,
      metrics: this.#metrics,
      health: () => this.health(),
      snapshot: () => this.snapshot(),
      lists: () => this.#lists.status,
      cluster: () => withFragments(this.#cluster.status, this.#fragments),
      totals: () => this.#metrics.totals(),
      sessions: this.#plane.sessions,
      bans: this.bans,
      plan: () => this.#plane.plan,
      healthOf: (endpoint) => this.#monitor.statusOf(endpoint),
      server: () => this.#reconfiguration.fitted.config.server,
      requestDrain: () => this.requestDrain(),
      override: (upstream, endpoint, change) =>
        this.#reconfiguration.override((all) => withOverride(all, upstream, endpoint, change)),
      info: (fields, message) => this.#options.log.info(fields, message),
    });
  }

  #createMetrics(predecessor: InheritedTotals | null): MetricsText {
    const { version, linesDropped } = this.#options;
    const around: FiguresSource = {
      version,
      linesDropped,
      plane: this.#plane,
      health: this.#monitor,
      fitted: () => this.#reconfiguration.fitted,
      reloads: () => this.#reloads.counts,
      lists: () => this.#lists.status,
      cluster: () => withFragments(this.#cluster.status, this.#fragments),
      refusedBans: () => this.#shared.refusedBans,
      evicted: () => this.#monitoring.evicted + this.#admin.evicted,
    };
    return createMetricsText({
      buffers: this.#plane.buffers,
      ...(predecessor && { inherited: predecessor.buffer }),
      names: this.#ids,
      figures: () => withInherited(figuresOf(around), predecessor?.figures ?? {}),
    });
  }
}

function openCluster({ version, log, membership }: DaemonOptions): Cluster {
  const { lookup } = createSystemResolver();
  return new Cluster({
    ...{ version, membership, log, clock: systemClock },
    lookUp: async (host) => (await lookup(host)).value,
  });
}

function runningStatus(accepting: number, wanted: number): Health['status'] {
  if (accepting === wanted) return 'ready';
  return accepting > 0 ? 'degraded' : 'starting';
}
