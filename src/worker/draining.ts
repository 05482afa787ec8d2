/** The end of a worker's sessions: by themselves until a deadline, all at once, or those of an endpoint. */
import type { Engine } from '../addon.js';
import { type Ender, enders, type Reason, reasons } from '../model/session.js';

export class Draining {
  readonly #engine: Pick<Engine, 'stopAccepting' | 'endAll' | 'endOf' | 'sessions'>;
  #deadline: NodeJS.Timeout | undefined;
  #turned = () => {};

  constructor(engine: Pick<Engine, 'stopAccepting' | 'endAll' | 'endOf' | 'sessions'>) {
    this.#engine = engine;
  }

  /** Call at the end of each turn of the engine. */
  turned(): void {
    this.#turned();
  }

  /** Resolves when the last session has ended; sessions left at the deadline are reset. Null: no deadline. */
  async drain(deadlineMs: number | null, handsOver: boolean, acceptingStopped: () => void): Promise<void> {
    this.#engine.stopAccepting(handsOver);
    acceptingStopped();
    if (deadlineMs !== null)
      this.#deadline ??= setTimeout(() => this.#endAll('timeout', 'drain_timeout'), deadlineMs);
    await this.#allEnded();
    clearTimeout(this.#deadline);
  }

  /** As a second `drain`, may interrupt one, which then never resolves. */
  async cut(): Promise<void> {
    clearTimeout(this.#deadline);
    this.#engine.stopAccepting();
    this.#endAll('admin', 'admin');
    await this.#allEnded();
  }

  /** Both sides of its sessions are reset. */
  endpointDown(endpoint: number): void {
    this.#engine.endOf(endpoint, enders.indexOf('upstream'), reasons.indexOf('upstream_gone'));
  }

  #endAll(by: Ender, reason: Reason): void {
    this.#engine.endAll(enders.indexOf(by), reasons.indexOf(reason));
  }

  #allEnded(): Promise<void> {
    return new Promise((resolve) => {
      // Sessions that end during a turn are reported within it.
      this.#turned = () => this.#engine.sessions() === 0 && setImmediate(resolve);
      this.#turned();
    });
  }
}
