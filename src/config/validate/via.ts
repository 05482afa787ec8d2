/** `upstreams.NAME.via`: the way as it is used, and what does not go that way. */
import { X509Certificate } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import { overOf } from '../../health/check.js';
import { checkOf } from '../../health/checks/index.js';
import type { Via, ViaTls } from '../../model/via.js';
import type { Path } from '../path.js';
import type { Report } from '../report.js';
import type { WrittenVia } from '../schema/upstream/via.js';
import type { UpstreamEntry } from '../schema/upstreams.js';
import type { Context } from './context.js';
import type { Reachability } from './reachability.js';
import type { NamedUpstream } from './upstreams.js';

/** Proxies on one way. */
const HOPS_MAX = 8;

/** Null: there is none, or it is wrong (reported). */
export function resolveVia(
  { via }: Pick<UpstreamEntry, 'via'>,
  path: Path,
  context: Context,
  report: Report,
): Via | null {
  if (via === undefined) return null;
  const at = (index: number): Path => (via.length === 1 ? path : [...path, index]);
  if (via.length === 0 || via.length > HOPS_MAX) {
    report.problem(path, `names ${via.length} proxies: write 1 to ${HOPS_MAX} of them, or leave it out`);
    return null;
  }
  checkHops(via, at, report);
  checkFamilies(via, at, report);
  const hops = via.map(({ url }) => url);
  return { hops, tls: tlsOf(via[0] as WrittenVia[number], at(0), context, report) };
}

function checkHops(via: WrittenVia, at: (index: number) => Path, report: Report): void {
  for (const [index, { url, ca, server_name }] of via.entries()) {
    if (url.scheme !== 'https') {
      const key = ca !== undefined ? 'ca' : 'server_name';
      if ((ca ?? server_name) !== undefined)
        report.problem([...at(index), key], 'is for `https://`: no TLS is spoken to this proxy');
    } else if (index > 0) {
      report.problem(
        at(index),
        'only the first proxy of a way may be `https://`: write `http://`, or put it first',
      );
    }
  }
}

/** SOCKS4 has no room for an IPv6 address. */
function checkFamilies(via: WrittenVia, at: (index: number) => Path, report: Report): void {
  for (const [index, { url }] of via.entries()) {
    const next = via[index + 1]?.url.host ?? '';
    if (url.scheme === 'socks4a' && isIPv6(next))
      report.problem(
        at(index + 1),
        'has an IPv6 address, which SOCKS4 before it can not be asked for: write a name',
      );
  }
}

function tlsOf(
  { url, ca, server_name }: WrittenVia[number],
  path: Path,
  context: Context,
  report: Report,
): ViaTls | null {
  if (url.scheme !== 'https') return null;
  return {
    serverName: server_name ?? url.host,
    ca: ca === undefined ? null : readAuthorities(ca, [...path, 'ca'], context, report),
  };
}

function readAuthorities(file: string, path: Path, context: Context, report: Report): string | null {
  const absolute = resolve(context.directory, file);
  const read = context.authorities(absolute);
  const fault = 'fault' in read ? read.fault : authoritiesFault(read.text);
  if (fault !== null) report.problem(path, `${fault}: ${absolute}`);
  return 'text' in read ? read.text : null;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

function authoritiesFault(text: string): string | null {
  const certificates = text.match(CERTIFICATE) ?? [];
  if (certificates.length === 0)
    return 'has no certificate: expected PEM, which begins with `-----BEGIN CERTIFICATE-----`';
  const broken = certificates.findIndex((pem) => !isCertificate(pem));
  return broken < 0 ? null : `its certificate ${broken + 1} can not be read`;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== null;
  } catch {
    return false;
  }
}

/** What the upstream has beside it that a proxy does not do. */
export function checkVia({ path, value }: NamedUpstream, report: Report): void {
  const { via, handler, over, source } = value;
  if (via === undefined) return;
  const problem = (key: Path, message: string) => report.problem([...path, ...key], message);
  if (handler !== undefined) return problem(['via'], 'has no effect: a handler serves in this process');
  if (over === 'kcp')
    problem(['via'], 'leads through connections, and `over: kcp` sends datagrams: leave one out');
  if (source.transparent)
    problem(
      ['source', 'transparent'],
      'does not go with `via`: endpoints see the address of the proxy; `proxy_protocol` tells them the client',
    );
  if (value.file_sd !== undefined)
    problem(['file_sd'], 'does not go with `via`: list the endpoints, which the proxy looks up');
  checkEndpoints({ path, value }, via, report);
  checkHealthCheck(value, problem);
}

type Places = Pick<NamedUpstream, 'path'> & { readonly value: Pick<UpstreamEntry, 'endpoints'> };

function checkEndpoints({ path, value: { endpoints = [] } }: Places, via: WrittenVia, report: Report): void {
  const last = via.at(-1)?.url.scheme;
  for (const [
    index,
    {
      address: { name, address },
    },
  ] of endpoints.entries()) {
    const at = [...path, 'endpoints', index];
    if ('path' in address)
      report.problem(at, `\`${name}\` is on this machine, and no proxy leads there: leave \`via\` out`);
    else if ('service' in address)
      report.problem(at, `\`${name}\` stands for names, which the proxy would look up: list the endpoints`);
    else if (last === 'socks4a' && isIPv6(address.host))
      report.problem(
        at,
        `\`${name}\` is IPv6, which SOCKS4 can not be asked for: write a name, or use SOCKS5`,
      );
  }
}

function checkHealthCheck(
  { health_check: check }: Pick<UpstreamEntry, 'health_check'>,
  problem: (key: Path, message: string) => void,
): void {
  const kind = check && checkOf(check.type);
  if (check === undefined || kind === undefined) return;
  const over = overOf(kind, check);
  if (over === 'udp')
    problem(['health_check', 'type'], 'asks by datagrams, which no proxy passes on: take another check');
  if (over === 'nothing')
    problem(
      ['health_check', 'type'],
      'asks by itself, past the proxy: take a check that goes the way of sessions',
    );
}

/** Streams alone go through proxies. */
export function checkDatagramsVia(
  upstreams: readonly NamedUpstream[],
  { upstreamsOver }: Reachability,
  report: Report,
): void {
  const reached = upstreamsOver('udp');
  for (const { name, path, value } of upstreams) {
    if (value.via === undefined || !reached.has(name)) continue;
    report.problem(
      [...path, 'via'],
      'a proxy passes streams on alone, and datagrams come here too: send these to an upstream of their own',
    );
  }
}
