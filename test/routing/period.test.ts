/** Periods of the week: as text and back, and what of the week they hold. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Period, periodText, readPeriod, spansOf } from '../../src/routing/period.js';

const period: fc.Arbitrary<Period> = fc
  .record({
    days: fc.subarray([0, 1, 2, 3, 4, 5, 6], { minLength: 1 }).map((days) => days.toSorted()),
    from: fc.integer({ min: 0, max: 1439 }),
    to: fc.integer({ min: 0, max: 1440 }),
    zone: fc.constantFrom('UTC', 'Europe/Berlin'),
  })
  .filter(({ from, to }) => from !== to);

test('the text says it all', () =>
  fc.assert(
    fc.property(period, (each) => {
      expect(readPeriod(periodText(each))).toEqual(each);
    }),
  ));

test.each([
  { days: [0, 1, 2, 3, 4], text: 'mon-fri 08:00-18:00 UTC' },
  { days: [6, 5], text: 'sat,sun 08:00-18:00 UTC' },
  { days: [0, 2, 3, 4, 6], text: 'mon,wed-fri,sun 08:00-18:00 UTC' },
])('$text', ({ days, text }) => expect(periodText({ days, from: 480, to: 1080, zone: 'UTC' })).toBe(text));

test('a minute is held where the day on which its period began is among the days', () =>
  fc.assert(
    fc.property(period, fc.integer({ min: 0, max: 10_079 }), (each, minute) => {
      const day = Math.floor(minute / 1440);
      const time = minute % 1440;
      const began = (on: number, isWithin: boolean) => isWithin && each.days.includes((on + 7) % 7);
      const due =
        each.from < each.to
          ? began(day, each.from <= time && time < each.to)
          : began(day, each.from <= time) || began(day - 1, time < each.to);
      expect(spansOf(each).some(([from, to]) => from <= minute && minute < to)).toBe(due);
    }),
    { numRuns: 3000 },
  ));
