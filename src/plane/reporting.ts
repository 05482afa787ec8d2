/** What workers report to an embedding program: sessions on demand, endpoints always. */
import type { ToWorker, WorkerReporting } from '../model/message.js';
import type { Report } from '../model/report.js';

export interface ReportingParts {
  /** Numbers of the workers that run. */
  running(): readonly number[];
  post(worker: number, message: ToWorker): void;
}

export class Reporting {
  readonly #take: ((reports: readonly Report[]) => void) | undefined;
  readonly #parts: ReportingParts;
  #sessions = false;

  /** `take`: absent if nothing is reported. */
  constructor(take: ((reports: readonly Report[]) => void) | undefined, parts: ReportingParts) {
    this.#take = take;
    this.#parts = parts;
  }

  /** Whether ended sessions are reported, from now on. */
  set sessions(wanted: boolean) {
    this.#sessions = wanted;
    for (const worker of this.#parts.running())
      this.#parts.post(worker, { type: 'report', sessions: wanted });
  }

  /** For a worker that starts. */
  get setup(): { readonly reporting?: WorkerReporting } {
    return this.#take === undefined ? {} : { reporting: { sessions: this.#sessions } };
  }

  heard(reports: readonly Report[]): void {
    this.#take?.(reports);
  }
}
