/** Splits the limit of open files (RLIMIT_NOFILE) into connections and splice pipes. Pure. */
import { proberLimits } from '../health/prober.js';

export const fdBudget = {
  /** Node itself, the log, DNS, and monitoring under full load. */
  reserve: 40,
  /** The control interface under full load: its connections (`adminLimits`), its socket, one in reserve. */
  control: 34,
  /** Event loops, epoll set and inbox of a thread. */
  perWorker: 10,
  /** The primary's socket and the worker's duplicate. */
  perListeningSocket: 2,
  /** Client socket and endpoint socket. */
  perConnection: 2,
  /** Client socket, and the socket pair between engine and handler. */
  perHandledConnection: 3,
  perPipe: 2,
  /** A probe's socket. Names of several addresses that are all ill take more, for as long as a probe lasts. */
  perProbe: 1,
  /** Up to 1 MiB of kernel memory each, mostly 256 KiB; sessions without a pipe copy. */
  pipesPerWorkerMax: 256,
  /** Handoff mode: connections beyond the limit in flight to a worker, which refuses them. */
  onTheirWay: 128,
} as const;

export interface FdDemand {
  readonly connections: number;
  readonly workers: number;
  readonly listeningSockets: number;
  /** Handoff mode: the primary accepts. */
  readonly handoff: boolean;
  /** Whether there is a control interface. */
  readonly control: boolean;
  /** Connections opened ahead. */
  readonly warm: number;
  /** Whether any session may be served by an in-process handler. */
  readonly handlers: boolean;
  /** Endpoints with a health check. */
  readonly checked: number;
  /** Connections that the tarpit may hold. */
  readonly tarpit: number;
}

export interface FdFit {
  /** Connections that can be served, at most the configured number; 0 when the limit does not suffice for one. */
  readonly connections: number;
  /** Descriptors needed for the configured number. */
  readonly needed: number;
  /** Splice pipes per worker from the remaining descriptors, up to `pipesPerWorkerMax`; beyond it, copy. */
  readonly pipes: number;
}

export function fitConnections(demand: FdDemand, fileLimit: number): FdFit {
  const each = demand.handlers ? fdBudget.perHandledConnection : fdBudget.perConnection;
  const fixed =
    fdBudget.reserve +
    demand.workers * fdBudget.perWorker +
    (demand.handoff ? fdBudget.onTheirWay : 0) +
    (demand.control ? fdBudget.control : 0) +
    demand.warm +
    demand.tarpit +
    Math.min(demand.checked, proberLimits.probesMax) * fdBudget.perProbe +
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
