/**
 * Names → addresses as the system resolves them: the hosts file, then the servers and search domains of resolv.conf.
 * Not by getaddrinfo: libuv runs two of its calls at once, so two names that hang would hold up all others, and its
 * threads the end of the process. c-ares asks for any number of names on one socket, and each question has an end.
 */
import { promises } from 'node:dns';
import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { ownAddresses } from '../base/own-addresses.js';
import {
  type Hosts,
  namesToAsk,
  parseHosts,
  parseResolverConfig,
  plain,
  type ResolverConfig,
} from './resolver-files.js';

export const resolverLimits = {
  /** Each server is waited for so long, and in the second round twice as long. */
  timeoutMs: 2000,
  rounds: 2,
  /** Once one family's addresses are there, the other one's are waited for so much longer. */
  otherFamilyMs: 1000,
} as const;

export interface NameResolver {
  /** Addresses, at least one; rejects when there are none. Always settles. */
  lookup(host: string): Promise<readonly string[]>;
  /** Rejects all that is under way. */
  cancel(): void;
}

/** A server may be at fault, not the name: the next name is asked for all the same, as glibc does. */
const ANOTHER_MAY_DO = new Set(['ENOTFOUND', 'ENODATA', 'ESERVFAIL', 'EREFUSED']);

export function createSystemResolver(): NameResolver {
  const hosts = cached<Hosts>('/etc/hosts', parseHosts);
  const config = cached<ResolverConfig>('/etc/resolv.conf', (text) => parseResolverConfig(text, hostname()));
  let asking: { readonly config: ResolverConfig; readonly resolver: promises.Resolver } | null = null;

  /** A new one where resolv.conf has changed: the servers are read when it is made. */
  function resolverFor(current: ResolverConfig): promises.Resolver {
    if (asking?.config !== current) {
      const { timeoutMs: timeout, rounds: tries } = resolverLimits;
      asking = { config: current, resolver: new promises.Resolver({ timeout, tries }) };
    }
    return asking.resolver;
  }

  async function lookup(host: string): Promise<readonly string[]> {
    const name = plain(host);
    const listed = hosts().get(name);
    if (listed) return listed;
    // RFC 6761 §6.3: never a question for a server.
    if (name === 'localhost' || name.endsWith('.localhost')) return ['127.0.0.1', '::1'];
    const current = config();
    return firstOf(namesToAsk(host, current), resolverFor(current));
  }

  return { lookup, cancel: () => asking?.resolver.cancel() };
}

/** The addresses of the first name that has any. */
async function firstOf(names: readonly string[], resolver: promises.Resolver): Promise<readonly string[]> {
  let failure: unknown = new Error('no name to ask for');
  for (const name of names) {
    try {
      return await addressesOf(name, resolver);
    } catch (error) {
      failure = error;
      if (!ANOTHER_MAY_DO.has((error as NodeJS.ErrnoException).code ?? '')) break;
    }
  }
  throw failure;
}

/** Of both families; the one that this machine reaches the world by comes first. */
async function addressesOf(name: string, resolver: promises.Resolver): Promise<readonly string[]> {
  const ipv4 = resolver.resolve4(name);
  const ipv6 = resolver.resolve6(name);
  const found = await Promise.allSettled([orSoonAfter(ipv4, ipv6), orSoonAfter(ipv6, ipv4)]);
  if (hasGlobalIpv6()) found.reverse();
  const addresses = found.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (addresses.length > 0) return addresses;
  throw worstOf(found.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : [])));
}

/** The answer to one question, or none where it takes much longer than the answer to the other. */
function orSoonAfter(answer: Promise<string[]>, other: Promise<string[]>): Promise<string[]> {
  return new Promise((resolve, reject) => {
    answer.then(resolve, reject);
    const giveUp = () => void setTimeout(() => resolve([]), resolverLimits.otherFamilyMs).unref();
    other.then(giveUp, () => {});
  });
}

/** That a server did not answer says more than that the name has no addresses of the other family. */
function worstOf(errors: readonly NodeJS.ErrnoException[]): unknown {
  return errors.find(({ code }) => code !== 'ENODATA' && code !== 'ENOTFOUND') ?? errors[0];
}

function hasGlobalIpv6(): boolean {
  return ownAddresses().some(({ family, internal, address }) => {
    return family === 'IPv6' && !internal && !/^fe[89ab]/i.test(address);
  });
}

/** A file's meaning, read again when the file has changed; one that can not be read is empty. */
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
