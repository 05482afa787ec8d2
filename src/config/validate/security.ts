/** `security`: rates and guard, and what of them contradicts itself or has no effect. */
import type { GuardConfig, RateLimitConfig, SecurityConfig } from '../../model/config.js';
import { findAll } from '../path.js';
import type { Report, Warn } from '../report.js';
import type { Source } from '../source.js';
import type { Context } from './context.js';
import { resolveLists } from './lists.js';
import type { Shape } from './shape.js';

const BAN_MAX_MS = 3_600_000;

export function securityConfig({ security }: Shape, context: Context, report: Report): SecurityConfig {
  return {
    rateLimit: security.enable_rate_limit ? rateLimitOf(security.rate_limit) : null,
    guard: security.enable_ddos_guard ? guardOf(security.ddos_guard) : null,
    banExport: security.ban_export ?? null,
    lists: resolveLists(security, ['security'], context, report),
  };
}

type Written = Shape['security'];

const rateLimitOf = (limit: Written['rate_limit']): RateLimitConfig => ({
  perSecond: limit.requests_per_second,
  burst: limit.burst_size,
  totalPerSecond: limit.total_per_second,
  totalBurst: limit.total_burst ?? limit.total_per_second,
});

const guardOf = (guard: Written['ddos_guard']): GuardConfig => ({
  windowMs: guard.window,
  threshold: guard.threshold,
  failures: guard.failures,
  banMs: guard.ban,
  banMaxMs: guard.ban_max ?? Math.max(BAN_MAX_MS, guard.ban),
  identifyingPerSource: guard.identifying_per_ip,
});

export function checkSecurity({ security }: Shape, report: Report): void {
  const { ban, ban_max } = security.ddos_guard;
  if (ban_max === undefined || ban_max >= ban) return;
  report.problem(
    ['security', 'ddos_guard', 'ban_max'],
    'is shorter than `ban`, which is the first and shortest one: raise it, or leave it out',
  );
}

/** What is valid and never takes effect, or against another key. */
export function warnOfSecurity(shape: Shape, { value }: Source, warn: Warn): void {
  const { server, security } = shape;
  const { enable_rate_limit, rate_limit, enable_ddos_guard, ddos_guard } = security;
  const say = (path: string, message: string) => {
    for (const found of findAll(value, `security.${path}`)) warn(found.path, message);
  };
  warnOfCaps(shape, value, warn);
  warnOfEverybody(value, warn);
  if (!enable_rate_limit) say('rate_limit', 'has no effect without `enable_rate_limit: true`');
  else warnOfRates(rate_limit, say);
  if (!enable_ddos_guard) say('ddos_guard', 'has no effect without `enable_ddos_guard: true`');
  else warnOfGuard(ddos_guard, server, say);
  if (enable_rate_limit && enable_ddos_guard && rate_limit.burst_size > ddos_guard.threshold) {
    const what = `a burst of ${rate_limit.burst_size} new sessions, which \`rate_limit.burst_size\` admits, is a ban`;
    say('ddos_guard.threshold', what);
  }
}

const EVERYBODY: readonly unknown[] = ['0.0.0.0/0', '::/0'];

/** Lists that leave nobody out; `allow_only` may: it says so. */
function warnOfEverybody(value: unknown, warn: Warn): void {
  const meant = {
    ip_blacklist: 'nobody of this family is let in',
    ip_whitelist: 'everybody of this family is trusted: no rate limits, no caps of a source, and no bans',
  };
  for (const [key, what] of Object.entries(meant))
    for (const place of [`security.${key}.[]`, `listeners.[].${key}.[]`])
      for (const found of findAll(value, place))
        if (EVERYBODY.includes(found.value)) warn(found.path, `is every address: ${what}`);
}

/** Caps of a part of all connections that are no smaller than that of all. */
function warnOfCaps({ server }: Shape, value: unknown, warn: Warn): void {
  const most = server.max_connections;
  const keys = ['server.max_connections_per_ip', 'server.max_identifying', 'listeners.[].max_connections'];
  for (const found of keys.flatMap((key) => findAll(value, key)))
    if (Number(found.value) >= most)
      warn(found.path, `can never be reached: \`server.max_connections\` is ${most}`);
}

type Say = (path: string, message: string) => void;

function warnOfRates(limit: Written['rate_limit'], say: Say): void {
  const { requests_per_second, burst_size, total_per_second, total_burst } = limit;
  if (total_per_second === 0)
    return say('rate_limit.total_burst', 'has no effect without `total_per_second`');
  const alone = 'one source can take all of it, and leave nothing for others';
  if (total_per_second <= requests_per_second) {
    say(
      'rate_limit.total_per_second',
      `is no more than \`requests_per_second\`, ${requests_per_second}: ${alone}`,
    );
  } else if ((total_burst ?? total_per_second) <= burst_size) {
    say('rate_limit.total_burst', `is no more than \`burst_size\`, ${burst_size}: ${alone}`);
  }
}

function warnOfGuard(guard: Written['ddos_guard'], server: Shape['server'], say: Say): void {
  const { threshold, failures, identifying_per_ip } = guard;
  if (failures >= threshold) {
    const why = `each of them is a new session, and more than ${threshold} of these (\`threshold\`) are a ban before`;
    say('ddos_guard.failures', `can never be reached: ${why}`);
  }
  const perSource = server.max_connections_per_ip || server.max_connections;
  const most = Math.min(perSource, server.max_connections);
  if (identifying_per_ip >= most) {
    const key = most < server.max_connections ? 'max_connections_per_ip' : 'max_connections';
    say('ddos_guard.identifying_per_ip', `can never be reached: \`server.${key}\` is ${most}`);
  }
}
