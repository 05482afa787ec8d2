/** The events of an instance, and the one place that delivers them: a listener that throws harms nobody. */
import { EventEmitter } from 'node:events';
import { describeFailure } from '../base/failure.js';
import type { Diff } from '../model/diff.js';
import type { Facts } from '../model/facts.js';
import type { Ender, Reason, Stage } from '../model/session.js';
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

/** A session at its end. Bytes up are from the client; times are milliseconds. */
export interface EndedSession {
  /** When it ended. */
  readonly time: Date;
  readonly listener: string;
  /** Its id; null: not identified. */
  readonly protocol: string | null;
  /** What its first bytes said: `sni`, `host` … */
  readonly facts: Facts;
  /** `ADDRESS:PORT` of the client, or `unix`. */
  readonly source: string;
  readonly upstream: string | null;
  readonly endpoint: string | null;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly identifyMs: number;
  readonly connectMs: number;
  readonly durationMs: number;
  /** Who ended it. */
  readonly by: Ender;
  /** At which stage. */
  readonly during: Stage;
  readonly reason: Reason;
  /** The failure: an errno, a limit, or what a handler threw. */
  readonly error?: string;
  /** The route or key that rejected it. */
  readonly route?: string;
  /** First bytes of an opening that was not recognised, in hexadecimal. */
  readonly opening?: string;
  readonly worker: number;
}

export interface EndpointChange {
  readonly upstream: string;
  readonly endpoint: string;
  readonly state: 'up' | 'down';
  /** Why it is down: the name of an errno. */
  readonly error: string | null;
}

type Name = keyof AnyportEvents;

export class Events extends EventEmitter<AnyportEvents> {
  /** Takes errors that no listener takes. */
  readonly #unheard: (error: AnyportError) => void;

  constructor(unheard: (error: AnyportError) => void) {
    super();
    this.#unheard = unheard;
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
