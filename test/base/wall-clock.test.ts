/** The wall clock of a zone: over summer time, midnight and the end of the week. */
import { describe, expect, test } from 'vitest';
import { createWallClock, isZone, weekdays } from '../../src/base/wall-clock.js';

const shown = (zone: string, utc: string): string => {
  const minute = createWallClock(zone).minuteOfWeek(Date.parse(utc));
  const two = (value: number) => String(value).padStart(2, '0');
  return `${weekdays[Math.floor(minute / 1440)]} ${two(Math.floor(minute / 60) % 24)}:${two(minute % 60)}`;
};

describe('what it shows', () => {
  test.each([
    { zone: 'UTC', utc: '2026-11-23T00:00:00Z', due: 'mon 00:00', why: 'the week begins' },
    { zone: 'UTC', utc: '2026-11-22T23:59:59.999Z', due: 'sun 23:59', why: 'and ends' },
    { zone: 'Europe/Berlin', utc: '2026-03-29T00:59:59Z', due: 'sun 01:59', why: 'before summer time' },
    { zone: 'Europe/Berlin', utc: '2026-03-29T01:00:00Z', due: 'sun 03:00', why: 'an hour is left out' },
    {
      zone: 'Europe/Berlin',
      utc: '2026-10-25T00:30:00Z',
      due: 'sun 02:30',
      why: 'the hour that comes twice',
    },
    { zone: 'Europe/Berlin', utc: '2026-10-25T01:30:00Z', due: 'sun 02:30', why: 'once more' },
    { zone: 'Asia/Kathmandu', utc: '2026-11-23T18:14:00Z', due: 'mon 23:59', why: 'a quarter of an hour' },
    { zone: 'Asia/Kathmandu', utc: '2026-11-23T18:15:00Z', due: 'tue 00:00', why: 'its own midnight' },
    {
      zone: 'Pacific/Kiritimati',
      utc: '2026-11-22T10:00:00Z',
      due: 'mon 00:00',
      why: 'the first in the year',
    },
    { zone: 'America/New_York', utc: '1969-12-29T05:00:00Z', due: 'mon 00:00', why: 'before 1970' },
  ])('$zone, $utc: $why', ({ zone, utc, due }) => expect(shown(zone, utc)).toBe(due));
});

test('a clock that is set back is followed', () => {
  const clock = createWallClock('UTC');
  const at = (utc: string) => clock.minuteOfWeek(Date.parse(utc));
  expect([at('2026-11-23T00:05:00Z'), at('2026-11-23T00:01:59Z'), at('2026-11-23T00:05:00Z')]).toEqual([
    5, 1, 5,
  ]);
});

test.each(['UTC', 'Europe/Berlin', 'america/new_york', 'Etc/GMT+1'])('%s is a zone', (name) =>
  expect(isZone(name)).toBe(true),
);
test.each(['', 'Berlin', '+01:00', '01', 'Europe/Berlin ', 'Mars/Olympus'])('`%s` is none', (name) =>
  expect(isZone(name)).toBe(false),
);
