/** Prints an explanation in columns. */
import { configuredUpstreams } from '../../model/configured-upstreams.js';
import type { OriginText, UpstreamOrigin } from '../../model/origins.js';
import type { Plan } from '../../model/plan.js';
import type { UpstreamOptions } from '../../model/upstream-options.js';
import { hopText } from '../../via/url.js';
import { columns } from '../columns.js';
import type { Explanation } from './explanation.js';
import type { ProtocolRow } from './protocols.js';

export function explanationText(explanation: Explanation, plan: Plan): string {
  const { listener, source, bytes, facts, outcome } = explanation;
  const upstream = configuredUpstreams(plan).find(({ name }) => name === outcome.target);
  const endpoints = upstream?.handler ?? upstream?.endpoints.map(({ name }) => name).join(', ');
  const { client = [], endpoint = [] } = explanation.told ?? {};
  const header = upstream === undefined || upstream.handler !== null ? [] : headerText(upstream.options);
  const sent = upstream === undefined ? '' : [...header, ...endpoint].join('; then ');
  const known = Object.entries(facts).filter(([, value]) => value !== undefined);
  const summary = columns([
    ['listener', listener],
    ['source', source ?? 'not known: give it with --from'],
    ['bytes', String(bytes)],
    ['protocol', protocolText(explanation)],
    ...known.map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : String(value)]),
    ['goes to', outcome.target === null ? '-' : `${outcome.target}${endpoints ? ` (${endpoints})` : ''}`],
    ...(explanation.upstream === undefined ? [] : originRows(explanation.upstream)),
    ...(upstream?.via ? [['through', upstream.via.hops.map(hopText).join(', then ')]] : []),
    ...(client.length === 0 ? [] : [['answers', client.join('; then ')]]),
    ...(sent === '' ? [] : [['sends', sent]]),
    ['because', outcome.by === 'limits' ? outcome.why : `${outcome.by}: ${outcome.why}`],
  ]);
  const protocols = explanation.verdict === 'unread' ? [] : [protocolTable(explanation)];
  return [summary, ...protocols, routeTable(explanation)].join('\n');
}

/** The upstream's own place, then those of endpoints that come from elsewhere. */
function originRows({ from, endpoints }: UpstreamOrigin): string[][] {
  const elsewhere = new Map<OriginText | null, string[]>();
  for (const endpoint of endpoints) {
    if (endpoint.from === from) continue;
    const names = elsewhere.get(endpoint.from) ?? [];
    elsewhere.set(endpoint.from, names);
    names.push(endpoint.name);
  }
  const rows = [...elsewhere].map(([place, names]) => ['', `${place ?? '-'} (${names.join(', ')})`]);
  return [['said in', from ?? '-'], ...rows];
}

function headerText({ proxy_protocol: { version, tlvs } }: UpstreamOptions): readonly string[] {
  if (version === 'off') return [];
  return [`a PROXY header, ${version}${tlvs.length === 0 ? '' : ` with ${tlvs.join(', ')}`}`];
}

function protocolText({ protocol, verdict, decidedAtByte, quietMs, outcome }: Explanation): string {
  if (outcome.by === 'forward') return 'not asked: a forward';
  if (verdict === 'unread') return 'not asked: decided at accept';
  if (verdict === 'more') return 'not known yet';
  const quiet = quietMs === undefined ? '' : `, when nothing more has come for ${quietMs} ms`;
  return `${protocol ?? 'unknown'}, decided at byte ${decidedAtByte}${quiet}`;
}

function protocolTable({ protocols }: Explanation): string {
  const isTold = ({ accepted, verdict }: ProtocolRow) => accepted || verdict === 'wins' || verdict === 'more';
  const told = protocols.filter(isTold);
  const others = protocols.length - told.length;
  const table = columns([
    ['PROTOCOL', 'VERDICT', 'BYTE', 'WHY'],
    ...told.map(({ protocol, accepted, verdict, atByte, why }) => [
      accepted ? protocol : `(${protocol})`,
      verdict,
      String(atByte),
      why,
    ]),
  ]);
  return others === 0
    ? table
    : `${table}and ${others} that only name a session, none of which it is (--json has them)\n`;
}

function routeTable({ routes }: Explanation): string {
  return columns([
    ['ROUTE', 'PLACE', 'WHEN', 'TO', 'VERDICT', 'BYTE', 'WHY'],
    ...routes.map(({ name, place, when, to, verdict, atByte, why }) => [
      name,
      place ?? '-',
      Object.entries(when)
        .map(([name, value]) => `${name} ${value}`)
        .join(', ') || 'always',
      to,
      verdict,
      String(atByte),
      why,
    ]),
  ]);
}
