/**
 * What a configuration may hold although this release does nothing with it yet. Whoever implements a key
 * takes its row away, and the warning goes with it.
 */
import { isMapping, type Path, pathText } from './path.js';

interface PendingKey {
  /** `[]` stands for every item of a list, `*` for every key of a mapping. */
  readonly pattern: string;
  /** A value that asks for nothing, and so is not worth a warning. */
  readonly idle?: unknown;
}

export const pendingKeys: readonly PendingKey[] = [
  { pattern: 'server.max_connections_per_ip', idle: 0 },
  { pattern: 'server.cache_ttl' },
  { pattern: 'server.user', idle: '' },
  { pattern: 'security.*' },
  { pattern: 'listeners.[].transport', idle: 'tcp' },
  { pattern: 'upstreams.*.health_check' },
  { pattern: 'upstreams.*.passive_health' },
  { pattern: 'upstreams.*.pool' },
  { pattern: 'upstreams.*.max_connections', idle: 0 },
  { pattern: 'upstreams.*.proxy_protocol', idle: 'off' },
  { pattern: 'upstreams.*.dns.keep_last_good', idle: true },
  { pattern: 'upstreams.*.tcp' },
  { pattern: 'upstreams.*.bandwidth' },
  { pattern: 'upstreams.*.dscp', idle: 0 },
  { pattern: 'upstreams.*.via' },
  { pattern: 'forwards' },
  { pattern: 'admin' },
  { pattern: 'distributed' },
  { pattern: 'connect_proxy' },
  { pattern: 'docker' },
  { pattern: 'kcp' },
];

interface Found {
  readonly path: Path;
  readonly value: unknown;
}

function step({ path, value }: Found, part: string): Found[] {
  if (part === '[]') {
    return Array.isArray(value) ? value.map((item, index) => ({ path: [...path, index], value: item })) : [];
  }
  if (!isMapping(value)) return [];
  const keys = part === '*' ? Object.keys(value) : [part];
  return keys.filter((key) => key in value).map((key) => ({ path: [...path, key], value: value[key] }));
}

/** The key paths in a configuration that are without effect. */
export function findPending(value: unknown): string[] {
  return pendingKeys.flatMap(({ pattern, idle }) => {
    let found: Found[] = [{ path: [], value }];
    for (const part of pattern.split('.')) found = found.flatMap((at) => step(at, part));
    return found.filter((at) => at.value !== idle).map(({ path }) => pathText(path));
  });
}
