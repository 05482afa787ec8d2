/**
 * Resolves names as the system does: the hosts file, then servers and search list of resolv.conf. Not with
 * getaddrinfo: libuv runs two calls at a time, so two hanging names would block all others, and its threads would
 * delay exit. c-ares multiplexes any number of queries on one socket, each with a timeout.
 */
import { promises, type RecordWithTtl } from 'node:dns';
import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { ownAddresses } from '../base/own-addresses.js';
import type { Answer } from './name-watch.js';
import {
  type Hosts,
  namesToAsk,
  parseHosts,
  parseResolverConfig,
  plain,
  type ResolverConfig,
} from './resolver-files.js';
import type { ServiceRecord } from './service-records.js';

export const resolverLimits = {
  /** Query timeout per server; doubled in the second round. */
  timeoutMs: 2000,
  rounds: 2,
  /** Once one address family has answered: extra time for the other. */
  otherFamilyMs: 1000,
} as const;

export interface NameResolver {
  /** At least one address; rejects when there is none. Always settles. */
  lookup(host: string): Promise<Answer<readonly string[]>>;
  /** SRV records; rejects when there are none. Always settles. Their time to live is not known. */
  lookupService(name: string): Promise<Answer<readonly ServiceRecord[]>>;
  /** Rejects all look-ups in flight. */
  cancel(): void;
}

/** Error codes after which the next name of the search list is tried, server failures included (as glibc does). */
const ANOTHER_MAY_DO = new Set(['ENOTFOUND', 'ENODATA', 'ESERVFAIL', 'EREFUSED']);

export function createSystemResolver(): NameResolver {
  const hosts = cached<Hosts>('/etc/hosts', parseHosts);
  const config = cached<ResolverConfig>('/etc/resolv.conf', (text) => parseResolverConfig(text, hostname()));
  let asking: { readonly config: ResolverConfig; readonly resolver: promises.Resolver } | null = null;

  /** Recreated when resolv.conf changes: a c-ares channel reads its servers at creation. */
  function resolverFor(current: ResolverConfig): promises.Resolver {
    if (asking?.config !== current) {
      const { timeoutMs: timeout, rounds: tries } = resolverLimits;
      asking = { config: current, resolver: new promises.Resolver({ timeout, tries }) };
    }
    return asking.resolver;
  }

  async function lookup(host: string): Promise<Answer<readonly string[]>> {
    const name = plain(host);
    const listed = hosts().get(name);
    if (listed) return { value: listed, ttlMs: null };
    // RFC 6761 section 6.3: localhost names are never sent to a server.
    if (name === 'localhost' || name.endsWith('.localhost'))
      return { value: ['127.0.0.1', '::1'], ttlMs: null };
    const current = config();
    const resolver = resolverFor(current);
    return firstOf(namesToAsk(host, current), (each) => addressesOf(each, resolver));
  }

  async function lookupService(name: string): Promise<Answer<readonly ServiceRecord[]>> {
    const current = config();
    const resolver = resolverFor(current);
    const records = await firstOf(namesToAsk(name, current), (each) => resolver.resolveSrv(each));
    return { value: records, ttlMs: null };
  }

  return { lookup, lookupService, cancel: () => asking?.resolver.cancel() };
}

/** The answer for the first name in the list that has one. */
async function firstOf<Found>(
  names: readonly string[],
  ask: (name: string) => Promise<Found>,
): Promise<Found> {
  let failure: unknown = new Error('no name to ask for');
  for (const name of names) {
    try {
      return await ask(name);
    } catch (error) {
      failure = error;
      if (!ANOTHER_MAY_DO.has((error as NodeJS.ErrnoException).code ?? '')) break;
    }
  }
  throw failure;
}

/** IPv6 first if this machine has a global IPv6 address, else IPv4 first. */
async function addressesOf(name: string, resolver: promises.Resolver): Promise<Answer<readonly string[]>> {
  const ipv4 = resolver.resolve4(name, { ttl: true });
  const ipv6 = resolver.resolve6(name, { ttl: true });
  const found = await Promise.allSettled([orSoonAfter(ipv4, ipv6), orSoonAfter(ipv6, ipv4)]);
  if (hasGlobalIpv6()) found.reverse();
  const records = found.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  const ttlMs = 1000 * Math.min(...records.map(({ ttl }) => ttl));
  if (records.length > 0) return { value: records.map(({ address }) => address), ttlMs };
  throw worstOf(found.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : [])));
}

type Records = readonly RecordWithTtl[];

/** `answer`; resolves empty if it is still missing `otherFamilyMs` after `other` has resolved. */
function orSoonAfter(answer: Promise<Records>, other: Promise<Records>): Promise<Records> {
  return new Promise((resolve, reject) => {
    answer.then(resolve, reject);
    const giveUp = () => void setTimeout(() => resolve([]), resolverLimits.otherFamilyMs).unref();
    other.then(giveUp, () => {});
  });
}

/** Server failures and timeouts take precedence over "no such name" and "no addresses of this family". */
function worstOf(errors: readonly NodeJS.ErrnoException[]): unknown {
  return errors.find(({ code }) => code !== 'ENODATA' && code !== 'ENOTFOUND') ?? errors[0];
}

function hasGlobalIpv6(): boolean {
  return ownAddresses().some(({ family, internal, address }) => {
    return family === 'IPv6' && !internal && !/^fe[89ab]/i.test(address);
  });
}

/** Parsed content of a file, parsed again when inode, size or mtime changes. An unreadable file counts as empty. */
function cached<T>(path: string, parse: (text: string) => T): () => T {
  let known: { readonly version: string; readonly value: T } | null = null;
  return () => {
    const version = versionOf(path);
    if (known?.version !== version) known = { version, value: parse(version === '' ? '' : textOf(path)) };
    return known.value;
  };
}

function versionOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats ? `${stats.ino} ${stats.size} ${stats.mtimeMs}` : '';
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
