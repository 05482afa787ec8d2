/** What the process is told from outside, from its start to its end: no signal ever has its default action again. */
import type { EventEmitter } from 'node:events';

export interface SignalActions {
  /** SIGTERM or SIGINT, the first: finish what is under way. */
  drain(signal: NodeJS.Signals): void;
  /** Each further one: stop at once. */
  stop(signal: NodeJS.Signals): void;
  /** SIGHUP and SIGUSR2: what they ask for can not be done yet. */
  notYet(signal: NodeJS.Signals): void;
  /** SIGUSR1. */
  reopenLogs(signal: NodeJS.Signals): void;
}

/** `source` is the process. */
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
    ['SIGHUP', actions.notYet],
    ['SIGUSR2', actions.notYet],
    ['SIGUSR1', actions.reopenLogs],
  ];
  for (const [signal, listener] of listeners) source.on(signal, listener);
}
