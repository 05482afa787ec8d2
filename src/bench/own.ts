/**
 * A configuration of the user's, made fit for a load on this machine: it listens on loopback, its endpoints are the load's, and
 * clients of the load are trusted, so that limits for sources are asked and refuse none. Pure.
 */
import type { Document } from '../model/config.js';

export interface OwnConfiguration {
  readonly document: Document;
  /** Names of all its listeners but forwards. */
  readonly listeners: readonly string[];
}

/** What does not matter to the way of a session, or would be somebody else's. */
const LEFT_OUT = ['forwards', 'docker', 'distributed', 'admin', 'monitoring'] as const;
const OF_SERVER = ['listen', 'user', 'group'] as const;
const OF_LISTENER = ['mode', 'proxy_protocol'] as const;
const OF_UPSTREAM = [
  'via',
  'over',
  'kcp',
  'quic',
  'source',
  'proxy_protocol',
  'health_check',
  'passive_health',
] as const;

export const LEFT_OUT_WORDS = `left out of it: ${[...LEFT_OUT, 'PROXY headers', 'the ways to endpoints (via, kcp, source)', 'their health checks'].join(', ')}`;

const LOOPBACK = '127.0.0.0/8';
const ANY_PORT = '127.0.0.1:0';

/** `endpoint`: where all sessions go that go to an endpoint. */
export function forLoad({ document, listeners }: OwnConfiguration, endpoint: string): Document {
  const { server, security, logging, upstreams, protocols } = document;
  const named = Object.keys(mapping(upstreams));
  return {
    ...without(document, LEFT_OUT),
    server: without(mapping(server), OF_SERVER),
    listeners: listenersOf(document, listeners),
    protocols: list(protocols).map((each) => atEndpoint(mapping(each), named, endpoint)),
    upstreams: Object.fromEntries(
      Object.entries(mapping(upstreams)).map(([name, each]) => [name, upstreamAt(mapping(each), endpoint)]),
    ),
    security: trusting(mapping(security)),
    logging: without(mapping(logging), ['file']),
  };
}

/** Those of `server.listen` have their names. */
function listenersOf(document: Document, names: readonly string[]): Document[] {
  const written = list(document.listeners).map(mapping);
  const others = names.filter((name) => !written.some((each) => each.name === name));
  return [
    ...written.map((each) => ({ ...without(each, OF_LISTENER), address: ANY_PORT })),
    ...others.map((name) => ({ name, address: ANY_PORT })),
  ];
}

/** A target is an address, several, an upstream of its own, the name of one, or a way to end. */
function atEndpoint(protocol: Document, upstreams: readonly string[], endpoint: string): Document {
  const { target } = protocol;
  if (typeof target === 'string') {
    const isAddress = target.includes(':') && !upstreams.includes(target);
    return isAddress ? { ...protocol, target: endpoint } : protocol;
  }
  if (Array.isArray(target)) return { ...protocol, target: endpoint };
  return isMapping(target) ? { ...protocol, target: upstreamAt(target, endpoint) } : protocol;
}

const upstreamAt = (upstream: Document, endpoint: string): Document =>
  'handler' in upstream ? upstream : { ...without(upstream, OF_UPSTREAM), endpoints: [endpoint] };

function trusting(security: Document): Document {
  const { ip_whitelist: trusted, allow_only: allowed, rate_limit: rate } = security;
  return {
    ...without(security, ['ban_export']),
    ip_whitelist: [LOOPBACK, ...list(trusted)],
    ...(list(allowed).length > 0 && { allow_only: [LOOPBACK, ...list(allowed)] }),
    ...(isMapping(rate) && { rate_limit: without(rate, ['total_per_second', 'total_burst']) }),
  };
}

const isMapping = (value: unknown): value is Document => Object(value) === value && !Array.isArray(value);
const mapping = (value: unknown): Document => (isMapping(value) ? value : {});
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const without = (from: Document, keys: readonly string[]): Document =>
  Object.fromEntries(Object.entries(from).filter(([key]) => !keys.includes(key)));
