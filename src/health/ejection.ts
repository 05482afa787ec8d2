/** What sessions have made known of one endpoint: failures in a window, and for how long it is left alone. Pure. */

export const ejectionLimits = {
  /** The time of an ejection doubles up to so many times the configured one. */
  timesMax: 16,
  /** Parts of the window that failures are counted in. */
  partsMax: 64,
} as const;

export interface EjectionSettings {
  readonly max_fails: number;
  readonly window: number;
  /** The first time; doubled with each repetition. */
  readonly eject: number;
}

export interface Ejection {
  /** Failures by time, oldest first, none older than the window. */
  readonly failures: readonly { readonly atMs: number; readonly count: number }[];
  /** Null: it is not ejected. */
  readonly untilMs: number | null;
  /** How long the latest ejection is or was; 0: there was none. */
  readonly lastMs: number;
  /** When it came back from its latest ejection. */
  readonly backMs: number;
}

export const neverEjected: Ejection = { failures: [], untilMs: null, lastMs: 0, backMs: 0 };

/** Sessions that were on their way when it was ejected say nothing new. */
export function withFailures(
  before: Ejection,
  count: number,
  nowMs: number,
  { window }: EjectionSettings,
): Ejection {
  if (before.untilMs !== null) return before;
  const recent = before.failures.filter(({ atMs }) => atMs > nowMs - window);
  const last = recent.at(-1);
  const joins = last !== undefined && nowMs - last.atMs < window / ejectionLimits.partsMax;
  const failures = joins
    ? [...recent.slice(0, -1), { atMs: last.atMs, count: last.count + count }]
    : [...recent, { atMs: nowMs, count }];
  return { ...before, failures };
}

/** Whether it has failed too often. */
export const hasFailed = ({ failures, untilMs }: Ejection, { max_fails: max }: EjectionSettings): boolean =>
  untilMs === null && failures.reduce((sum, { count }) => sum + count, 0) >= max;

/** Twice as long as the latest one, unless it has been well for as long since. */
export function ejected(before: Ejection, nowMs: number, { eject }: EjectionSettings): Ejection {
  const isRepeated = before.lastMs > 0 && nowMs - before.backMs <= before.lastMs;
  const lastMs = isRepeated ? Math.min(before.lastMs * 2, eject * ejectionLimits.timesMax) : eject;
  return { ...before, failures: [], untilMs: nowMs + lastMs, lastMs };
}

export const returned = (before: Ejection, nowMs: number): Ejection => ({
  ...before,
  failures: [],
  untilMs: null,
  backMs: nowMs,
});

/** Endpoints of one upstream. */
export interface EjectionCounts {
  readonly endpoints: number;
  readonly ejected: number;
  /** New sessions go there. */
  readonly usable: number;
}

/** Whether another of its upstream's endpoints may be ejected. `percent`: of all of them. */
export const mayEject = ({ endpoints, ejected: already, usable }: EjectionCounts, percent: number): boolean =>
  already + 1 <= ejectedMax(endpoints, percent) && usable > 1;

/** How many have to return early: others have gone since, from the configuration or by a check. */
export const mustReturn = ({ endpoints, ejected: now, usable }: EjectionCounts, percent: number): number =>
  Math.max(0, now - ejectedMax(endpoints, percent), now > 0 && usable === 0 ? 1 : 0);

const ejectedMax = (endpoints: number, percent: number): number => Math.floor((endpoints * percent) / 100);
