/**
 * The daemon as a process: signals, log on standard output, exit status, notifications to the service manager.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { native } from '../../addon.js';
import { systemClock } from '../../base/clock.js';
import { type Logger, rateLimited } from '../../base/log.js';
import type { Config, Demo } from '../../model/config.js';
import { Daemon } from '../../primary/daemon.js';
import type { SettingsSource } from '../../primary/settings.js';
import { StartError } from '../../primary/start-error.js';
import { controlExamples, examplesFor } from './examples.js';
import { type Output, openOutput } from './output.js';
import { Reloading } from './reloading.js';
import { ServiceManager } from './service-manager.js';
import { hearSignals } from './signals.js';
import { type Origin, Watching } from './watching.js';

/** Rate limit on log lines for signals without effect: their sender controls how many arrive. */
const SIGNAL_LINES_PER_SECOND = 1;

/** Upper bound on the time for threads to end and connections to be reset; then the process exits. */
const CLOSE_MS_MAX = 500;

export interface RunOptions {
  readonly version: string;
  /** Warnings about the configuration. */
  readonly warnings: readonly string[];
  /** Null unless this is the demonstration. */
  readonly demo: Demo | null;
  /** Where further configurations come from. */
  readonly source: SettingsSource;
  /** Of the first one. */
  readonly origin: Origin;
}

/** Runs until a signal stops the process. Resolves with the exit status: 0 success, 1 failed while running. */
export async function runDaemon(config: Config, options: RunOptions): Promise<number> {
  const output = await openOutput(config.logging);
  for (const warning of options.warnings) output.log.warn(warning);
  try {
    return (await run(config, options, output)) ? 0 : 1;
  } catch (error) {
    if (error instanceof StartError) output.log.fatal(error.message);
    else output.log.fatal({ err: error }, 'failed');
    return 1;
  } finally {
    await output.close();
  }
}

/** Exits at once: runs no exit handlers, waits for no thread. */
export const exitNow = (status: number): never => native.exit(status);

/** Resolves with whether every session ended by itself before the deadline. */
async function run(config: Config, options: RunOptions, output: Output): Promise<boolean> {
  const reloading = new Reloading();
  const signals = awaitSignals(output.log, reloading);
  const { log, write, linesDropped } = output;
  const { version, demo, origin } = options;
  const watching = new Watching(origin, log);
  const surroundings = {
    version,
    log,
    write,
    linesDropped,
    movesPorts: demo?.moves ?? false,
    yieldsAdmin: demo?.yieldsAdmin ?? false,
    source: watching.through(options.source),
    parts: [watching],
  };
  const daemon = await Daemon.open(config, surroundings, signals.drain);
  const service = serviceManager(log);
  try {
    const cut = untilAborted(signals.stop).then(() => daemon.cut());
    const serving = { daemon, service, reloading, watching, options, log };
    const allEnded = await Promise.race([serve(serving, signals.drain), cut]);
    sayStopped(allEnded, daemon.sessions, log);
    return allEnded;
  } finally {
    service.close();
    // A hung thread ends with the process.
    await Promise.race([daemon.close(), sleep(CLOSE_MS_MAX)]);
  }
}

/** What serves. */
interface Serving {
  readonly daemon: Daemon;
  readonly service: ServiceManager;
  readonly reloading: Reloading;
  readonly watching: Watching;
  readonly options: RunOptions;
  readonly log: Logger;
}

const serviceManager = (log: Logger): ServiceManager =>
  new ServiceManager({ environment: process.env, pid: process.pid, log, clock: systemClock });

/** Serves until `drain` is aborted, then until the remaining sessions have ended. */
async function serve(serving: Serving, drain: AbortSignal): Promise<boolean> {
  const { daemon, service, reloading, watching, log } = serving;
  if (drain.aborted) return true; // signalled during the DNS look-ups
  const draining = untilAborted(AbortSignal.any([drain, daemon.drainRequested]));
  const started = await Promise.race([daemon.start().then(() => true), draining.then(() => false)]);
  if (started) {
    sayReady(serving);
    reloading.begin(daemon.settings, {
      reloading: () => service.reloading(),
      reloaded: ({ result }) => service.ready(`${servingStatus(daemon)}; last reload: ${result}`),
    });
    watching.begin(daemon.settings);
    await draining;
    log.info('told to stop: a second SIGTERM or SIGINT ends all sessions at once');
  }
  service.stopping(`draining, ${daemon.sessions} sessions open`);
  return daemon.drain();
}

function sayReady({ daemon, service, options: { version, demo }, log }: Serving): void {
  const { listeners, workers, admin } = daemon;
  const shown = demo === null ? undefined : listeners[0];
  const hint = shown && { try: [...examplesFor(shown.address), ...controlExamples(admin)] };
  log.info({ listeners, workers, ...(admin && { admin }), pid: process.pid, version, ...hint }, 'ready');
  service.ready(servingStatus(daemon));
  service.watch(() => daemon.isAlive);
  // Frees garbage of the start-up; the primary allocates little later, so V8 would not.
  native.compactHeap();
}

const servingStatus = ({ listeners, workers }: Daemon): string =>
  `serving ${listeners.length} listeners with ${workers} workers`;

/** `left`: sessions of hung workers, which have no log lines of their own. */
function sayStopped(allEnded: boolean, left: number, log: Logger): void {
  if (allEnded) log.info('stopped');
  else log.info(left > 0 ? { sessions_left: left } : {}, 'stopped before every session had ended');
}

function awaitSignals(log: Logger, reloading: Reloading): { drain: AbortSignal; stop: AbortSignal } {
  const drain = new AbortController();
  const stop = new AbortController();
  const nothingDone = (message: string) => {
    const say = rateLimited(
      (fields) => log.warn(fields, message),
      SIGNAL_LINES_PER_SECOND,
      systemClock.nowMs,
    );
    return (signal: NodeJS.Signals) => say({ signal }, message);
  };
  hearSignals({
    drain: () => drain.abort(),
    stop: () => stop.abort(),
    reload: () => reloading.hangUp(),
    notYet: nothingDone('upgrade is not implemented yet: nothing is changed'),
    reopenLogs: nothingDone('the log goes to standard output: no file to reopen'),
  });
  return { drain: drain.signal, stop: stop.signal };
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
