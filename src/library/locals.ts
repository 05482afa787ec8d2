/** Functions that the caller gave where the file has modules: by name in the document, by reference in the table. */
import { isLocal, localName } from '../base/user-module.js';

export class Locals {
  /** Shared with the data plane. */
  readonly table = new Map<string, unknown>();
  readonly #names = new Map<unknown, string>();
  #last = 0;

  /** The same name for the same function: it is no change to give it again. */
  nameOf(code: unknown): string {
    const known = this.#names.get(code);
    if (known !== undefined) return known;
    this.#last += 1;
    const name = localName(this.#last);
    this.#names.set(code, name);
    this.table.set(name, code);
    return name;
  }

  /** Forgets the functions that `document` does not name. */
  keepOnly(document: unknown): void {
    const named = new Set<string>();
    collect(document, named);
    for (const [name, code] of this.table) {
      if (named.has(name)) continue;
      this.table.delete(name);
      this.#names.delete(code);
    }
  }
}

function collect(value: unknown, names: Set<string>): void {
  if (typeof value === 'string') {
    if (isLocal(value)) names.add(value);
  } else if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) collect(inner, names);
  }
}
