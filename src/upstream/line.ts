/** Endpoints on a line, each as long as its weight: a point on it is an endpoint. Found by halving. */
export class Line {
  /** Endpoints with a weight, in order. */
  readonly #endpoints: Int32Array;
  /** Where each of them ends. */
  readonly #ends: Float64Array;
  #count = 0;
  #length = 0;

  /** `endpoints`: how many there are. */
  constructor(endpoints: number) {
    this.#endpoints = new Int32Array(endpoints);
    this.#ends = new Float64Array(endpoints);
  }

  weigh(weights: Float64Array): void {
    this.#count = 0;
    this.#length = 0;
    for (let endpoint = 0; endpoint < weights.length; endpoint++) {
      const weight = weights[endpoint] as number;
      if (weight <= 0) continue;
      this.#length += weight;
      this.#endpoints[this.#count] = endpoint;
      this.#ends[this.#count] = this.#length;
      this.#count += 1;
    }
  }

  /** Sum of the weights; 0: nobody is there. */
  get length(): number {
    return this.#length;
  }

  /** `point`: in [0, length). */
  at(point: number): number {
    let [low, high] = [0, this.#count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (point < (this.#ends[middle] as number)) high = middle;
      else low = middle + 1;
    }
    return this.#endpoints[low] as number;
  }

  /** The first from this point on, and around, that is not passed over; -1: none. A scan, for when most are. */
  firstFrom(point: number, passesOver: (endpoint: number) => boolean): number {
    let from = 0;
    while (from < this.#count && (this.#ends[from] as number) <= point) from += 1;
    for (let step = 0; step < this.#count; step++) {
      const endpoint = this.#endpoints[(from + step) % this.#count] as number;
      if (!passesOver(endpoint)) return endpoint;
    }
    return -1;
  }
}
