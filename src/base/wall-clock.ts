/** The wall clock of a time zone: which minute of the week it shows. */

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
export const WEEK_MINUTES = 7 * DAY_MINUTES;

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

export interface WallClock {
  /** Minutes since Monday 00:00 of the zone's own calendar, 0..10079. */
  minuteOfWeek(nowMs: number): number;
}

/**
 * Clocks change on whole minutes, so the zone is asked once a minute at most: for any number of sessions, and right
 * over a change of the zone's rules or a step of the machine's clock. Throws a RangeError for an unknown zone.
 */
export function createWallClock(zone: string): WallClock {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  let known = { minute: Number.NaN, shown: 0 };
  return {
    minuteOfWeek(nowMs) {
      const minute = Math.floor(nowMs / MINUTE_MS);
      if (minute !== known.minute) known = { minute, shown: shownAt(format, minute * MINUTE_MS) };
      return known.shown;
    },
  };
}

function shownAt(format: Intl.DateTimeFormat, ms: number): number {
  const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  const day = weekdays.indexOf(parts.weekday?.toLowerCase() as (typeof weekdays)[number]);
  return day * DAY_MINUTES + Number(parts.hour) * 60 + Number(parts.minute);
}

/** Zones are named as in the IANA database; offsets such as `+01:00` are none, for they know no summer. */
export function isZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    createWallClock(name);
    return true;
  } catch {
    return false;
  }
}
