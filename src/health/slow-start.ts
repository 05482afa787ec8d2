/** Slow start: the share of an endpoint that comes up rises over `slow_start`, so that it is not swamped while cold. */
import type { Clock } from '../base/clock.js';
import type { Plan, PlanEndpoint } from '../model/plan.js';
import { WHOLE_SHARE } from './table.js';

/** Steps of a rise; each makes every worker derive its weights again. */
const STEPS = 20;
/** Shortest time between two of them. */
const STEP_MS_MIN = 250;

/** Part of its weight, 0..256, of an endpoint that came up so long ago: a twentieth at first, then in proportion. */
export const shareAfter = (elapsedMs: number, lastsMs: number): number =>
  elapsedMs >= lastsMs
    ? WHOLE_SHARE
    : Math.max(Math.ceil(WHOLE_SHARE / STEPS), Math.floor((WHOLE_SHARE * elapsedMs) / lastsMs));

export interface SlowStartParts {
  readonly clock: Clock;
  /** 0..256. */
  readonly setShare: (endpoint: number, share: number) => void;
}

interface Rise {
  readonly beganMs: number;
  readonly lastsMs: number;
}

export class SlowStart {
  readonly #parts: SlowStartParts;
  readonly #rises = new Map<number, Rise>();
  /** By endpoint id, of those that the configuration and the operator let have sessions: `slow_start`. */
  #lasts: ReadonlyMap<number, number> | undefined;
  #stop: () => void = () => {};

  constructor(parts: SlowStartParts) {
    this.#parts = parts;
  }

  /** The Plan in force. Those of the first one begin whole; later, one that comes or may have sessions again rises. */
  follow(plan: Plan): void {
    const before = this.#lasts;
    this.#lasts = lastsOf(plan);
    for (const id of this.#rises.keys()) {
      if (this.#lasts.has(id)) continue;
      this.#rises.delete(id);
      this.#parts.setShare(id, WHOLE_SHARE);
    }
    if (before === undefined) return;
    for (const id of this.#lasts.keys()) if (!before.has(id)) this.rise(id);
  }

  /** It is well again. */
  rise(endpoint: number): void {
    const lastsMs = this.#lasts?.get(endpoint) ?? 0;
    if (lastsMs === 0) return;
    this.#rises.set(endpoint, { beganMs: this.#parts.clock.nowMs(), lastsMs });
    this.#step();
  }

  close(): void {
    this.#stop();
    this.#rises.clear();
  }

  #step(): void {
    const { clock, setShare } = this.#parts;
    this.#stop();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [id, { beganMs, lastsMs }] of this.#rises) {
      const share = shareAfter(clock.nowMs() - beganMs, lastsMs);
      setShare(id, share);
      if (share === WHOLE_SHARE) this.#rises.delete(id);
      else nextMs = Math.min(nextMs, Math.max(STEP_MS_MIN, lastsMs / STEPS));
    }
    if (this.#rises.size > 0) this.#stop = clock.after(nextMs, () => this.#step());
  }
}

function lastsOf({ upstreams, ids }: Plan): Map<number, number> {
  return new Map(
    upstreams.flatMap(({ options, endpoints }, index) =>
      endpoints.flatMap((endpoint, at) =>
        takesSessions(endpoint) ? [[ids.endpoints[index]?.[at] as number, options.slow_start] as const] : [],
      ),
    ),
  );
}

const takesSessions = ({ state, weight, addresses }: PlanEndpoint): boolean =>
  state === 'up' && weight > 0 && addresses.length > 0;
