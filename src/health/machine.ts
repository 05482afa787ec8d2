/** What active checks have said of one endpoint, and what follows from the next answer. Pure. */
import type { AskedState } from '../model/health-status.js';
import type { Outcome } from './check.js';
import { WHOLE_SHARE } from './table.js';

export interface Health {
  readonly up: boolean;
  /** Answers in a row that contradict `up`. */
  readonly against: number;
  /** Not answered yet: it is up, and the first bad answer takes it down, as with HAProxy. */
  readonly isNew: boolean;
  /** Part of its weight that its agent asks for, 0..256. */
  readonly share: number;
  readonly asked: AskedState;
  /** The last bad answer; null: none since it came up. */
  readonly why: string | null;
  /** When `up` became what it is. */
  readonly sinceMs: number;
}

export interface HealthSettings {
  readonly rise: number;
  readonly fall: number;
  readonly interval: number;
  /** 0: as `interval`. */
  readonly fast_interval: number;
  /** Percent by which a wait may be shorter. */
  readonly jitter: number;
}

export type HealthEvent = 'up' | 'down' | 'asked';

export interface Step {
  readonly health: Health;
  /** In order; empty: nothing has changed for sessions. */
  readonly events: readonly HealthEvent[];
  /** From the start of this probe to the start of the next one. */
  readonly nextMs: number;
}

export const newHealth = (nowMs: number): Health => ({
  up: true,
  against: 0,
  isNew: true,
  share: WHOLE_SHARE,
  asked: 'ready',
  why: null,
  sinceMs: nowMs,
});

/** `random`: a number in [0, 1). */
export function step(
  before: Health,
  outcome: Outcome,
  nowMs: number,
  settings: HealthSettings,
  random: () => number,
): Step {
  const judged = judge(before, outcome, nowMs, settings);
  const health = outcome.well ? withAsked(judged, outcome) : judged;
  return { health, events: eventsOf(before, health), nextMs: waitMs(health, settings, random) };
}

/**
 * Other settings: the endpoint stays what it is, and its answers are counted anew. A check of another type would never
 * take back what an agent has asked for.
 */
export const resettled = (health: Health, isOtherType: boolean): Health => ({
  ...health,
  against: 0,
  ...(isOtherType && { share: WHOLE_SHARE, asked: 'ready' }),
});

/** Whether it may have new sessions. */
export const isUsable = ({ up, asked }: Health): boolean => up && asked === 'ready';

/** Whether it counts as down: draining it is not. */
export const isDown = ({ up, asked }: Health): boolean => !up || asked === 'maint';

function judge(before: Health, outcome: Outcome, nowMs: number, { rise, fall }: HealthSettings): Health {
  const why = outcome.well ? before.why : outcome.why;
  if (outcome.well === before.up) return { ...before, against: 0, isNew: false, why: before.up ? null : why };
  const against = before.against + 1;
  const needed = before.up ? (before.isNew ? 1 : fall) : rise;
  if (against < needed) return { ...before, against, isNew: false, why };
  return {
    ...before,
    up: outcome.well,
    against: 0,
    isNew: false,
    why: outcome.well ? null : why,
    sinceMs: nowMs,
  };
}

function withAsked(health: Health, { share, state }: Extract<Outcome, { well: true }>): Health {
  return { ...health, share: share ?? health.share, asked: state ?? health.asked };
}

/** What has changed for sessions, in order. */
export function eventsOf(before: Health, after: Health): HealthEvent[] {
  const events: HealthEvent[] = [];
  if (isDown(before) !== isDown(after)) events.push(isDown(after) ? 'down' : 'up');
  if (before.share !== after.share || before.asked !== after.asked) events.push('asked');
  return events;
}

/** Never longer than the interval, so that `fall` bad answers take no longer than `fall` intervals. */
function waitMs(
  { against }: Health,
  { interval, fast_interval: fast, jitter }: HealthSettings,
  random: () => number,
): number {
  const wholeMs = against > 0 && fast > 0 ? fast : interval;
  return wholeMs * (1 - (random() * jitter) / 100);
}
