/**
 * What this node tells others of its endpoints, and what follows from what they say. It never takes the last endpoint of an
 * upstream that this node can reach.
 */
import { NOBODY, type Verdict, type Verdicts, type Votes, verdictKey } from '../model/verdicts.js';
import type { Endpoint } from './endpoint.js';
import { isCommon, isOutvoted } from './votes.js';

export interface OthersParts {
  readonly endpoints: () => Iterable<Endpoint>;
  /** They say something else now: what follows from all is to be looked at. */
  readonly heard: () => void;
  /** They take this endpoint down, or not any more. */
  readonly turn: (endpoint: Endpoint, isOutvoted: boolean) => void;
}

export class Others {
  readonly #parts: OthersParts;
  /** Null: nobody is listened to. */
  #votes: Votes | null = null;
  /** Nothing that others have said counts: there is nothing to weigh. */
  #isAlone = true as boolean;

  constructor(parts: OthersParts) {
    this.#parts = parts;
  }

  /** From now on. */
  hear(votes: Votes | null): void {
    this.#votes = votes;
    this.#isAlone = false;
    for (const endpoint of this.#parts.endpoints()) this.tell(endpoint);
    this.#parts.heard();
  }

  /** An endpoint that is new, or whose Plan or options are. */
  tell(endpoint: Endpoint): void {
    const { upstream, name, plan, options } = endpoint;
    const isHeard =
      options?.health_check !== undefined &&
      isCommon(plan?.addresses ?? [], this.#votes?.allowLoopback ?? false);
    endpoint.others = (isHeard && this.#votes?.tallies.get(verdictKey(upstream, name))) || NOBODY;
  }

  /** By the checks of this node alone, of endpoints that are the same to every node. */
  verdicts(allowLoopback: boolean): Verdicts {
    const verdicts = new Map<string, Verdict>();
    for (const { upstream, name, verdict, plan } of this.#parts.endpoints())
      if (verdict !== null && isCommon(plan?.addresses ?? [], allowLoopback))
        verdicts.set(verdictKey(upstream, name), verdict);
    return verdicts;
  }

  /** After whatever may change whom they take down. */
  weigh(): void {
    if (this.#isAlone) return;
    this.#isAlone = this.#votes === null;
    const endpoints = [...this.#parts.endpoints()];
    const isAgainst = ({ verdict, others }: Endpoint) => isOutvoted(verdict, others);
    const against = new Set(endpoints.filter(isAgainst));
    const left = endpoints.filter((each) => each.wouldTakeSessions && !against.has(each));
    const served = new Set(left.map(({ upstreamId }) => upstreamId));
    for (const endpoint of endpoints) {
      const isNow = against.has(endpoint) && served.has(endpoint.upstreamId);
      if (isNow !== endpoint.isOutvoted) this.#parts.turn(endpoint, isNow);
    }
  }
}
