/** Parsers for /etc/hosts and /etc/resolv.conf, and the search list of a name (hosts(5), resolv.conf(5)). Pure. */
import { isIP } from 'node:net';

const NDOTS_MAX = 15;
const SEARCH_MAX = 32;
const NAME_MAX = 253;

/** Lower-case name → addresses, in file order. */
export type Hosts = ReadonlyMap<string, readonly string[]>;

export interface ResolverConfig {
  readonly search: readonly string[];
  /** Names with at least this many dots are tried as absolute names before the search list. */
  readonly ndots: number;
}

function fieldsOf(text: string): string[][] {
  return text
    .split('\n')
    .map((line) => line.replace(/[#;].*/, '').trim())
    .filter((line) => line !== '')
    .map((line) => line.split(/\s+/));
}

/** Addresses with a zone index (`fe80::1%eth0`) are skipped: they can not be dialled. */
export function parseHosts(text: string): Hosts {
  const hosts = new Map<string, string[]>();
  for (const [address = '', ...names] of fieldsOf(text)) {
    if (isIP(address) === 0 || address.includes('%')) continue;
    for (const name of names.map(plain)) hosts.set(name, [...(hosts.get(name) ?? []), address]);
  }
  return hosts;
}

/** `hostname`: this machine's; its domain is the search list when the file has neither `search` nor `domain`. */
export function parseResolverConfig(text: string, hostname: string): ResolverConfig {
  let search = hostname.split('.').slice(1).join('.').split(' ').filter(Boolean);
  let ndots = 1;
  for (const [keyword, ...values] of fieldsOf(text)) {
    if (keyword === 'search') search = values;
    if (keyword === 'domain') search = values.slice(0, 1);
    if (keyword === 'options') ndots = ndotsOf(values) ?? ndots;
  }
  return { search: search.slice(0, SEARCH_MAX).map(plain), ndots };
}

function ndotsOf(options: readonly string[]): number | undefined {
  const values = options.map((option) => /^ndots:(\d+)$/.exec(option)?.[1]).filter(Boolean);
  return values.length === 0 ? undefined : Math.min(Number(values.at(-1)), NDOTS_MAX);
}

/** The query names in order, after the search list and `ndots`. */
export function namesToAsk(host: string, { search, ndots }: ResolverConfig): string[] {
  const name = plain(host);
  if (host.endsWith('.')) return [name];
  const searched = search.map((domain) => (domain === '' ? name : `${name}.${domain}`));
  const dots = name.split('.').length - 1;
  const names = dots >= ndots ? [name, ...searched] : [...searched, name];
  return [...new Set(names)].filter(({ length }) => length <= NAME_MAX);
}

/** Lower case, without the root's trailing dot. */
export const plain = (name: string): string => name.toLowerCase().replace(/\.$/, '');
