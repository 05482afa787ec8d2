import fc from 'fast-check';
import { expect, test } from 'vitest';
import { endpointsOf, SERVICE_ENDPOINTS_MAX } from '../../src/providers/service-records.js';

const record = (name: string, port: number, priority = 10, weight = 1) => ({ name, port, priority, weight });

test('the lowest priority is the main one, all others are backups, with their weights', () => {
  const records = [record('b.test', 80, 20, 9), record('a.test', 81, 10, 3), record('c.test', 82, 10, 2)];
  expect(endpointsOf(records).map(({ name, weight, backup }) => [name, weight, backup])).toEqual([
    ['a.test:81', 3, false],
    ['c.test:82', 2, false],
    ['b.test:80', 9, true],
  ]);
});

test('weights beyond the range are scaled; 0 is little, not nothing', () => {
  const records = [record('a', 1, 0, 65_535), record('b', 1, 0, 32_768), record('c', 1, 0, 0)];
  expect(endpointsOf(records).map(({ weight }) => weight)).toEqual([256, 128, 1]);
});

test.each([
  { why: 'the service is not offered (RFC 2782)', records: [record('.', 0)], names: [] },
  { why: 'an empty target', records: [record('', 80)], names: [] },
  { why: 'port 0', records: [record('a.test', 0)], names: [] },
  { why: 'one place twice', records: [record('a.test', 1, 5), record('A.test.', 1, 9)], names: ['a.test:1'] },
  {
    why: 'one place twice, the better one last',
    records: [record('a', 1, 9), record('a', 1, 5)],
    names: ['a:1'],
  },
  { why: 'one host, two ports', records: [record('a', 2), record('a', 1)], names: ['a:1', 'a:2'] },
])('$why', ({ records, names }) => {
  const endpoints = endpointsOf(records);
  expect(endpoints.map(({ name }) => name)).toEqual(names);
  expect(endpoints.filter(({ backup }) => backup)).toEqual([]);
});

test('whatever comes: bounded, weights in range, names different, in an order of their own', () => {
  const any = fc.array(
    fc.record({
      name: fc.constantFrom('a', 'b.test', 'c.test.', '', '.'),
      port: fc.integer({ min: 0, max: 65_535 }),
      priority: fc.integer({ min: 0, max: 65_535 }),
      weight: fc.integer({ min: 0, max: 65_535 }),
    }),
    { maxLength: 400 },
  );
  fc.assert(
    fc.property(any, (records) => {
      const endpoints = endpointsOf(records);
      expect(endpoints.length).toBeLessThanOrEqual(SERVICE_ENDPOINTS_MAX);
      expect(new Set(endpoints.map(({ name }) => name)).size).toBe(endpoints.length);
      for (const { weight, port } of endpoints) {
        expect(weight).toBeGreaterThanOrEqual(1);
        expect(weight).toBeLessThanOrEqual(256);
        expect(port).toBeGreaterThan(0);
      }
      const names = (list: typeof endpoints) => new Set(list.map(({ name, backup }) => `${name} ${backup}`));
      expect(names(endpointsOf(records.toReversed()))).toEqual(names(endpoints));
    }),
  );
});
