/** The daemon's signal handlers, installed for the life of the process: no signal has its default action again. */
import type { EventEmitter } from 'node:events';

export interface SignalActions {
  /** The first SIGTERM or SIGINT: drain. */
  drain(signal: NodeJS.Signals): void;
  /** Each further SIGTERM or SIGINT: stop at once. */
  stop(signal: NodeJS.Signals): void;
  /** SIGHUP: read the configuration again. */
  reload(signal: NodeJS.Signals): void;
  /** SIGUSR2: another process of the program as it is installed now takes over. */
  upgrade(signal: NodeJS.Signals): void;
  /** SIGUSR1: reopen log files. */
  reopenLogs(signal: NodeJS.Signals): void;
}

/** `source`: the process, by default. */
export function hearSignals(actions: SignalActions, source: EventEmitter = process): void {
  let drained = false;
  const end = (signal: NodeJS.Signals) => {
    if (drained) actions.stop(signal);
    else actions.drain(signal);
    drained = true;
  };
  const listeners: readonly (readonly [NodeJS.Signals, (signal: NodeJS.Signals) => void])[] = [
    ['SIGTERM', end],
    ['SIGINT', end],
    ['SIGHUP', actions.reload],
    ['SIGUSR2', actions.upgrade],
    ['SIGUSR1', actions.reopenLogs],
  ];
  for (const [signal, listener] of listeners) source.on(signal, listener);
}
