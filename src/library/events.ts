/** The events of an instance, and the one place that delivers them: a listener that throws harms nobody. */
import { EventEmitter } from 'node:events';
import { describeFailure } from '../base/failure.js';
import type { Diff } from '../model/diff.js';
import type { EndedSession, EndpointChange } from '../model/report.js';
import { AnyportError } from './error.js';
import type { AnyportOptions } from './options.js';

export interface AnyportEvents {
  /** Another configuration is in force everywhere: the new one, as `config` has it, and what it changed. */
  configChange: [next: AnyportOptions, diff: Diff];
  /**
   * A session has ended: its line of the access log. Lines are made only while somebody listens, for sessions that
   * begin after that, and at most `logging.accessLogRate` a second; the rest is counted as dropped.
   */
  session: [session: EndedSession];
  /** An endpoint can not be reached, or is reached again, as the sessions of one worker find it. */
  endpoint: [change: EndpointChange];
  /**
   * A change that nobody awaited was refused, or a listener of another event threw. Without a listener it is logged;
   * it never ends the process.
   */
  error: [error: AnyportError];
}

type Name = keyof AnyportEvents;

export class Events extends EventEmitter<AnyportEvents> {
  /** Takes errors that no listener takes. */
  readonly #unheard: (error: AnyportError) => void;
  /** Called when the first listener of `session` has come, and when the last one goes. */
  readonly #wanted: (sessions: boolean) => void;

  constructor(unheard: (error: AnyportError) => void, wanted: (sessions: boolean) => void) {
    super();
    this.#unheard = unheard;
    this.#wanted = wanted;
    this.#watchListeners();
  }

  override removeAllListeners(event?: unknown): this {
    super.removeAllListeners(event as undefined);
    if (event !== undefined) return this;
    this.#wanted(false);
    this.#watchListeners();
    return this;
  }

  #watchListeners(): void {
    const emitter = this as unknown as NodeJS.EventEmitter;
    const none = () => emitter.listenerCount('session') === 0;
    emitter.on('newListener', (event) => event === 'session' && none() && this.#wanted(true));
    emitter.on('removeListener', (event) => event === 'session' && none() && this.#wanted(false));
  }

  /** Calls every listener, whatever the others do; never throws, for `error` without a listener neither. */
  tell<Event extends Name>(event: Event, ...values: AnyportEvents[Event]): void {
    const listeners = this.rawListeners(event);
    if (event === 'error' && listeners.length === 0) this.#unheard(values[0] as AnyportError);
    for (const listener of listeners) this.#call(event, listener, values);
  }

  #call(event: Name, listener: unknown, values: readonly unknown[]): void {
    const failed = (cause: unknown) => {
      const { error: text } = describeFailure(cause);
      const error = new AnyportError('listener_failed', `a listener of \`${event}\` failed: ${text}`, {
        cause,
      });
      if (event === 'error') this.#unheard(error);
      else this.tell('error', error);
    };
    try {
      const result: unknown = Reflect.apply(listener as () => unknown, this, values);
      if (result instanceof Promise) result.catch(failed);
    } catch (cause) {
      failed(cause);
    }
  }
}
