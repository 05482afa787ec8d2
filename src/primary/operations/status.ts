/** The status as the control interface shows it. */
import type { DrainStarted, LastChangeStatus, Status } from '../../admin/control.js';
import { saidBy } from '../../config/said-by.js';
import { upstreamOrigins } from '../../config/upstream-origins.js';
import { configuredUpstreams } from '../../model/configured-upstreams.js';
import type { LastChange } from '../../model/settings.js';
import type { OperationsSource } from './source.js';

/** Problems of the last refused change that the status shows. */
const PROBLEMS_SHOWN_MAX = 100;

export function statusOf(source: OperationsSource): Status {
  const { version, startedAt, settings } = source;
  const { name, changedAt, config } = settings.current;
  const { origins } = config;
  const health = source.health();
  const snapshot = source.snapshot();
  return {
    version,
    pid: process.pid,
    startedAt: startedAt.toISOString(),
    uptimeSeconds: Math.round((Date.now() - startedAt.getTime()) / 100) / 10,
    status: health.status,
    listeners: health.listeners,
    config: { name, changedAt: new Date(changedAt).toISOString() },
    lastChange: settings.last && lastChangeOf(settings.last),
    saidBy: saidBy(origins, upstreamOrigins(configuredUpstreams(source.plan()), origins)),
    lists: source.lists(),
    cluster: source.cluster(),
    drain: health.status === 'draining' ? drainOf(source) : null,
    ...snapshot,
  };
}

export function drainOf(source: OperationsSource): DrainStarted {
  const { drainDelayMs: delayMs, gracefulShutdownTimeoutMs: deadlineMs } = source.server();
  return { sessions: source.snapshot().activeConnections, delayMs, deadlineMs };
}

function lastChangeOf({ cause, at, result }: LastChange): LastChangeStatus {
  const problems = result.result === 'refused' ? result.problems.slice(0, PROBLEMS_SHOWN_MAX) : [];
  return { cause, at: new Date(at).toISOString(), result: result.result, problems };
}
