import { expect, test } from 'vitest';
import { compile } from '../../src/config/compile.js';
import { NOTHING_DISCOVERED } from '../../src/model/config.js';
import type { EndpointOverrides } from '../../src/model/overrides.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { keepOverrides, NO_OVERRIDES, overrideOf, withOverride } from '../../src/primary/overrides.js';
import { configOf } from '../config/support.js';

const text = (endpoints: string) => `
server: { listen: "127.0.0.1:1" }
protocols: [{ name: SSH, target: "10.0.0.7:22" }]
upstreams:
  web: { endpoints: [${endpoints}] }
`;
const config = configOf(text('"10.0.0.5:80", { address: "10.0.0.6:80", weight: 3 }'));

const endpointsOf = (overrides: EndpointOverrides) =>
  compile(config, NOTHING_DISCOVERED, 1, new IdRegistry(), overrides).upstreams.map(({ name, endpoints }) => [
    name,
    endpoints.map(({ weight, state }) => [weight, state]),
  ]);

test('what was set is in the Plan, by upstream and endpoint; the rest is as configured', () => {
  const weighed = withOverride(NO_OVERRIDES, 'web', '10.0.0.6:80', { weight: 9 });
  const both = withOverride(weighed, 'web', '10.0.0.6:80', { state: 'drain' });
  const own = withOverride(both, 'SSH', '10.0.0.7:22', { state: 'down' });
  expect(endpointsOf(own)).toEqual([
    [
      'web',
      [
        [1, 'up'],
        [9, 'drain'],
      ],
    ],
    ['SSH', [[1, 'down']]],
  ]);
  expect(endpointsOf(NO_OVERRIDES)).toEqual([
    [
      'web',
      [
        [1, 'up'],
        [3, 'up'],
      ],
    ],
    ['SSH', [[1, 'up']]],
  ]);
});

test('values are never changed: the overrides before are there to go back to', () => {
  const before = withOverride(NO_OVERRIDES, 'web', '10.0.0.5:80', { state: 'drain' });
  withOverride(before, 'web', '10.0.0.5:80', { state: 'down' });
  withOverride(before, 'web', '10.0.0.6:80', { weight: 2 });
  expect(overrideOf(before, 'web', '10.0.0.5:80')).toEqual({ weight: null, state: 'drain' });
  expect(overrideOf(before, 'web', '10.0.0.6:80')).toEqual({ weight: null, state: 'up' });
});

test('what is set back is forgotten', () => {
  const set = withOverride(NO_OVERRIDES, 'web', '10.0.0.5:80', { weight: 7, state: 'down' });
  const up = withOverride(set, 'web', '10.0.0.5:80', { state: 'up' });
  expect(overrideOf(up, 'web', '10.0.0.5:80')).toEqual({ weight: 7, state: 'up' });
  expect(withOverride(up, 'web', '10.0.0.5:80', { weight: null })).toEqual(NO_OVERRIDES);
});

test('a new configuration keeps those whose endpoint stays, wherever it is listed', () => {
  const five = withOverride(NO_OVERRIDES, 'web', '10.0.0.5:80', { state: 'down' });
  const both = withOverride(five, 'web', '10.0.0.6:80', { weight: 9 });
  const all = withOverride(both, 'SSH', '10.0.0.7:22', { state: 'drain' });
  const next = configOf(text('"10.0.0.9:80", "10.0.0.6:80"').replace('10.0.0.7', '10.0.0.8'));
  const kept = keepOverrides(all, next);
  expect(kept).toEqual(withOverride(NO_OVERRIDES, 'web', '10.0.0.6:80', { weight: 9 }));
  expect(keepOverrides(kept, config)).toEqual(kept);
});
