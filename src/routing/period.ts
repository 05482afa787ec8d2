/** Periods of the week: `mon-fri 22:00-06:00 Europe/Berlin`, as text, which is also their form in the Plan. */
import assert from 'node:assert/strict';
import { WEEK_MINUTES, weekdays } from '../base/wall-clock.js';

export interface Period {
  /** 0 is Monday. Days on which it begins. */
  readonly days: readonly number[];
  /** Minutes since midnight; `to` not after `from` means the next day. */
  readonly from: number;
  readonly to: number;
  readonly zone: string;
}

/** Minutes of the week, the end not included. */
export type Span = readonly [from: number, to: number];

export const DAY_MINUTES = WEEK_MINUTES / 7;

/** `08:30` → 510, `24:00` → 1440; null: no time of day. */
export function parseTime(text: string): number | null {
  const [, hours, minutes] = /^(\d{1,2}):([0-5]\d)$/.exec(text) ?? [];
  if (hours === undefined) return null;
  const minute = Number(hours) * 60 + Number(minutes);
  return minute <= DAY_MINUTES ? minute : null;
}

/** `mon` → [0], `fri-mon` → [4, 5, 6, 0]; null: no day, and no range of days. */
export function parseDays(text: string): number[] | null {
  const [first = '', last = first, ...more] = text.toLowerCase().split('-');
  const from = dayOf(first);
  const to = dayOf(last);
  if (from < 0 || to < 0 || more.length > 0) return null;
  const count = ((to - from + 7) % 7) + 1;
  return Array.from({ length: count }, (_, index) => (from + index) % 7);
}

const dayOf = (name: string): number => (weekdays as readonly string[]).indexOf(name);

export function periodText({ days, from, to, zone }: Period): string {
  return `${daysText(days)} ${timeText(from)}-${timeText(to)} ${zone}`;
}

/** Ranges of three days and more. */
function daysText(days: readonly number[]): string {
  const sorted = [...new Set(days)].sort((a, b) => a - b);
  const runs: number[][] = [];
  for (const day of sorted) {
    const run = runs.at(-1);
    if (run !== undefined && run.at(-1) === day - 1) run.push(day);
    else runs.push([day]);
  }
  const name = (day: number | undefined) => weekdays[day ?? 0];
  return runs
    .flatMap((run) => (run.length > 2 ? `${name(run[0])}-${name(run.at(-1))}` : run.map(name)))
    .join(',');
}

const timeText = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

/** Of a text that `periodText` has written. */
export function readPeriod(text: string): Period {
  const [days = '', times = '', zone = ''] = text.split(' ');
  const [from, to] = times.split('-').map(parseTime);
  assert(typeof from === 'number' && typeof to === 'number', `no period: ${text}`);
  return { days: days.split(',').flatMap((day) => parseDays(day) ?? []), from, to, zone };
}

/** Sorted, apart from each other, within the week. */
export function spansOf({ days, from, to }: Period): Span[] {
  const length = to > from ? to - from : to + DAY_MINUTES - from;
  const spans = days.flatMap((day): Span[] => {
    const start = day * DAY_MINUTES + from;
    const end = start + length;
    if (start >= WEEK_MINUTES) return [[start - WEEK_MINUTES, end - WEEK_MINUTES]];
    return end <= WEEK_MINUTES
      ? [[start, end]]
      : [
          [start, WEEK_MINUTES],
          [0, end - WEEK_MINUTES],
        ];
  });
  return merged(spans.sort(([a], [b]) => a - b));
}

function merged(sorted: readonly Span[]): Span[] {
  const apart: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = apart.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else apart.push([from, to]);
  }
  return apart;
}
