/** The `size` items with the highest keys of any number of items, in memory for twice as many. */
export class Top<T> {
  readonly #size: number;
  #kept: { readonly key: number; readonly item: T }[] = [];
  /** Items with lower keys are among the rest. */
  #least = Number.NEGATIVE_INFINITY;

  constructor(size: number) {
    this.#size = size;
  }

  /** `make` is called only for an item that may be among the highest. */
  offer(key: number, make: () => T): void {
    if (key < this.#least) return;
    this.#kept.push({ key, item: make() });
    if (this.#kept.length >= 2 * this.#size) this.#trim();
  }

  /** The highest first. */
  items(): T[] {
    this.#trim();
    return this.#kept.map(({ item }) => item);
  }

  #trim(): void {
    this.#kept = this.#kept.sort((a, b) => b.key - a.key).slice(0, this.#size);
    if (this.#kept.length === this.#size) this.#least = this.#kept.at(-1)?.key ?? this.#least;
  }
}
