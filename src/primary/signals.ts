/** What the process is told from outside. */
import type { EventEmitter } from 'node:events';

export interface SignalActions {
  /** SIGTERM or SIGINT, the first: finish what is under way. */
  drain(signal: NodeJS.Signals): void;
  /** A further one: stop at once. */
  stop(signal: NodeJS.Signals): void;
  /** SIGHUP and SIGUSR2: what they ask for can not be done yet. Unhandled, they would kill the process. */
  notYet(signal: NodeJS.Signals): void;
}

/** Returns a way to hear no more. `source` is the process. */
export function hearSignals(actions: SignalActions, source: EventEmitter = process): () => void {
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
  ];
  for (const [signal, listener] of listeners) source.on(signal, listener);
  return () => {
    for (const [signal, listener] of listeners) source.off(signal, listener);
  };
}
