/** Keys that do nothing yet: those that shut out or change the wire are refused, the others are named in one warning. */
import { describe, expect, test } from 'vitest';
import { pendingKeys } from '../../src/config/pending.js';
import { configOf, problemsOf, warningsOf } from './support.js';

const http = 'protocols: [{ name: HTTP, target: "10.0.0.1:80" }]\n';
const upstream = (keys: string) => `${http}upstreams: { web: { endpoints: ["10.0.0.2:80"], ${keys} } }`;
const instead = 'is not available yet, and must not be ignored:';

const refused = [{ path: 'upstreams.web.via', text: upstream('via: "http://proxy:3128"') }];

describe('refused', () => {
  test.each(refused)('$path', ({ path, text }) => {
    const problems = problemsOf(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^any\.yaml:\d+:\d+: /);
    expect(problems[0]).toContain(`: ${path}: ${instead}`);
  });

  test('every one of the table', () => {
    const paths = refused.map(({ path }) => path.replace(/\[\d+\]/, '.[]').replace('.web.', '.*.'));
    const patterns = pendingKeys.filter((key) => key.refused !== undefined).map(({ pattern }) => pattern);
    expect(new Set(paths)).toEqual(new Set(patterns));
  });

  test('what is wrong with it is said instead', () =>
    expect(problemsOf(upstream('max_connections: -1'))).toEqual([
      expect.stringContaining('upstreams.web.max_connections: expected'),
    ]));
});

test('what asks for nothing is accepted without a word', () => {
  const text = `${upstream('max_connections: 0, bandwidth: { up: 0, down: 0KiB, per: session }, dns: { keep_last_good: true }')}
server: { max_connections_per_ip: 0, user: "" }
security: { ip_blacklist: [], allow_only: [], ip_whitelist: [] }
listeners: [{ name: a, address: ":1", transport: tcp+udp }]
forwards: []`;
  expect(warningsOf(text)).toEqual([]);
  expect(configOf(text).listeners).toHaveLength(1);
});

test('the others are one warning, by key path', () => {
  const text = `${upstream('retries: 1')}
server: { cache_ttl: 1m }
docker: {}
distributed: { enable: true }`;
  expect(warningsOf(text)).toEqual(['accepted but not implemented yet, without effect: distributed, docker']);
});
