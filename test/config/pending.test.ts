/** Keys that do nothing yet are named in one warning. */
import { expect, test } from 'vitest';
import { configOf, warningsOf } from './support.js';

const http = 'protocols: [{ name: HTTP, target: "10.0.0.1:80" }]\n';
const upstream = (keys: string) => `${http}upstreams: { web: { endpoints: ["10.0.0.2:80"], ${keys} } }`;

test('what asks for nothing is accepted without a word', () => {
  const text = `${upstream('max_connections: 0, bandwidth: { up: 0, down: 0KiB, per: session }, dns: { keep_last_good: true }')}
server: { max_connections_per_ip: 0, user: "" }
security: { ip_blacklist: [], allow_only: [], ip_whitelist: [] }
listeners: [{ name: a, address: ":1", transport: tcp+udp }]
forwards: []`;
  expect(warningsOf(text)).toEqual([]);
  expect(configOf(text).listeners).toHaveLength(1);
});

test('what is written of them is one warning, by key path', () => {
  const text = `${upstream('retries: 1')}
server: { cache_ttl: 1m }
distributed: { enable: true, etcd_endpoints: "etcd:2379", load_balancer: random_two }`;
  expect(warningsOf(text)).toEqual([
    'accepted but not implemented yet, without effect: distributed.load_balancer',
  ]);
});
