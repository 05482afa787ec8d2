/**
 * How many nodes share a limit: those that are registered, this one among them. A change counts once it has lasted for a
 * while, so that nodes that restart one after the other change nothing; in an outage the last number stays.
 */
import type { Follower, Link } from './link.js';

/** How long another number has to last; the first one counts at once. */
export const NODES_SETTLE_MS = 5000;

export class NodeCount implements Follower {
  readonly #changed: (nodes: number) => void;
  #nodes = 1;
  /** Others have been seen, or that there are none. */
  #hasCounted = false as boolean;
  #forget: () => void = () => {};
  #cancel: () => void = () => {};

  /** `changed`: with 1 or more, where limits are to be divided. */
  constructor(changed: (nodes: number) => void) {
    this.#changed = changed;
  }

  follow(link: Link | null): void {
    this.#forget();
    this.#cancel();
    this.#forget = () => {};
    if (!link?.config.dividesLimits) return;
    this.#forget = link.nodes.onChange(() => this.#look(link));
    this.#look(link);
  }

  #look(link: Link): void {
    this.#cancel();
    const nodes = countOf(link);
    const isFirst = !this.#hasCounted && link.nodes.all.length > 0;
    this.#hasCounted ||= isFirst;
    if (nodes === this.#nodes) return;
    if (isFirst) this.#take(nodes);
    else this.#cancel = link.clock.after(NODES_SETTLE_MS, () => this.#take(nodes));
  }

  #take(nodes: number): void {
    this.#nodes = nodes;
    this.#changed(nodes);
  }
}

/** One that is not registered serves all the same. */
const countOf = ({ nodes, config }: Link): number =>
  new Set([...nodes.all.map(({ id }) => id), config.nodeId]).size;
