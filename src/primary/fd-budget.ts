/** How many connections the limit of open files allows, and what is left over for splicing. Pure. */

export const fdBudget = {
  /** Node itself, the log, DNS, and what monitoring needs to answer when connections have taken their share. */
  reserve: 40,
  /** A thread's event loops, its epoll set, its inbox. */
  perWorker: 10,
  /** The primary's socket, and the worker's duplicate. */
  perListeningSocket: 2,
  /** The client's and the endpoint's socket. */
  perConnection: 2,
  /** The client's socket, and the pair between the engine and a handler. */
  perHandledConnection: 3,
  perPipe: 2,
  /** They hold up to 1 MiB of kernel memory each, most of them 256 KiB; past so many bytes are copied. */
  pipesPerWorkerMax: 256,
  /** Handoff: connections beyond the limit that are on their way to a worker, which refuses them. */
  onTheirWay: 128,
} as const;

export interface FdDemand {
  readonly connections: number;
  readonly workers: number;
  readonly listeningSockets: number;
  /** The primary accepts, and hands over. */
  readonly handoff: boolean;
  /** Whether any session may be served by an in-process handler. */
  readonly handlers: boolean;
}

export interface FdFit {
  /** Connections that can be served, at most as many as are wanted; 0 when the limit is too low for anything. */
  readonly connections: number;
  /** Descriptors that serving all of them takes. */
  readonly needed: number;
  /** Pipes to splice through that each worker may open with what is left over, up to a limit; without one it copies. */
  readonly pipes: number;
}

export function fitConnections(demand: FdDemand, fileLimit: number): FdFit {
  const each = demand.handlers ? fdBudget.perHandledConnection : fdBudget.perConnection;
  const fixed =
    fdBudget.reserve +
    demand.workers * fdBudget.perWorker +
    (demand.handoff ? fdBudget.onTheirWay : 0) +
    demand.listeningSockets * fdBudget.perListeningSocket;
  const possible = Math.max(0, Math.floor((fileLimit - fixed) / each));
  const connections = Math.min(demand.connections, possible);
  const left = Math.max(0, fileLimit - fixed - connections * each);
  return {
    connections,
    needed: fixed + demand.connections * each,
    pipes: Math.min(Math.floor(left / fdBudget.perPipe / demand.workers), fdBudget.pipesPerWorkerMax),
  };
}
