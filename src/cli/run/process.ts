/**
 * The daemon as a process: signals, log on standard output, exit status, notifications to the service manager.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { native } from '../../addon.js';
import { systemClock } from '../../base/clock.js';
import { counted } from '../../base/figures.js';
import { LineSink } from '../../base/line-sink.js';
import { type Logger, type LogLine, rateLimited } from '../../base/log.js';
import type { Config, Demo } from '../../model/config.js';
import { Daemon } from '../../primary/daemon.js';
import type { SettingsSource } from '../../primary/settings.js';
import { StartError } from '../../primary/start-error.js';
import type { Predecessor } from '../../primary/upgrade/predecessor.js';
import { controlExamples, examplesFor } from './examples.js';
import { lowerHelperThreads } from './helper-threads.js';
import { findPredecessor, takeInheritance } from './inheritance.js';
import { startAgain } from './launch.js';
import type { LogPlace } from './log-place.js';
import { type Output, openOutput } from './output.js';
import { identityRefusal, Privileges } from './privileges.js';
import { Reloading } from './reloading.js';
import { rootRefusal } from './root.js';
import { ServiceManager } from './service-manager.js';
import { hearSignals } from './signals.js';
import { Upgrade } from './upgrade.js';
import { Upgrading } from './upgrading.js';
import { type Origin, Watching } from './watching.js';

/** Rate limit on log lines for signals without effect: their sender controls how many arrive. */
const SIGNAL_LINES_PER_SECOND = 1;

const STDERR = 2;

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
  /** The first configuration without this listener, which can not be opened. Null: it is the file's, and so needed. */
  readonly without: (listener: string) => Promise<Config | null>;
  /** Of the first one. */
  readonly origin: Origin;
  /** Modules may run as root. */
  readonly allowRoot: boolean;
}

/** Runs until a signal stops the process. Resolves with the exit status: 0 success, 1 failed while running. */
export async function runDaemon(config: Config, options: RunOptions): Promise<number> {
  lowerHelperThreads();
  const predecessor = findPredecessor(process.env);
  const privileges = new Privileges(config, options.allowRoot);
  const output = await privileges
    .become()
    .then(() => openOutput(config.logging))
    .catch(async (error: Error) => {
      // There is no log to tell them, and one may say where in the file that is written.
      const lines = [...options.warnings, `anyport: ${error.message}`];
      process.stderr.write(lines.map((line) => `${line}\n`).join(''));
      await predecessor?.fail(error.message);
    });
  if (output === undefined) return 1;
  for (const warning of options.warnings) output.log.warn(warning);
  try {
    return (await run(config, { options, output, predecessor, privileges })) ? 0 : 1;
  } catch (error) {
    if (error instanceof StartError) output.log.fatal(error.message);
    else output.log.fatal({ err: error }, 'failed');
    if (output.place.path !== null) output.place.say((error as Error).message);
    await predecessor?.fail((error as Error).message);
    // A service manager restarts what has failed, but not what can not start before somebody edits a file.
    return error instanceof StartError && error.problems.length > 0 ? 2 : 1;
  } finally {
    await output.close();
  }
}

/** Why a process like this one does not serve the configuration; null: it does. */
export const whyNotAs = async (config: Config, allowRoot: boolean): Promise<string | null> =>
  (await identityRefusal(config)) ?? rootRefusal(config, allowRoot);

/** Exits at once: runs no exit handlers, waits for no thread. */
export const exitNow = (status: number): never => native.exit(status);

/** Resolves with whether every session ended by itself before the deadline. */
async function run(config: Config, around: Surroundings): Promise<boolean> {
  const { options, output, predecessor, privileges } = around;
  const { log } = output;
  const reloading = new Reloading();
  const upgrading = new Upgrading(log);
  const signals = awaitSignals(output, reloading, upgrading);
  if (predecessor) void predecessor.ended.then(output.share());
  for (const file of await privileges.unreadable(options.origin.files))
    log.warn({ file }, 'the user of `server.user` may not read it: reloads and upgrades will be refused');
  const watching = new Watching(options.origin, log);
  const daemon = await openDaemon(config, { ...around, watching }, signals.drain);
  const service = serviceManager(log);
  const upgrade = upgradeOf({ daemon, service, output, privileges });
  try {
    const cut = untilAborted(signals.stop).then(() => daemon.cut());
    const serving = { daemon, service, reloading, watching, upgrading, upgrade, predecessor, options, log };
    const allEnded = await Promise.race([serve(serving, signals.drain), cut]);
    sayStopped(allEnded, daemon.sessions, log);
    return allEnded;
  } finally {
    service.close();
    // A hung thread ends with the process.
    await Promise.race([daemon.close().then(() => upgrade.close()), sleep(CLOSE_MS_MAX)]);
  }
}

interface Surroundings {
  readonly options: RunOptions;
  readonly output: Output;
  readonly predecessor: Predecessor | null;
  readonly privileges: Privileges;
}

async function openDaemon(
  config: Config,
  { options, output, predecessor, privileges, watching }: Surroundings & { readonly watching: Watching },
  callOff: AbortSignal,
): Promise<Daemon> {
  const { version, demo } = options;
  const { log, write, linesDropped } = output;
  const inherited = await takeInheritance(predecessor, version);
  const surroundings = {
    ...{ version, log, write, linesDropped, inherited },
    source: watching.through(options.source),
    guards: [privileges],
    bound: () => privileges.settle(),
    parts: [output.follower, watching],
    movesPorts: demo?.moves ?? false,
    yieldsAdmin: demo?.yieldsAdmin ?? false,
    isSuccessor: predecessor !== null,
    membership: predecessor?.membership,
  };
  const open = (wanted: Config): Promise<Daemon> =>
    Daemon.open(wanted, surroundings, callOff).catch(async (error: unknown) => {
      const listener = error instanceof StartError ? error.listener : null;
      const less = listener === null ? null : await options.without(listener);
      if (less === null || callOff.aborted) throw error;
      return open(less);
    });
  const daemon = await open(config);
  const { totals } = daemon.handover;
  if (totals) predecessor?.follow(totals);
  return daemon;
}

/** What serves. */
interface Serving {
  readonly daemon: Daemon;
  readonly service: ServiceManager;
  readonly reloading: Reloading;
  readonly watching: Watching;
  readonly upgrading: Upgrading;
  readonly upgrade: Upgrade;
  /** The process that this one replaces, until it has ended. */
  readonly predecessor: Predecessor | null;
  readonly options: RunOptions;
  readonly log: Logger;
}

const serviceManager = (log: Logger): ServiceManager =>
  new ServiceManager({ environment: process.env, pid: process.pid, log, clock: systemClock });

/** Serves until `drain` is aborted or another process takes over, then until the remaining sessions have ended. */
async function serve(serving: Serving, drain: AbortSignal): Promise<boolean> {
  const { daemon, service, reloading, watching, upgrading, upgrade, predecessor, log } = serving;
  if (drain.aborted) return true; // signalled during the DNS look-ups
  const draining = untilAborted(AbortSignal.any([drain, daemon.drainRequested]));
  const started = await Promise.race([start(serving).then(() => true), draining.then(() => false)]);
  if (started) {
    sayReady(serving);
    reloading.begin(daemon.settings, {
      reloading: () => service.reloading(),
      reloaded: ({ result }) => service.ready(`${servingStatus(daemon)}; last reload: ${result}`),
    });
    watching.begin(daemon.settings);
    upgrading.begin(upgrade);
    const isTold = await Promise.race([draining.then(() => true), upgrade.handedOver]);
    if (isTold) log.info('told to stop: a second SIGTERM or SIGINT ends all sessions at once');
  }
  upgrade.callOff();
  service.stopping(`draining, ${daemon.sessions} sessions open`);
  const { gracefulShutdownTimeoutMs } = daemon.settings.current.config.server;
  // Its totals pass through this process.
  const predecessorEnded = Promise.race([predecessor?.ended, sleep(gracefulShutdownTimeoutMs)]);
  const allEnded = await daemon.drain();
  await predecessorEnded;
  return allEnded;
}

async function start({ daemon, predecessor }: Serving): Promise<void> {
  try {
    await daemon.start();
    await predecessor?.takeOver();
    if (predecessor) daemon.handover.takeOver();
    void predecessor?.ended.then(() => daemon.handover.outlived());
  } catch (error) {
    // The sockets were shared already: sessions that came here may end.
    if (daemon.sessions > 0) await daemon.drain();
    throw error;
  }
}

function upgradeOf({
  daemon,
  service,
  output,
  privileges,
}: Pick<Serving, 'daemon' | 'service'> & Pick<Surroundings, 'output' | 'privileges'>): Upgrade {
  const standardError = new LineSink(STDERR);
  return new Upgrade({
    log: output.log,
    clock: systemClock,
    start: (fd) => privileges.passOn(() => startAgain(process, fd)),
    estate: () => daemon.handover.estate,
    timeoutMs: () => daemon.settings.current.config.server.upgradeTimeoutMs,
    writeError: (text) => standardError.write(text),
    hold: async () => {
      const release = await daemon.handover.keepSockets('an upgrade is under way');
      const unshare = output.share();
      return () => {
        unshare();
        release();
      };
    },
    giveWay: (pid) => {
      daemon.handover.giveWay();
      service.handOver(pid);
    },
  });
}

function sayReady({ daemon, service, options: { version, demo, source }, log }: Serving): void {
  const { listeners, workers, admin } = daemon;
  const shown = demo === null ? undefined : listeners[0];
  const hint = shown && { try: [...examplesFor(shown.address), ...controlExamples(admin)] };
  log.info({ listeners, workers, ...(admin && { admin }), pid: process.pid, version, ...hint }, 'ready');
  service.ready(servingStatus(daemon));
  service.watch(() => daemon.isAlive);
  // Frees garbage of the start-up; the primary allocates little later, so V8 would not.
  native.compactHeap();
  // The garbage of a change, and what the thread that read it had. In steps: with `accept: handoff` new connections wait
  // for this thread, and a full compaction, two collections in a row, stops it for longer and frees no more.
  source.onRest?.(() => {
    native.compactHeapSoon();
    native.trimMemory();
  });
}

const servingStatus = ({ listeners, workers }: Daemon): string =>
  `serving ${counted(listeners.length, 'listener')} with ${counted(workers, 'worker')}`;

/** `left`: sessions of hung workers, which have no log lines of their own. */
function sayStopped(allEnded: boolean, left: number, log: Logger): void {
  if (allEnded) log.info('stopped');
  else log.info(left > 0 ? { sessions_left: left } : {}, 'stopped before every session had ended');
}

function awaitSignals(
  { log, place }: Output,
  reloading: Reloading,
  upgrading: Upgrading,
): { drain: AbortSignal; stop: AbortSignal } {
  const drain = new AbortController();
  const stop = new AbortController();
  hearSignals({
    drain: () => drain.abort(),
    stop: () => stop.abort(),
    reload: () => reloading.hangUp(),
    upgrade: () => upgrading.signal(),
    reopenLogs: reopening(place, log),
  });
  return { drain: drain.signal, stop: stop.signal };
}

function reopening(place: LogPlace, log: Logger): (signal: NodeJS.Signals) => void {
  const limited = (write: LogLine) => rateLimited(write, SIGNAL_LINES_PER_SECOND, systemClock.nowMs);
  const done = limited((fields, message) => log.info(fields, message));
  const notDone = limited((fields, message) => log.warn(fields, message));
  return async (signal) => {
    const file = place.path;
    if (file === null) return notDone({ signal }, 'the log goes to standard output: no file to reopen');
    const reason = await place.reopen();
    if (reason === null) done({ signal, file }, 'the log file is opened anew');
    else notDone({ signal, file, reason }, 'the log file can not be opened anew: the old one is written to');
  };
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
