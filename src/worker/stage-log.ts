/** The debug log: what each stage of a session has found. */
import type { LogLine } from '../base/log.js';
import type { Stage } from '../model/session.js';
import type { Session } from './known-session.js';
import { tellsId } from './preamble.js';
import type { EventCursor } from './rings.js';
import { decisionText, idText, sourceText } from './session-line.js';

export interface StageLogOptions {
  readonly worker: number;
  readonly events: EventCursor;
  /** Null: debug logging is off. */
  readonly debug: LogLine | null;
}

export class StageLog {
  readonly #options: StageLogOptions;

  constructor(options: StageLogOptions) {
    this.#options = options;
  }

  /** Check before collecting fields: most sessions log nothing. */
  get isOn(): boolean {
    return this.#options.debug !== null;
  }

  tell(session: Session, stage: Stage, found: object): void {
    const { debug, events } = this.#options;
    if (debug === null) return;
    const { name: listener } = session.planListener;
    const source = session.tunnel?.sourceText ?? sourceText(events);
    const route = decisionText(session, session.runtime.plan);
    debug({ session: this.idOf(session), listener, source, stage, route, ...found }, 'stage');
  }

  /** Correlates lines of a session, and its endpoint's, where it is told; undefined without either. */
  idOf(session: Session): string | undefined {
    const isTold = tellsId(session.runtime.upstreams[session.upstream]?.plan);
    return this.isOn || isTold ? idText(this.#options.worker, session) : undefined;
  }
}
