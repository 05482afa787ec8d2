/**
 * The daemon as a process: signals tell it to end, its log is standard output, its end an exit status, and a service
 * manager is told how it is.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { native } from '../../addon.js';
import { systemClock } from '../../base/clock.js';
import { type Logger, rateLimited } from '../../base/log.js';
import type { Config, Demo } from '../../model/config.js';
import { Daemon } from '../../primary/daemon.js';
import { StartError } from '../../primary/start-error.js';
import { examplesFor } from './examples.js';
import { type Output, openOutput } from './output.js';
import { tellServiceManager } from './service-manager.js';
import { hearSignals } from './signals.js';

/** Of signals that change nothing; how many come is up to their sender. */
const SIGNAL_LINES_PER_SECOND = 1;

/** For threads to end and their connections to be reset, before the process ends without them. */
const CLOSE_MS_MAX = 500;

export interface RunOptions {
  readonly version: string;
  /** What the configuration's reader wants the user to know. */
  readonly warnings: readonly string[];
  /** Null: it is not the demonstration. */
  readonly demo: Demo | null;
}

/** Runs until the process is told to stop. Resolves with the exit status: 0 done, 1 failed while running. */
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

/** Ends the process whatever hangs in it: no handler runs, no thread is waited for. */
export const exitNow = (status: number): never => native.exit(status);

/** Resolves with whether every session ended of itself and in time. */
async function run(config: Config, options: RunOptions, output: Output): Promise<boolean> {
  const told = awaitSignals(output.log);
  const { log, write, linesDropped } = output;
  const { version, demo } = options;
  const surroundings = { version, log, write, linesDropped, movesPorts: demo?.moves ?? false };
  const daemon = await Daemon.open(config, surroundings, told.drain);
  try {
    const cut = untilAborted(told.stop).then(() => daemon.cut());
    const allEnded = await Promise.race([serve(daemon, options, log, told.drain), cut]);
    sayStopped(allEnded, daemon.sessions, log);
    return allEnded;
  } finally {
    // What hangs is left to the end of the process.
    await Promise.race([daemon.close(), sleep(CLOSE_MS_MAX)]);
  }
}

/** Until `drain`, and the end of the sessions that are left then. */
async function serve(daemon: Daemon, options: RunOptions, log: Logger, drain: AbortSignal): Promise<boolean> {
  if (drain.aborted) return true; // told so while names were asked for
  const draining = untilAborted(drain);
  const started = await Promise.race([daemon.start().then(() => true), draining.then(() => false)]);
  if (started) {
    sayReady(daemon, options, log);
    await draining;
  }
  tellServiceManager('STOPPING=1', log);
  return daemon.drain();
}

function sayReady({ listeners, workers }: Daemon, { version, demo }: RunOptions, log: Logger): void {
  const shown = demo === null ? undefined : listeners[0];
  const hint = shown && { try: examplesFor(shown.address) };
  log.info({ listeners, workers, pid: process.pid, version, ...hint }, 'ready');
  tellServiceManager('READY=1', log);
  // What the configuration's reading has left: the primary has little else to do.
  native.compactHeap();
}

/** `left`: sessions of workers that hang, of which nothing else is said. */
function sayStopped(allEnded: boolean, left: number, log: Logger): void {
  if (allEnded) log.info('stopped');
  else log.info(left > 0 ? { sessions_left: left } : {}, 'stopped before every session had ended');
}

function awaitSignals(log: Logger): { drain: AbortSignal; stop: AbortSignal } {
  const drain = new AbortController();
  const stop = new AbortController();
  const nothingDone = rateLimited(
    (fields, message) => log.warn(fields, message),
    SIGNAL_LINES_PER_SECOND,
    systemClock.nowMs,
  );
  hearSignals({
    drain: () => drain.abort(),
    stop: () => stop.abort(),
    notYet: (signal) =>
      nothingDone({ signal }, 'reload and upgrade are not implemented yet: nothing is changed'),
    reopenLogs: (signal) => nothingDone({ signal }, 'the log goes to standard output: no file to reopen'),
  });
  return { drain: drain.signal, stop: stop.signal };
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
