/**
 * The daemon from start to end: log, limits, sockets, names, workers, monitoring, signals. The control plane's
 * one sequence; every part of it lives elsewhere.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { native } from '../addon.js';
import type { Control, Health } from '../admin/control.js';
import { type Monitoring, startMonitoring } from '../admin/monitoring.js';
import { systemClock } from '../base/clock.js';
import { LineSink } from '../base/line-sink.js';
import { createLogger, jsonLines, type Logger, prettyLines, rateLimited } from '../base/log.js';
import { compile } from '../config/compile.js';
import { createMetricsText } from '../metrics/registry.js';
import type { Config, Demo, Discovery, ListenAddress, MonitoringConfig } from '../model/config.js';
import { createDnsProvider } from '../providers/dns.js';
import type { Provider } from '../providers/provider.js';
import { createSystemResolver } from '../providers/resolver.js';
import { DataPlane } from './data-plane.js';
import { examplesFor } from './examples.js';
import { fitConnections } from './fd-budget.js';
import { ListeningSockets } from './listening.js';
import { tellServiceManager } from './service-manager.js';
import { hearSignals } from './signals.js';
import { StartError } from './start-error.js';

const STDOUT = 1;

/** Of signals that change nothing; how many come is up to their sender. */
const SIGNAL_LINES_PER_SECOND = 1;

/** For threads to end and their connections to be reset, before the process ends without them. */
const CLOSE_MS_MAX = 500;

export interface DaemonOptions {
  readonly version: string;
  /** What the configuration's reader wants the user to know. */
  readonly warnings: readonly string[];
  /** Null: it is not the demonstration. */
  readonly demo: Demo | null;
}

/** What the parts say, and to whom. */
interface Voice {
  readonly log: Logger;
  /** Takes finished lines. */
  readonly write: (lines: string) => void;
  readonly linesDropped: () => number;
}

/** Runs until the process is told to stop. Resolves with the exit status: 0 done, 1 failed while running. */
export async function runDaemon(config: Config, options: DaemonOptions): Promise<number> {
  const sink = new LineSink(STDOUT);
  const voice = createVoice(config, sink);
  for (const warning of options.warnings) voice.log.warn(warning);
  try {
    return await run(config, options, voice);
  } catch (error) {
    if (error instanceof StartError) voice.log.fatal(error.message);
    else voice.log.fatal({ err: error }, 'failed');
    return 1;
  } finally {
    await sink.close();
  }
}

function createVoice({ logging }: Config, sink: LineSink): Voice {
  const terminal = isatty(STDOUT);
  const isPretty = logging.format === 'pretty' || (logging.format === 'auto' && terminal);
  const form = isPretty ? prettyLines(terminal) : jsonLines;
  const write = (lines: string) => sink.write(form(lines));
  return {
    log: createLogger({ level: logging.level, write }),
    write,
    linesDropped: () => sink.dropped,
  };
}

async function run(wanted: Config, { version, demo }: DaemonOptions, voice: Voice): Promise<number> {
  const signals = awaitSignals(voice.log);
  const fitted = fitToFileLimit(wanted, voice.log);
  const daemon = await Daemon.create({ ...fitted, version, demo }, voice, signals.drain);
  try {
    const cut = signals.stop.then(() => daemon.cut());
    const served = daemon.serve().then((inTime) => (daemon.isCut ? cut : inTime));
    const allEnded = await Promise.race([served, cut]);
    sayStopped(allEnded, daemon.sessions, voice.log);
    return allEnded ? 0 : 1;
  } finally {
    // What hangs is left to the end of the process.
    await Promise.race([daemon.close(), sleep(CLOSE_MS_MAX)]);
  }
}

/** `left`: sessions of workers that hang, of which nothing else is said. */
function sayStopped(allEnded: boolean, left: number, log: Logger): void {
  if (allEnded) log.info('stopped');
  else log.info(left > 0 ? { sessions_left: left } : {}, 'stopped before every session had ended');
}

function awaitSignals(log: Logger) {
  let drain: () => void = () => {};
  let stop: () => void = () => {};
  const drained = new Promise<void>((resolve) => {
    drain = resolve;
  });
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const nothingDone = rateLimited(
    (fields, message) => log.warn(fields, message),
    SIGNAL_LINES_PER_SECOND,
    systemClock.nowMs,
  );
  hearSignals({
    drain,
    stop,
    notYet: (signal) =>
      nothingDone({ signal }, 'reload and upgrade are not implemented yet: nothing is changed'),
    reopenLogs: (signal) => nothingDone({ signal }, 'the log goes to standard output: no file to reopen'),
  });
  return { drain: drained, stop: stopped };
}

/** A configuration that the machine can serve. */
interface Fitted {
  readonly config: Config;
  /** To splice through, each worker. */
  readonly pipes: number;
  readonly maxOpenFiles: number;
}

interface Setting extends Fitted {
  readonly version: string;
  readonly demo: Demo | null;
}

/** Takes all open files the system grants, and lowers the limit of connections where they do not suffice. */
function fitToFileLimit(config: Config, log: Logger): Fitted {
  const { server, listeners, upstreams } = config;
  const { soft } = native.raiseFileLimit();
  const handoff = server.accept === 'handoff';
  const demand = {
    connections: server.maxConnections,
    workers: server.workers,
    listeningSockets: listeners.length * (handoff ? 1 : server.workers),
    handoff,
    handlers: upstreams.some(({ handler }) => handler !== null),
  };
  const { connections, needed, pipes } = fitConnections(demand, soft);
  const fitted = { pipes, maxOpenFiles: soft };
  if (connections === demand.connections) return { config, ...fitted };
  const fields = { max_connections: demand.connections, files_needed: needed, files_allowed: soft };
  if (connections === 0) throw new StartError(`${soft} open files are too few to serve one connection`);
  log.warn({ ...fields, effective: connections }, 'too few open files for max_connections, which is lowered');
  return { config: { ...config, server: { ...server, maxConnections: connections } }, ...fitted };
}

/** The parts that run, and what ties them together. */
class Daemon {
  readonly #setting: Setting;
  readonly #voice: Voice;
  readonly #sockets: ListeningSockets;
  readonly #names: Provider;
  readonly #plane: DataPlane;
  #monitoring: Monitoring | null = null;
  readonly #drain: Promise<void>;
  isCut = false as boolean;
  #status: 'starting' | 'running' | 'draining' = 'starting';

  private constructor(
    setting: Setting,
    voice: Voice,
    sockets: ListeningSockets,
    names: Provider,
    plane: DataPlane,
    drain: Promise<void>,
  ) {
    this.#setting = setting;
    this.#voice = voice;
    this.#sockets = sockets;
    this.#names = names;
    this.#plane = plane;
    this.#drain = drain;
    void drain.then(() => {
      this.#status = 'draining';
    });
  }

  /** Opens the sockets and asks for the names, until `drain`; nothing is accepted yet. */
  static async create(setting: Setting, voice: Voice, drain: Promise<void>): Promise<Daemon> {
    const { config, pipes } = setting;
    const { accept, workers } = config.server;
    const sockets = await openSockets(setting, accept === 'handoff' ? 1 : workers, voice.log);
    const names = createDnsProvider(config.upstreams, {
      ...createSystemResolver(),
      clock: systemClock,
      warn: (fields, message) => voice.log.warn(fields, message),
    });
    void drain.then(() => names.stop());
    const discovery = await names.start((changed) => daemon.#adopt(changed));
    const { server, logging } = config;
    const options = { ...voice, server, pipes, logLevel: logging.level };
    const plane = new DataPlane(compile(config, discovery, 1), sockets, options);
    const daemon: Daemon = new Daemon(setting, voice, sockets, names, plane, drain);
    return daemon;
  }

  /** Until it is told to drain. Resolves with whether every session then ended in time. */
  async serve(): Promise<boolean> {
    const { config, version } = this.#setting;
    const { workers, gracefulShutdownTimeoutMs: deadlineMs } = config.server;
    const { log } = this.#voice;
    if (this.#status === 'draining') return true; // told so while names were asked for
    const started = await Promise.race([this.#start(), this.#drain.then(() => false)]);
    if (started) {
      this.#status = 'running';
      const listeners = this.#sockets.addresses;
      const shown = this.#setting.demo === null ? undefined : listeners[0];
      const hint = shown && { try: examplesFor(shown.address) };
      log.info({ listeners, workers, pid: process.pid, version, ...hint }, 'ready');
      tellServiceManager('READY=1', log);
      await this.#drain;
    }
    this.#status = 'draining';
    tellServiceManager('STOPPING=1', log);
    if (!started && this.#plane.open === 0) return true;
    log.info({ deadline_ms: deadlineMs }, 'draining');
    return this.#plane.drain(deadlineMs);
  }

  async #start(): Promise<boolean> {
    await this.#startMonitoring();
    await this.#plane.start();
    return true;
  }

  /** Those that are open now. */
  get sessions(): number {
    return this.#plane.open;
  }

  /** Ends all sessions now. Resolves with whether there were none. */
  async cut(): Promise<boolean> {
    this.isCut = true;
    const none = this.sessions === 0;
    if (!none) await this.#plane.cut();
    return none;
  }

  async close(): Promise<void> {
    this.#names.stop();
    this.#monitoring?.close();
    await this.#plane.close();
  }

  /** Addresses changed: they reach the workers as a new Plan. */
  #adopt(discovery: Discovery): void {
    this.#plane.publish(compile(this.#setting.config, discovery, this.#plane.plan.generation + 1));
  }

  async #startMonitoring(): Promise<void> {
    const { config, maxOpenFiles, version } = this.#setting;
    const plane = this.#plane;
    const metrics = createMetricsText({
      shape: plane.shape,
      buffers: plane.buffers,
      state: () => ({
        configGeneration: plane.plan.generation,
        workers: plane.accepting,
        workerRestarts: plane.restarts,
        workerHangs: plane.hangs,
        linesDropped: this.#voice.linesDropped(),
        monitoringEvicted: this.#monitoring?.evicted ?? 0,
        maxConnections: config.server.maxConnections,
        maxOpenFiles,
        version,
      }),
    });
    try {
      const control: Control = { metrics, health: () => this.#health() };
      this.#monitoring = await startMonitoring(config.monitoring, control);
    } catch (error) {
      throw new StartError((error as Error).message);
    }
    announceMonitoring(config.monitoring, this.#voice.log);
  }

  #health(): Health {
    const wanted = this.#setting.config.server.workers;
    const { accepting } = this.#plane;
    return {
      status: this.#status === 'running' ? runningStatus(accepting, wanted) : this.#status,
      workers: { wanted, accepting },
      listeners: this.#sockets.addresses,
    };
  }
}

/** The demonstration is there to be looked at: it takes any port rather than none. */
async function openSockets({ config, demo }: Setting, each: number, log: Logger): Promise<ListeningSockets> {
  try {
    return await ListeningSockets.open(config.listeners, each, native);
  } catch (error) {
    const inUse = error instanceof StartError && error.code === 'EADDRINUSE';
    if (!inUse || demo?.moves !== true) throw error;
    const moved = config.listeners.map((listener) => ({ ...listener, address: anyPort(listener.address) }));
    log.warn(`${error.message}; the demonstration takes another port`);
    return ListeningSockets.open(moved, each, native);
  }
}

const anyPort = (address: ListenAddress): ListenAddress =>
  address.kind === 'inet' ? { ...address, port: 0, text: `${address.host}:0` } : address;

/** By default everybody can read metrics and health: not to be found out by a scan. */
function announceMonitoring({ metrics, health }: MonitoringConfig, log: Logger): void {
  if ((metrics ?? health)?.host !== '::') return;
  const fields = { metrics_port: metrics?.port, health_check_port: health?.port };
  log.info(fields, 'monitoring is served on every interface; `monitoring.address` restricts it');
}

/** Ends the process whatever hangs in it: no handler runs, no thread is waited for. */
export const exitNow = (status: number): never => native.exit(status);

function runningStatus(accepting: number, wanted: number): Health['status'] {
  if (accepting === wanted) return 'ready';
  return accepting > 0 ? 'degraded' : 'starting';
}
