/** What an agent may ask for its endpoint. `ready`: nothing; `drain`, `maint`: no new sessions, and `maint` counts as down. */
export const askedStates = ['ready', 'drain', 'maint'] as const;
export type AskedState = (typeof askedStates)[number];

/** Health of one endpoint as users see it. */
export interface HealthStatus {
  /** Whether it may have new sessions as far as checks and sessions tell; also while an operator drains it. */
  readonly up: boolean;
  /** Why it is not; null: it is. */
  readonly why: string | null;
  /** Since when; null: since it is known. */
  readonly since: Date | null;
  /** Type of its active check; null: it has none. */
  readonly check: string | null;
  /** Null: it was not asked yet. */
  readonly lastCheck: LastCheck | null;
  /** When it gets sessions again that failed too often; null: it is not ejected. */
  readonly ejectedUntil: Date | null;
  readonly asks: AskedState;
  /** Part of its weight that counts now, 0..256. */
  readonly share: number;
}

export interface LastCheck {
  readonly at: Date;
  readonly well: boolean;
  /** What was wrong, or worth a note. */
  readonly words: string | null;
  readonly tookMs: number;
}
