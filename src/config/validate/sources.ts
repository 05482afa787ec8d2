/** Options of upstreams that this machine or its kernel must have: `source` and `tcp.congestion`. */
import { isIP } from 'node:net';
import { hopText } from '../../via/url.js';
import type { Path } from '../path.js';
import type { Report, Warn } from '../report.js';
import type { UpstreamEntry } from '../schema/upstreams.js';
import type { Context } from './context.js';

/** An upstream as written, wherever it is. */
export interface WrittenUpstream {
  readonly path: Path;
  readonly value: UpstreamEntry;
}

export function checkSource({ path, value }: WrittenUpstream, { kernel }: Context, report: Report): void {
  checkCongestion(value.tcp.congestion, [...path, 'tcp', 'congestion'], kernel, report);
  checkAddresses(value.source.address, [...path, 'source', 'address'], report);
  if (value.source.transparent) checkTransparent({ path, value }, kernel, report);
  checkFamilies({ path, value }, report);
}

function checkCongestion(name: string, path: Path, kernel: Context['kernel'], report: Report): void {
  const { congestion, congestionForAll, mayAdminister } = kernel;
  if (name === '' || congestion.length === 0) return;
  if (!congestion.includes(name)) {
    report.problem(
      path,
      `the kernel has no \`${name}\`: it has ${listed(congestion)}; others need their module (\`modprobe tcp_${name}\`)`,
    );
  } else if (!mayAdminister && !congestionForAll.includes(name)) {
    report.problem(
      path,
      `\`${name}\` needs CAP_NET_ADMIN, which this process has not, or a place in \`net.ipv4.tcp_allowed_congestion_control\`, which has ${listed(congestionForAll)}`,
    );
  }
}

function checkAddresses(addresses: readonly string[], path: Path, report: Report): void {
  for (const family of [4, 6]) {
    const [, second] = addresses.filter((address) => isIP(address) === family);
    if (second !== undefined)
      report.problem(path, `has two IPv${family} addresses: write one of each family`);
  }
}

function checkTransparent(
  { path, value }: WrittenUpstream,
  { mayBeTransparent }: Context['kernel'],
  report: Report,
): void {
  const at = [...path, 'source', 'transparent'];
  if (value.source.address.length > 0)
    report.problem(at, 'takes the address of the client: leave `address` out');
  if (value.pool.warm > 0)
    report.problem(
      at,
      'can not have connections opened ahead, which have no client yet: leave `pool.warm` out',
    );
  if (!mayBeTransparent)
    report.problem(at, 'needs CAP_NET_RAW, which this process has not: see docs/operations.md');
}

/** Literal addresses to dial that no source address can reach. */
function checkFamilies({ path, value }: WrittenUpstream, report: Report): void {
  const families = new Set(value.source.address.map(isIP));
  if (families.size === 0) return;
  const first = value.via?.[0]?.url;
  const dialled =
    first === undefined
      ? (value.endpoints ?? []).map(({ address }, index) => ({ ...address, at: ['endpoints', index] }))
      : [{ name: hopText(first), address: first, at: ['via'] }];
  for (const { name, address, at } of dialled) {
    const family = 'host' in address ? isIP(address.host) : 0;
    if (family === 0 || families.has(family)) continue;
    report.problem(
      [...path, ...at],
      `\`${name}\` is IPv${family}, and source.address has no IPv${family} address: add one`,
    );
  }
}

/** What may appear later: an address that moves between machines, a tunnel. */
export function warnOfSource(
  { path, value }: WrittenUpstream,
  { addresses, kernel }: Context,
  warn: Warn,
): void {
  const { address, interface: name } = value.source;
  for (const each of address) {
    if (isLoopback(each) || addresses.some((own) => sameAddress(own, each))) continue;
    warn(
      [...path, 'source', 'address'],
      `\`${each}\` is not an address of this machine: sessions end with \`no_such_source\` until it is`,
    );
  }
  if (name !== '' && kernel.interfaces.length > 0 && !kernel.interfaces.includes(name))
    warn(
      [...path, 'source', 'interface'],
      `there is no interface \`${name}\` now: this machine has ${listed(kernel.interfaces)}`,
    );
}

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';

/** Spellings of IPv6 addresses differ. */
const sameAddress = (one: string, other: string): boolean =>
  isIP(one) === isIP(other) && canonical(one) === canonical(other);

const canonical = (address: string): string =>
  isIP(address) === 6 ? new URL(`http://[${address}]`).hostname : address;

const listed = (names: readonly string[]): string =>
  names.length === 0 ? 'none' : names.map((name) => `\`${name}\``).join(', ');
