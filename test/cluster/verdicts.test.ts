/** Verdicts as values in etcd: what is written, what is read, and what is refused by name. */
import { describe, expect, test } from 'vitest';
import { counted, formatVerdicts, parseVerdicts, verdictLimits } from '../../src/cluster/verdicts.js';
import { type Verdict, type Verdicts, verdictKey } from '../../src/model/verdicts.js';

const KEY = '/anyport/health/n1';
const said = (...rows: [upstream: string, endpoint: string, verdict: Verdict][]): Verdicts =>
  new Map(rows.map(([upstream, endpoint, verdict]) => [verdictKey(upstream, endpoint), verdict]));
const parsed = (value: string | Buffer, key = KEY) =>
  parseVerdicts('/anyport', key, Buffer.from(value as string));

test('what is written is read, whatever the names', () => {
  const verdicts = said(
    ['web', '10.0.0.1:80', 'up'],
    ['web', '10.0.0.2:80', 'down'],
    ['__proto__', 'toString', 'up'],
  );
  const { text, leftOut } = formatVerdicts(verdicts);
  expect(leftOut).toBe(0);
  expect(parsed(text)).toEqual({ node: 'n1', verdicts });
});

test('of too many those that are down are written first, and the value stays readable', () => {
  const count = verdictLimits.verdictsMax + 10;
  const rows = Array.from({ length: count }, (_, at): [string, string, Verdict] => ['web', `e${at}`, 'up']);
  const { text, leftOut } = formatVerdicts(said(...rows, ['web', 'bad', 'down']));
  expect(leftOut).toBe(11);
  expect(parsed(text)).toMatchObject({ verdicts: expect.any(Map) });
  expect(text).toContain('"down":{"web":["bad"]}');
  const long = Array.from({ length: 500 }, (_, at): [string, string, Verdict] => [
    `u${at}`,
    `${at}`.padEnd(255, 'é'),
    'up',
  ]);
  const value = formatVerdicts(said(...long));
  expect(Buffer.byteLength(value.text)).toBeLessThanOrEqual(verdictLimits.bytesMax);
  expect(value.leftOut).toBeGreaterThan(0);
  expect(parsed(value.text)).toHaveProperty('verdicts');
});

test('who says both means down', () =>
  expect(parsed('{"down":{"web":["a:1"]},"up":{"web":["a:1"]}}')).toMatchObject({
    verdicts: said(['web', 'a:1', 'down']),
  }));

describe('is refused', () => {
  const many = JSON.stringify({
    up: { web: Array.from({ length: verdictLimits.verdictsMax + 1 }, (_, at) => `${at}`) },
  });
  const cases: { why: string; value: string | Buffer; fault: string; key?: string }[] = [
    { why: 'a name with a path', value: '{}', key: '/anyport/health/a/b', fault: 'expected a key such as' },
    { why: 'no name', value: '{}', key: '/anyport/health/', fault: 'expected a key such as' },
    { why: 'binary', value: Buffer.from([0xff]), fault: 'no UTF-8' },
    { why: 'no JSON', value: 'up', fault: 'no JSON' },
    { why: 'a list', value: '[]', fault: 'no JSON object' },
    { why: 'huge', value: JSON.stringify({ x: 'x'.repeat(verdictLimits.bytesMax) }), fault: 'are allowed' },
    { why: 'a text', value: '{"down":"web"}', fault: 'down: expected lists' },
    { why: 'lists of lists', value: '{"up":{"web":[["a"]]}}', fault: 'up: expected lists' },
    {
      why: 'a long name',
      value: JSON.stringify({ up: { web: ['x'.repeat(301)] } }),
      fault: 'up: expected lists',
    },
    {
      why: 'a line feed, which would be another endpoint',
      value: '{"up":{"a\\nb":["c"]}}',
      fault: 'up: expected',
    },
    { why: 'too many', value: many, fault: 'more than 1024 endpoints' },
  ];
  test.each(cases)('$why', ({ value, key, fault }) =>
    expect(parsed(value, key)).toEqual({ fault: expect.stringContaining(fault) }),
  );
});

test('what several say is counted by endpoint of an upstream', () => {
  const tallies = counted([said(['web', 'a:1', 'up'], ['db', 'a:1', 'down']), said(['web', 'a:1', 'down'])]);
  expect(Object.fromEntries(tallies)).toEqual({
    [verdictKey('web', 'a:1')]: { up: 1, down: 1 },
    [verdictKey('db', 'a:1')]: { up: 0, down: 1 },
  });
});
