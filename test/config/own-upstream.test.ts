/** A protocol's target as a list or an upstream of its own, and functions in place of modules. */
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { configOf, problemsOf, warningsOf } from './support.js';

const protocolWith = (rest: string) => `protocols: [{ name: Redis, ${rest} }]`;
const upstreamOf = (text: string) => configOf(text).upstreams[0];

test('a list of endpoints, each with its share', () => {
  expect(upstreamOf(protocolWith('target: ["r1:6379", { address: "r2:6379", weight: 3 }]'))).toMatchObject({
    name: 'Redis',
    endpoints: [
      { name: 'r1:6379', weight: 1, backup: false },
      { name: 'r2:6379', weight: 3, backup: false },
    ],
  });
});

test('an upstream with options, under the name of the protocol', () => {
  const { protocols, upstreams } = configOf(
    protocolWith('target: { endpoints: ["r1:6379"], balance: random_two, tcp: { keepalive: 5s } }'),
  );
  expect(protocols[0]?.target).toEqual({ kind: 'upstream', upstream: 'Redis' });
  expect(upstreams).toMatchObject([
    { name: 'Redis', endpoints: [{ name: 'r1:6379' }], options: { balance: 'random_two' } },
  ]);
});

const wrong = [
  { target: '[]', says: 'protocols[0].target: expected `host:port`' },
  { target: '7', says: 'protocols[0].target: expected `host:port`' },
  { target: '["r1:6379", "r1:6379"]', says: 'protocols[0].target[1]: endpoint `r1:6379` is listed twice' },
  { target: '["r1"]', says: 'protocols[0].target[0]: expected an address such as' },
  {
    target: '{ endpoints: ["r1:1"], balanse: x }',
    says: 'protocols[0].target.balanse: unknown key `balanse`',
  },
  {
    target: '{ balance: random_two }',
    says: 'protocols[0].target: needs either `endpoints`, `file_sd` or `handler`',
  },
  {
    target: '{ endpoints: ["r1:1"], via: "http://p" }',
    says: 'protocols[0].target.via: expected the URL of a proxy',
  },
];
test.each(wrong)('wrong: $target', ({ target, says }) => {
  expect(problemsOf(protocolWith(`target: ${target}`))).toEqual([expect.stringContaining(says)]);
});

test('an endpoint that is this port is a loop here too', () => {
  const text = `server: { listen: "127.0.0.1:9090" }\n${protocolWith('target: ["127.0.0.1:9090"]')}`;
  expect(warningsOf(text).join()).toContain('protocols[0].target');
});

test('a function of the program is known by its name, and none is known to a file', () => {
  const document = { protocols: [{ name: 'Mine', validator: 'local:1', handler: 'local:2' }] };
  const load = (local: string[]) => loadConfig({ document, directory: '/', local });
  const loaded = load(['local:1', 'local:2']);
  expect(loaded.ok && loaded.config).toMatchObject({
    protocols: [{ validator: 'local:1' }],
    upstreams: [{ handler: 'local:2' }],
  });
  const refused = load(['local:1']);
  expect(!refused.ok && refused.problems).toMatchObject([
    { path: 'protocols[0].handler', message: 'there is no function `local:2` in this process' },
  ]);
  expect(problemsOf(protocolWith('handler: "local:1"'))).toEqual([expect.stringContaining('no function')]);
});
