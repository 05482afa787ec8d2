/** Files of endpoints in the form of Prometheus' file_sd: what they say, and what is said of those that are wrong. */
import { describe, expect, test } from 'vitest';
import { targetFileLimits, targetsIn } from '../../src/providers/target-files.js';

const endpointsIn = (content: unknown) => {
  const read = targetsIn(JSON.stringify(content));
  return 'fault' in read ? read.fault : read.endpoints.map(({ name, weight }) => `${name} ${weight}`);
};

describe('says', () => {
  test.each([
    [
      'targets of several groups',
      [{ targets: ['a:1', '10.0.0.5:2'] }, { targets: ['[::1]:3'] }],
      ['a:1 1', '10.0.0.5:2 1', '[::1]:3 1'],
    ],
    ['no endpoints', [], []],
    ['a group without any', [{ targets: [], labels: { job: 'web' } }], []],
    [
      'a weight, as text or number',
      [
        { targets: ['a:1'], labels: { weight: '3' } },
        { targets: ['b:1'], labels: { weight: 0 } },
      ],
      ['a:1 3', 'b:1 0'],
    ],
    [
      'our weight before that of others',
      [{ targets: ['a:1'], labels: { weight: 'heavy', anyport_weight: '5' } }],
      ['a:1 5'],
    ],
    [
      'one name once, as it is said first',
      [{ targets: ['a:1'], labels: { weight: '2' } }, { targets: ['a:1', 'b:1'] }],
      ['a:1 2', 'b:1 1'],
    ],
    [
      'labels of others, which mean nothing here',
      [{ targets: ['a:1'], labels: { __meta_consul_dc: 'x' } }],
      ['a:1 1'],
    ],
  ])('%s', (_, content, expected) => expect(endpointsIn(content)).toEqual(expected));

  test('addresses in one form, by which they are known', () => {
    const read = targetsIn('[{"targets": ["[2001:DB8:0:0::1]:80"]}]');
    expect(read).toEqual({
      endpoints: [{ name: '[2001:db8::1]:80', host: '2001:db8::1', port: 80, weight: 1, backup: false }],
    });
  });
});

describe('is wrong', () => {
  test.each([
    ['', 'is empty: `[]` says that there are no endpoints'],
    [' \n', 'is empty: `[]` says that there are no endpoints'],
    [
      '[\n {"targets": ["a:1" "b:1"]}]',
      "is not JSON: Expected ',' or ']' after array element in JSON at 2:21",
    ],
    ['[{"targets": ["a:1"', "is not JSON: Expected ',' or ']' after array element in JSON at 1:20"],
    ['- targets: [a:1]', 'is not JSON: No number after minus sign in JSON at 1:2'],
    ['{}', 'the file: expected a list of groups such as `[{ "targets": ["10.0.0.5:80"] }]`, got a mapping'],
    ['["a:1"]', '[0]: expected a mapping, got `a:1`'],
    ['[{"target": ["a:1"]}]', '[0]: unknown key `target`: did you mean `targets`?'],
    ['[{}]', '[0].targets: expected a list of addresses, got nothing'],
    ['[{"targets": "a:1"}]', '[0].targets: expected a list of addresses, got `a:1`'],
    [
      '[{"targets": ["a:1", "web"]}]',
      '[0].targets[1]: expected an address such as `10.0.0.5:80`, got `web` (the port is missing: write `web:PORT`)',
    ],
    [
      '[{"targets": ["http://a:1"]}]',
      '[0].targets[0]: expected an address such as `10.0.0.5:80`, got `http://a:1` (leave out `http://`)',
    ],
    [
      '[{"targets": ["unix:/run/a"]}]',
      '[0].targets[0]: expected an address such as `10.0.0.5:80`, got `unix:/run/a`',
    ],
    ['[{"targets": [80]}]', '[0].targets[0]: expected an address such as `10.0.0.5:80`, got `80`'],
    ['[{"targets": ["a:1"], "labels": []}]', '[0].labels: expected a mapping, got a list'],
    [
      '[{"targets": ["a:1"], "labels": {"weight": "257"}}]',
      '[0].labels.weight: expected a whole number from 0 to 256, got `257`',
    ],
    [
      '[{"targets": ["a:1"], "labels": {"anyport_weight": "-1"}}]',
      '[0].labels.anyport_weight: expected a whole number from 0 to 256, got `-1`',
    ],
    [
      '[{"targets": ["\\u001b[31m"]}]',
      '[0].targets[0]: expected an address such as `10.0.0.5:80`, got `\\x1b[31m`',
    ],
  ])('%s', (text, fault) => expect(targetsIn(text)).toEqual({ fault }));

  test('with more endpoints than allowed, and with as many it is right', () => {
    const { endpointsMax } = targetFileLimits;
    const of = (count: number) =>
      endpointsIn([{ targets: Array.from({ length: count }, (_, n) => `a:${n + 1}`) }]);
    expect(of(endpointsMax)).toHaveLength(endpointsMax);
    expect(of(endpointsMax + 1)).toBe(`has ${endpointsMax + 1} targets, where ${endpointsMax} are allowed`);
  });
});
