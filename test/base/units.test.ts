import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../src/base/duration.js';
import { formatSize, parseSize } from '../../src/base/size.js';

describe('durations', () => {
  test.each([
    ['250ms', 250],
    ['5s', 5_000],
    ['30m', 1_800_000],
    ['1h', 3_600_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1_500],
    ['0s', 0],
  ])('%s', (text, ms) => expect(parseDuration(text)).toBe(ms));

  test.each(['', '5', 's', '-5s', '5 s', '5d', '5S', '1h 30m', '.5s', '1e3s'])('not "%s"', (text) =>
    expect(parseDuration(text)).toBeNull(),
  );

  test('what is formatted reads back', () => {
    fc.assert(fc.property(fc.nat(1e9), (ms) => parseDuration(formatDuration(ms)) === ms));
    expect(formatDuration(5_000)).toBe('5s');
  });
});

describe('sizes', () => {
  test.each([
    ['0', 0],
    ['1500', 1500],
    ['64KiB', 65_536],
    ['1MiB', 1_048_576],
    ['2GiB', 2_147_483_648],
  ])('%s', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  test.each(['', 'KiB', '64kb', '64KB', '64 KiB', '-1', '1.5MiB'])('not "%s"', (text) =>
    expect(parseSize(text)).toBeNull(),
  );

  test('what is formatted reads back', () => {
    fc.assert(fc.property(fc.nat(1e9), (bytes) => parseSize(formatSize(bytes)) === bytes));
    expect(formatSize(65_536)).toBe('64KiB');
  });
});
