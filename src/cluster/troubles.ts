/** What fails now of a connection to etcd. Whatever fails until all is well again is one outage, in which each reason is told once. */
import { EtcdFailure } from './etcd/failure.js';

export const troubleLimits = {
  /** Of one outage; further ones are only in the status. */
  reasonsTold: 16,
} as const;

export interface TroublesOptions {
  /** `what`: the part that has failed for this reason first; `fields` are its own. */
  readonly onFailure: (what: string, error: string, fields: object) => void;
  /** Nothing fails any more. */
  readonly onRecovery: () => void;
}

export class Troubles {
  readonly #options: TroublesOptions;
  /** What has failed last, by part, in the order in which parts began to fail. */
  readonly #now = new Map<string, string>();
  /** In this outage. */
  readonly #told = new Set<string>();
  #outages = 0;

  constructor(options: TroublesOptions) {
    this.#options = options;
  }

  /** So far. */
  get outages(): number {
    return this.#outages;
  }

  /** Of what failed first; null: all is well. */
  get first(): { readonly what: string; readonly error: string } | null {
    for (const [what, error] of this.#now) return { what, error };
    return null;
  }

  begin(what: string, error: Error, fields: object = {}): void {
    if (this.#now.size === 0) this.#outages += 1;
    this.#now.set(what, error.message);
    const reason = reasonOf(error);
    if (this.#told.has(reason) || this.#told.size >= troubleLimits.reasonsTold) return;
    this.#told.add(reason);
    this.#options.onFailure(what, error.message, fields);
  }

  end(what: string): void {
    if (!this.#now.delete(what) || this.#now.size > 0) return;
    this.#told.clear();
    this.#options.onRecovery();
  }
}

/** That nobody answers is one reason, whatever becomes of connections meanwhile; and members that fail alike are one. */
function reasonOf(error: Error): string {
  const isAway = error instanceof EtcdFailure && (error.kind === 'unreachable' || error.kind === 'late');
  return isAway ? 'away' : error.message.replace(/^etcd at \S+: /, '');
}
