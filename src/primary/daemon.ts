/**
 * The daemon: a configuration in, a running daemon out. Composes sockets, DNS, workers and monitoring, and decides when
 * each starts and ends. Signals, standard output and exit status belong to the caller (src/cli/run), so several daemons
 * can run in one process.
 */
import { native } from '../addon.js';
import type { Control, Health } from '../admin/control.js';
import type { Monitoring } from '../admin/monitoring.js';
import { systemClock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { LocalCode } from '../base/user-module.js';
import { compile } from '../config/compile.js';
import { createMetricsText, type MetricsText } from '../metrics/registry.js';
import { snapshotOf } from '../metrics/snapshot.js';
import type { Config, Discovery, ListenAddress } from '../model/config.js';
import type { Plan } from '../model/plan.js';
import type { AddressText } from '../model/session.js';
import type { Snapshot } from '../model/snapshot.js';
import { DataPlane, type PlaneChange } from '../plane/data-plane.js';
import { IdRegistry } from '../plane/ids.js';
import type { Published } from '../plane/publication.js';
import { createProvider } from '../providers/index.js';
import type { Provider } from '../providers/provider.js';
import { type Fitted, fitToFileLimit } from './file-limit.js';
import { serveMonitoring } from './monitoring.js';
import { Renewal } from './renewal.js';
import { ListeningSockets } from './sockets.js';
import { StartError } from './start-error.js';

const FIRST_GENERATION = 1;

export interface DaemonOptions {
  readonly version: string;
  readonly log: Logger;
  /** Takes finished log lines of workers. */
  readonly write: (lines: string) => void;
  /** Log lines lost so far. */
  readonly linesDropped: () => number;
  /** Demonstration: take any free port if the configured one is in use. */
  readonly movesPorts: boolean;
  /** `workers: 0`: the data plane runs on the calling thread, and the configuration may name these functions. */
  readonly local?: LocalCode;
}

interface Parts {
  readonly fitted: Fitted;
  readonly options: DaemonOptions;
  readonly sockets: ListeningSockets;
  readonly names: Provider;
  readonly ids: IdRegistry;
  readonly plane: DataPlane;
}

export class Daemon {
  readonly #fitted: Fitted;
  readonly #options: DaemonOptions;
  readonly #sockets: ListeningSockets;
  readonly #names: Provider;
  readonly #ids: IdRegistry;
  readonly #plane: DataPlane;
  readonly #renewal = new Renewal((discovery) => this.#publish(discovery), systemClock);
  readonly #metrics: MetricsText;
  readonly #control: Control;
  #monitoring: Monitoring | null = null;
  #status: 'starting' | 'running' | 'draining' = 'starting';
  #cutting: Promise<boolean> | null = null;
  #isClosed = false as boolean;
  /** Generation of the last compiled Plan, in force or not. */
  #generation = FIRST_GENERATION;

  private constructor({ fitted, options, sockets, names, ids, plane }: Parts) {
    this.#fitted = fitted;
    this.#options = options;
    this.#sockets = sockets;
    this.#names = names;
    this.#ids = ids;
    this.#plane = plane;
    this.#metrics = this.#createMetrics();
    this.#control = { health: () => this.health(), metrics: this.#metrics };
  }

  /** Opens sockets and resolves names; accepts nothing yet. Rejects with a StartError; `callOff` ends the DNS wait. */
  static async open(wanted: Config, options: DaemonOptions, callOff: AbortSignal): Promise<Daemon> {
    const fitted = fitToFileLimit(wanted, options.log);
    const { config } = fitted;
    const sockets = await openSockets(config, options);
    const names = namesOf(config, options.log, callOff);
    try {
      const discovery = await names.start((changed) => void daemon.#renewal.renew(changed));
      const ids = new IdRegistry();
      const plane = planeOf(fitted, options, compile(config, discovery, FIRST_GENERATION, ids), sockets);
      const daemon: Daemon = new Daemon({ fitted, options, sockets, names, ids, plane });
      return daemon;
    } catch (error) {
      names.stop();
      sockets.close();
      throw error;
    }
  }

  /** Resolves when every worker accepts. Rejects with a StartError when one can not, or when shut down before. */
  async start(): Promise<void> {
    const { monitoring } = this.#fitted.config;
    if (monitoring.metrics !== null) this.#metrics.prepare();
    this.#monitoring = await serveMonitoring(monitoring, this.#control, this.#options.log);
    if (this.#isClosed) this.#monitoring.close();
    try {
      await this.#plane.start();
    } catch (error) {
      throw new StartError(`a worker did not start: ${error instanceof Error ? error.message : error}`);
    }
    if (this.#status === 'starting') this.#status = 'running';
  }

  /** Listening addresses. */
  get listeners(): readonly { name: string; address: AddressText }[] {
    return this.#sockets.addresses;
  }

  get workers(): number {
    return this.#fitted.config.server.workers;
  }

  /** Open connections. */
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
      status: this.#status === 'running' ? runningStatus(accepting, this.workers) : this.#status,
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
      buffers: native.bufferTiers(this.#plane.plan.limits.bufferBytes),
    });
  }

  /** The text of /metrics. */
  metricsText(): Promise<string> {
    return this.#metrics.scrape();
  }

  /**
   * Stops accepting; resolves with whether every session ended by itself before the deadline. During the start it waits
   * only for workers that already accept; `close` ends the others.
   */
  async drain(): Promise<boolean> {
    const hasStarted = this.#status === 'running';
    this.#status = 'draining';
    if (!hasStarted && this.sessions === 0) return true;
    const deadlineMs = this.#fitted.config.server.gracefulShutdownTimeoutMs;
    this.#options.log.info({ deadline_ms: deadlineMs }, 'draining');
    const inTime = await this.#plane.drain(deadlineMs);
    return this.#cutting ?? inTime;
  }

  /** Ends all sessions now; resolves with whether there were none. */
  cut(): Promise<boolean> {
    this.#cutting ??= this.#cutAll();
    return this.#cutting;
  }

  /** Releases everything; remaining sessions are reset. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#names.stop();
    this.#renewal.stop();
    this.#monitoring?.close();
    await this.#plane.close();
  }

  async #cutAll(): Promise<boolean> {
    const none = this.sessions === 0;
    if (!none) await this.#plane.cut();
    return none;
  }

  #publish(discovery: Discovery): Promise<Published> {
    this.#generation += 1;
    const { config } = this.#fitted;
    const plan = compile(config, discovery, this.#generation, this.#ids);
    return this.#plane.change(changeOf(this.#fitted, plan, this.#sockets));
  }

  #createMetrics(): MetricsText {
    const { config, maxOpenFiles } = this.#fitted;
    const { version, linesDropped } = this.#options;
    const plane = this.#plane;
    return createMetricsText({
      buffers: plane.buffers,
      names: this.#ids,
      figures: () => ({
        anyport_config_generation: plane.plan.generation,
        anyport_endpoint_up: endpointsUp(plane.plan),
        anyport_workers: plane.accepting,
        anyport_worker_restarts_total: plane.restarts,
        anyport_worker_hangs_total: plane.hangs,
        anyport_monitoring_evicted_total: this.#monitoring?.evicted ?? 0,
        anyport_max_connections: config.server.maxConnections,
        anyport_max_open_files: maxOpenFiles,
        anyport_build_info: { labels: { version, node_version: process.version }, value: 1 },
        anyport_log_lines_dropped_total: linesDropped(),
      }),
    });
  }
}

async function openSockets(
  { server, listeners }: Config,
  { movesPorts, log }: DaemonOptions,
): Promise<ListeningSockets> {
  const each = server.accept === 'handoff' ? 1 : server.workers;
  try {
    return await ListeningSockets.open(listeners, each, native);
  } catch (error) {
    const inUse = error instanceof StartError && error.code === 'EADDRINUSE';
    if (!inUse || !movesPorts) throw error;
    const moved = listeners.map((listener) => ({ ...listener, address: anyPort(listener.address) }));
    log.warn(`${error.message}; the demonstration takes another port`);
    return ListeningSockets.open(moved, each, native);
  }
}

const anyPort = (address: ListenAddress): ListenAddress =>
  address.kind === 'inet' ? { ...address, port: 0, text: `${address.host}:0` } : address;

function namesOf({ upstreams }: Config, log: Logger, callOff: AbortSignal): Provider {
  const names = createProvider(upstreams, {
    clock: systemClock,
    warn: (fields, message) => log.warn(fields, message),
    info: (fields, message) => log.info(fields, message),
  });
  if (callOff.aborted) names.stop();
  else callOff.addEventListener('abort', () => names.stop(), { once: true });
  return names;
}

function planeOf(
  fitted: Fitted,
  { log, write, local }: DaemonOptions,
  plan: Plan,
  sockets: ListeningSockets,
): DataPlane {
  return new DataPlane(changeOf(fitted, plan, sockets), { log, write, ...(local && { local }) });
}

function changeOf({ config, pipes }: Fitted, plan: Plan, sockets: ListeningSockets): PlaneChange {
  const { workers, accept } = config.server;
  return { plan, sockets, workers, accept, logLevel: config.logging.level, pipes };
}

const endpointsUp = ({ upstreams }: Plan) =>
  upstreams.flatMap(({ name: upstream, endpoints }) =>
    endpoints.map(({ name: endpoint, state }) => ({
      labels: { upstream, endpoint },
      value: state === 'down' ? 0 : 1,
    })),
  );

function runningStatus(accepting: number, wanted: number): Health['status'] {
  if (accepting === wanted) return 'ready';
  return accepting > 0 ? 'degraded' : 'starting';
}
