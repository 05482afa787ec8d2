/** Ejections: cases, and properties over random failures. */
import { expect, test } from 'vitest';
import { createRandom } from '../../src/base/random.js';
import {
  ejected,
  ejectionLimits,
  hasFailed,
  mayEject,
  neverEjected,
  returned,
  withFailures,
} from '../../src/health/ejection.js';

const settings = { max_fails: 3, window: 10_000, eject: 30_000 };

test('so many failures within the window, and not fewer', () => {
  const after = (...times: number[]) =>
    times.reduce((ejection, at) => withFailures(ejection, 1, at, settings), neverEjected);
  expect(hasFailed(after(0, 1000), settings)).toBe(false);
  expect(hasFailed(after(0, 1000, 9000), settings)).toBe(true);
  expect(hasFailed(after(0, 1000, 10_500), settings)).toBe(false);
  expect(hasFailed(withFailures(neverEjected, 3, 0, settings), settings)).toBe(true);
});

test('the time doubles with each repetition, up to a bound', () => {
  let ejection = neverEjected;
  let now = 0;
  const times: number[] = [];
  for (let count = 0; count < 8; count += 1) {
    ejection = ejected(ejection, now, settings);
    times.push(ejection.lastMs / settings.eject);
    now = ejection.untilMs ?? 0;
    ejection = returned(ejection, now);
    now += 1000;
  }
  expect(times).toEqual([1, 2, 4, 8, 16, 16, 16, 16]);
});

test('one that was well for as long as it was ejected begins anew', () => {
  const first = returned(ejected(neverEjected, 0, settings), 30_000);
  expect(ejected(first, 60_000, settings).lastMs).toBe(60_000);
  expect(ejected(first, 60_001, settings).lastMs).toBe(30_000);
});

test('failures while it is ejected do not count', () => {
  const away = ejected(neverEjected, 0, settings);
  expect(withFailures(away, 99, 5, settings)).toBe(away);
  expect(hasFailed(returned(away, 30_000), settings)).toBe(false);
});

test.each([
  { endpoints: 1, ejected: 0, usable: 1, percent: 50, may: false },
  { endpoints: 2, ejected: 0, usable: 2, percent: 50, may: true },
  { endpoints: 2, ejected: 1, usable: 1, percent: 50, may: false },
  { endpoints: 3, ejected: 0, usable: 3, percent: 50, may: true },
  { endpoints: 3, ejected: 1, usable: 2, percent: 50, may: false },
  { endpoints: 4, ejected: 1, usable: 3, percent: 50, may: true },
  { endpoints: 4, ejected: 0, usable: 4, percent: 0, may: false },
  { endpoints: 4, ejected: 3, usable: 1, percent: 100, may: false },
])(
  '$ejected of $endpoints are ejected, $usable usable, $percent %: one more $may',
  ({ percent, may, ...counts }) => expect(mayEject(counts, percent)).toBe(may),
);

test.each([1, 2, 3, 4])('the count is that of the window, within a part of it (seed %i)', (seed) => {
  const random = createRandom(seed);
  const own = { ...settings, max_fails: 1_000_000 };
  let ejection = neverEjected;
  const all: { at: number; count: number }[] = [];
  for (let now = 0, step = 0; step < 3000; step += 1, now += random(200)) {
    const count = 1 + random(5);
    all.push({ at: now, count });
    ejection = withFailures(ejection, count, now, own);
    const counted = ejection.failures.reduce((sum, each) => sum + each.count, 0);
    const within = (ms: number) =>
      all.filter(({ at }) => at > now - ms).reduce((sum, each) => sum + each.count, 0);
    const part = own.window / ejectionLimits.partsMax;
    expect(counted).toBeLessThanOrEqual(within(own.window + part));
    expect(counted).toBeGreaterThanOrEqual(within(own.window - part));
    expect(ejection.failures.length).toBeLessThanOrEqual(ejectionLimits.partsMax + 1);
  }
});
