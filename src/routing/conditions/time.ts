/** The time of day and week, on the wall clock of a zone. */
import { suggestion } from '../../base/nearest.js';
import { createWallClock, isZone, type WallClock, weekdays } from '../../base/wall-clock.js';
import type { Extent, SessionCondition, Zod } from '../condition.js';
import { oneText, shown } from '../expected.js';
import {
  DAY_MINUTES,
  type Period,
  parseDays,
  parseTime,
  periodText,
  readPeriod,
  type Span,
  spansOf,
} from '../period.js';

const EXAMPLE = '{ days: mon-fri, from: "08:00", to: "18:00", zone: Europe/Berlin }';
const DAYS = 'a day such as `mon`, a range such as `mon-fri`, or a list of them';
const ZONE = 'a time zone such as `Europe/Berlin` or `UTC`';

export const time: SessionCondition<string, string> = {
  options: (z) =>
    z
      .strictObject(
        { days: days(z).optional(), from: beginning(z).optional(), to: end(z).optional(), zone: zone(z) },
        { error: wrongPeriod },
      )
      .refine(({ days, from, to }) => days !== undefined || from !== undefined || to !== undefined, {
        error: 'is always: name `days`, `from` or `to`, or leave `time` out',
      })
      .refine(({ from = 0, to = DAY_MINUTES }) => from !== to, {
        path: ['to'],
        error: 'is the same as `from`: leave both out for the whole day',
      })
      .transform(({ days, from = 0, to = DAY_MINUTES, zone }) =>
        periodText({ days: days ?? everyDay, from, to, zone }),
      )
      .meta({
        description: `When the session is routed: \`${EXAMPLE}\``,
        'x-values': 'mapping of `days`, `from`, `to` and `zone`',
      }),
  reads: 'clock',
  extent: periodExtent,
  compile: (text) => text,
  create(text) {
    const period = readPeriod(text);
    const spans = spansOf(period);
    const clock = clockOf(period.zone);
    return ({ nowMs }) => (isWithin(spans, clock.minuteOfWeek(nowMs)) ? 'yes' : 'no');
  },
};

// ---- in sessions

/** Of all routes, so that a zone is asked once a minute. As many as a configuration has zones. */
const clocks = new Map<string, WallClock>();

function clockOf(zone: string): WallClock {
  const clock = clocks.get(zone) ?? createWallClock(zone);
  clocks.set(zone, clock);
  return clock;
}

const isWithin = (spans: readonly Span[], minute: number): boolean =>
  spans.some(([from, to]) => from <= minute && minute < to);

interface PeriodExtent extends Extent {
  readonly period: Period;
  readonly spans: readonly Span[];
}

function periodExtent(text: string): PeriodExtent {
  const period = readPeriod(text);
  const spans = spansOf(period);
  const includes = (narrow: PeriodExtent) =>
    narrow.period.zone === period.zone &&
    narrow.spans.every(([from, to]) => spans.some((each) => each[0] <= from && to <= each[1]));
  return { period, spans, includes };
}

// ---- in the file

const everyDay = weekdays.map((_, day) => day);

function days(z: Zod) {
  const error = oneText(DAYS);
  const one = z.string({ error }).refine((text) => parseDays(text) !== null, { error });
  return z
    .union([one, z.array(one).nonempty({ error })], { error })
    .transform((written) => [written].flat().flatMap((text) => parseDays(text) ?? []))
    .meta({
      description: 'Days on which the period begins, Monday first; without it every day',
      'x-values': 'day (`mon` … `sun`), range (`mon-fri`), or a list',
    });
}

function beginning(z: Zod) {
  const error = oneText('a time of day such as `"08:00"`, from 00:00 to 23:59');
  return z
    .string({ error })
    .refine((text) => (parseTime(text) ?? DAY_MINUTES) < DAY_MINUTES, { error })
    .transform((text) => parseTime(text) ?? 0)
    .meta({ description: 'When it begins; without it at 00:00', 'x-values': 'time of day' });
}

function end(z: Zod) {
  const error = oneText('a time of day such as `"18:00"`, from 00:00 to 24:00');
  return z
    .string({ error })
    .refine((text) => parseTime(text) !== null, { error })
    .transform((text) => parseTime(text) ?? 0)
    .meta({
      description: 'When it ends; without it at 24:00. Before `from`: on the next day',
      'x-values': 'time of day',
    });
}

function zone(z: Zod) {
  return z
    .string({ error: oneText(ZONE) })
    .refine(isZone, { error: ({ input }) => unknownZone(String(input)) })
    .default('UTC')
    .meta({
      description: 'Zone of the clock, by its name in the IANA database; summer time is its own',
      'x-values': 'time zone',
    });
}

function unknownZone(name: string): string {
  const zones = Intl.supportedValuesOf('timeZone');
  const city = zones.find((each) =>
    each.toLowerCase().endsWith(`/${name.toLowerCase().replaceAll(' ', '_')}`),
  );
  const hint = city === undefined ? suggestion(name, zones) : `: did you mean \`${city}\`?`;
  return `unknown time zone ${shown(name)}${hint || `: write ${ZONE}`}`;
}

function wrongPeriod(issue: { code?: string; keys?: readonly string[]; input?: unknown }): string {
  if (issue.code !== 'unrecognized_keys') return oneText(`a mapping such as \`${EXAMPLE}\``)(issue);
  // One line a key: the reader of the issue tells them apart by their order.
  return (issue.keys ?? [])
    .map((key) => `unknown key \`${key}\`${suggestion(key, ['days', 'from', 'to', 'zone'])}`)
    .join('\n');
}
