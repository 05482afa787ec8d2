import { expect, test } from 'vitest';
import { bytesText, counted, countText, timeText } from '../../src/base/figures.js';

test.each([
  [0, '0.0 ms'],
  [3.14, '3.1 ms'],
  [250.4, '250 ms'],
  [999.4, '999 ms'],
  [4200, '4.2 s'],
  [59_999, '59 s'],
  [61_234, '1 m 1 s'],
  [3_600_000, '1 h'],
  [18_120_000, '5 h 2 m'],
  [788_400_000, '9 d 3 h'],
])('%s ms is %s', (ms, text) => expect(timeText(ms)).toBe(text));

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [3 * 1024 ** 3, '3.0 GiB'],
  [5000 * 1024 ** 4, '5000.0 TiB'],
])('%s bytes are %s', (bytes, text) => expect(bytesText(bytes)).toBe(text));

test('numbers and nouns', () => {
  expect(countText(1_234_567)).toBe('1,234,567');
  expect([counted(0, 'worker'), counted(1, 'worker'), counted(2000, 'worker')]).toEqual([
    '0 workers',
    '1 worker',
    '2,000 workers',
  ]);
});
