/** `security`: what rates and guard become, and what of them contradicts itself or has no effect. */
import { describe, expect, test } from 'vitest';
import { configOf, problemsOf, warningsOf } from './support.js';

const http = 'protocols: [{ name: HTTP, target: "10.0.0.1:80" }]\n';
const withSecurity = (keys: string, server = '') =>
  `${http}${server && `server: { ${server} }\n`}security: { ${keys} }`;
const securityOf = (keys: string) => configOf(withSecurity(keys)).security;

const rate = (keys: string) => `enable_rate_limit: true, rate_limit: { ${keys} }`;
const guard = (keys: string) => `enable_ddos_guard: true, ddos_guard: { ${keys} }`;

describe('what it becomes', () => {
  test('nothing unless it is enabled', () =>
    expect(configOf(http).security).toMatchObject({ rateLimit: null, guard: null }));

  test('defaults', () =>
    expect(securityOf('enable_rate_limit: true, enable_ddos_guard: true')).toMatchObject({
      rateLimit: { perSecond: 1000, burst: 100, totalPerSecond: 0, totalBurst: 0 },
      guard: {
        windowMs: 10_000,
        threshold: 2000,
        failures: 100,
        banMs: 60_000,
        banMaxMs: 3_600_000,
        identifyingPerSource: 256,
      },
    }));

  test('a burst in all is a second of it unless it is written', () => {
    expect(securityOf(rate('total_per_second: 5000')).rateLimit).toMatchObject({ totalBurst: 5000 });
    expect(securityOf(rate('total_per_second: 5000, total_burst: 200')).rateLimit).toMatchObject({
      totalBurst: 200,
    });
  });

  test('the longest ban is an hour, or the first one', () => {
    expect(securityOf(guard('ban: 2h')).guard).toMatchObject({ banMs: 7_200_000, banMaxMs: 7_200_000 });
    expect(securityOf(guard('ban: 1m, ban_max: 1m')).guard).toMatchObject({ banMaxMs: 60_000 });
  });
});

describe('refused, with its place', () => {
  const cases = [
    { keys: rate('requests_per_second: 0'), says: 'security.rate_limit.requests_per_second: expected' },
    { keys: rate('burst_size: 0'), says: 'security.rate_limit.burst_size: expected' },
    { keys: rate('total_per_second: -1'), says: 'security.rate_limit.total_per_second: expected' },
    { keys: rate('total_burst: 0'), says: 'security.rate_limit.total_burst: expected' },
    { keys: guard('failures: -1'), says: 'security.ddos_guard.failures: expected' },
    { keys: guard('ban_max: 0s'), says: 'security.ddos_guard.ban_max: expected a duration' },
    { keys: guard('ban: 5m, ban_max: 1m'), says: 'security.ddos_guard.ban_max: is shorter than `ban`' },
    // Also while it is off: it would be wrong on the day it is enabled.
    {
      keys: 'ddos_guard: { ban: 5m, ban_max: 1m }',
      says: 'security.ddos_guard.ban_max: is shorter than `ban`',
    },
  ];
  test.each(cases)('$keys', ({ keys, says }) => {
    const problems = problemsOf(withSecurity(keys));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^any\.yaml:\d+:\d+: /);
    expect(problems[0]).toContain(says);
  });
});

describe('a warning', () => {
  const cases = [
    {
      why: 'a rate that is not enabled',
      keys: 'rate_limit: { burst_size: 5 }',
      says: 'security.rate_limit: has no effect without `enable_rate_limit: true`',
    },
    {
      why: 'a guard that is not enabled',
      keys: 'enable_rate_limit: true, ddos_guard: { ban: 5s }',
      says: 'security.ddos_guard: has no effect without `enable_ddos_guard: true`',
    },
    {
      why: 'a burst in all without a rate in all',
      keys: rate('total_burst: 5'),
      says: 'security.rate_limit.total_burst: has no effect without `total_per_second`',
    },
    {
      why: 'one source can take the rate of all',
      keys: rate('total_per_second: 1000'),
      says: 'security.rate_limit.total_per_second: is no more than `requests_per_second`, 1000: one source can take all of it, and leave nothing for others',
    },
    {
      why: 'one source can take the burst of all',
      keys: rate('total_per_second: 1001, total_burst: 100'),
      says: 'security.rate_limit.total_burst: is no more than `burst_size`, 100: one source can take all of it, and leave nothing for others',
    },
    {
      why: 'a burst that is a ban',
      keys: 'enable_rate_limit: true, enable_ddos_guard: true, ddos_guard: { threshold: 99, failures: 5 }',
      says: 'security.ddos_guard.threshold: a burst of 100 new sessions, which `rate_limit.burst_size` admits, is a ban',
    },
    {
      why: 'failures that are too many attempts before',
      keys: guard('threshold: 50, failures: 50'),
      says: 'security.ddos_guard.failures: can never be reached: each of them is a new session, and more than 50 of these (`threshold`) are a ban before',
    },
    {
      why: 'a cap above that of all',
      keys: guard('identifying_per_ip: 1024'),
      says: 'security.ddos_guard.identifying_per_ip: can never be reached: `server.max_connections` is 1024',
    },
    {
      why: 'a cap above that of the source',
      keys: guard('identifying_per_ip: 256'),
      server: 'max_connections_per_ip: 256',
      says: 'security.ddos_guard.identifying_per_ip: can never be reached: `server.max_connections_per_ip` is 256',
    },
    {
      why: 'a cap of each source above that of all',
      keys: '',
      server: 'max_connections: 100, max_connections_per_ip: 100',
      says: 'server.max_connections_per_ip: can never be reached: `server.max_connections` is 100',
    },
    {
      why: 'a blacklist of every address',
      keys: 'ip_blacklist: [192.0.2.0/24, 0.0.0.0/0]',
      server: '',
      says: 'security.ip_blacklist[1]: is every address: nobody of this family is let in',
    },
    {
      why: 'a whitelist of every address',
      keys: 'ip_whitelist: ["::/0"]',
      server: '',
      says: 'security.ip_whitelist[0]: is every address: everybody of this family is trusted: no rate limits, no caps of a source, and no bans',
    },
    {
      why: 'a cap of those being identified above that of all',
      keys: '',
      server: 'max_identifying: 2000',
      says: 'server.max_identifying: can never be reached: `server.max_connections` is 1024',
    },
  ];
  test('a cap of a listener above that of all', () =>
    expect(warningsOf(`${http}listeners: [{ name: a, address: ":1", max_connections: 2000 }]`)).toEqual([
      'listeners[0].max_connections: can never be reached: `server.max_connections` is 1024',
    ]));

  test.each(cases)('$why', ({ keys, says, server }) =>
    expect(warningsOf(withSecurity(keys, server))).toEqual([says]),
  );

  const none = [
    { why: 'all defaults', keys: 'enable_rate_limit: true, enable_ddos_guard: true' },
    {
      why: 'a default that can not be reached',
      keys: guard('threshold: 50'),
      server: 'max_connections: 100',
    },
    { why: 'in all more than each', keys: rate('total_per_second: 1001, total_burst: 101') },
    {
      why: 'a burst that is no ban',
      keys: `${rate('burst_size: 50')}, ${guard('threshold: 50, failures: 9')}`,
    },
    { why: 'no failures', keys: guard('threshold: 50, failures: 0') },
    {
      why: 'one less than the cap',
      keys: guard('identifying_per_ip: 255'),
      server: 'max_connections_per_ip: 256',
    },
  ];
  test.each(none)('none: $why', ({ keys, server }) =>
    expect(warningsOf(withSecurity(keys, server))).toEqual([]),
  );
});
