/** What fails now of a connection to etcd. Parts of it that fail for one reason are one outage, told once. */

export interface TroublesOptions {
  /** `what`: the part that has failed first; `fields` are its own. */
  readonly onFailure: (what: string, error: string, fields: object) => void;
  /** Nothing fails any more. */
  readonly onRecovery: () => void;
}

export class Troubles {
  readonly #options: TroublesOptions;
  /** Reasons by what has failed. */
  readonly #now = new Map<string, string>();
  #outages = 0;

  constructor(options: TroublesOptions) {
    this.#options = options;
  }

  /** Outages that have been told. */
  get outages(): number {
    return this.#outages;
  }

  /** Of what failed first; null: all is well. */
  get first(): { readonly what: string; readonly error: string } | null {
    for (const [what, error] of this.#now) return { what, error };
    return null;
  }

  begin(what: string, error: string, fields: object = {}): void {
    const isNew = ![...this.#now.values()].includes(error);
    this.#now.set(what, error);
    if (!isNew) return;
    this.#outages += 1;
    this.#options.onFailure(what, error, fields);
  }

  end(what: string): void {
    if (this.#now.delete(what) && this.#now.size === 0) this.#options.onRecovery();
  }
}
