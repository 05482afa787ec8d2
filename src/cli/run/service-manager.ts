/**
 * State notifications to the service manager (sd_notify(3)), if NOTIFY_SOCKET is set. They never block: while the service
 * manager's queue is full they wait, in order.
 */
import { native } from '../../addon.js';
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/log.js';

export const serviceManagerLimits = {
  /** Notifications waiting for room in the queue; further ones are lost. */
  pendingMax: 32,
  retryMs: 100,
} as const;

/** Variables that the service manager sets. */
export type ServiceEnvironment = Readonly<
  Partial<Record<'NOTIFY_SOCKET' | 'WATCHDOG_USEC' | 'WATCHDOG_PID', string>>
>;

export interface ServiceSurroundings {
  readonly environment: ServiceEnvironment;
  readonly pid: number;
  readonly log: Logger;
  readonly clock: Clock;
  /** Sends a datagram; throws with `code`. */
  readonly notify?: (socket: string, text: string) => void;
}

export class ServiceManager {
  readonly #socket: string;
  readonly #around: ServiceSurroundings;
  readonly #pending: string[] = [];
  #isRetrying = false as boolean;
  #hasFailed = false;
  #isSilent = false as boolean;
  #stopWatchdog: () => void = () => {};

  constructor(around: ServiceSurroundings) {
    this.#socket = around.environment.NOTIFY_SOCKET ?? '';
    this.#around = around;
  }

  /** Started, or a reload has ended. */
  ready(status: string): void {
    this.#tell('READY=1', `STATUS=${status}`);
  }

  /** A reload begins; `ready` ends it. */
  reloading(): void {
    // Both sides read CLOCK_MONOTONIC.
    const microseconds = process.hrtime.bigint() / 1000n;
    this.#tell('RELOADING=1', `MONOTONIC_USEC=${microseconds}`, 'STATUS=reloading');
  }

  stopping(status: string): void {
    this.#tell('STOPPING=1', `STATUS=${status}`);
  }

  /** One line for `systemctl status`. */
  status(text: string): void {
    this.#tell(`STATUS=${text}`);
  }

  /** Another process is the service from now on; this one tells nothing more. */
  handOver(pid: number): void {
    this.#tell(`MAINPID=${pid}`);
    this.#isSilent = true;
    this.#stopWatchdog();
  }

  /** Keeps the watchdog quiet, if there is one, as long as `isHealthy`. */
  watch(isHealthy: () => boolean): void {
    const intervalMs = watchdogIntervalMs(this.#around.environment, this.#around.pid);
    if (intervalMs === null) return;
    const look = () => {
      if (isHealthy()) this.#tell('WATCHDOG=1');
      this.#stopWatchdog = this.#around.clock.after(intervalMs, look);
    };
    look();
  }

  close(): void {
    this.#stopWatchdog();
  }

  #tell(...lines: readonly string[]): void {
    if (this.#socket === '' || this.#isSilent) return;
    if (this.#pending.length < serviceManagerLimits.pendingMax) this.#pending.push(lines.join('\n'));
    if (!this.#isRetrying) this.#sendPending();
  }

  #sendPending(): void {
    this.#isRetrying = false;
    for (let text = this.#pending[0]; text !== undefined; text = this.#pending[0]) {
      if (!this.#sends(text)) return this.#retryLater();
      this.#pending.shift();
    }
  }

  /** False: the queue is full. Another failure is logged once. */
  #sends(text: string): boolean {
    const { notify = native.notify, log } = this.#around;
    try {
      notify(this.#socket, text);
      this.#hasFailed = false;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN') return false;
      const fields = { socket: this.#socket, state: text.split('\n')[0], error: message };
      if (!this.#hasFailed) log.warn(fields, 'the service manager can not be told');
      this.#hasFailed = true;
    }
    return true;
  }

  #retryLater(): void {
    this.#isRetrying = true;
    this.#around.clock.after(serviceManagerLimits.retryMs, () => this.#sendPending());
  }
}

/** Half of the time after which the service manager would act; null: it does not watch this process. */
export function watchdogIntervalMs(
  { WATCHDOG_USEC, WATCHDOG_PID }: ServiceEnvironment,
  pid: number,
): number | null {
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(pid)) return null;
  const microseconds = Number(WATCHDOG_USEC ?? Number.NaN);
  return microseconds > 0 ? Math.max(1, Math.floor(microseconds / 2000)) : null;
}
