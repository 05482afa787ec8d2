/** Generates docs/metrics.md from the catalog. */
import {
  type ClosedLabel,
  entryOf,
  type MetricEntry,
  type MetricName,
  metricNames,
  scopes,
  tiers,
} from './catalog.js';
import { rowsMax } from './memory.js';

/** Rounded down to thousands, because rows of other scopes take some of the memory. */
const room = `${Math.floor(rowsMax('listener_protocol') / 1000)},000`;

const HEAD = `# Metrics

Generated from the catalog in \`src/metrics\`. Served as \`/metrics\` on \`monitoring.metrics_port\` in the Prometheus text
format, together with prom-client's process defaults (\`process_*\`, \`nodejs_*\`).

**Every session is counted once**: per listener, \`anyport_accepted_total\` equals the sum of \`anyport_sessions_total\` and
\`anyport_sessions_active\` at every scrape. Sessions cut off by the death of a worker have the reason \`reset\`.

**Counts belong to names**: they survive the death of a worker and changed DNS answers, and do not depend on the order of
listeners, protocols and upstreams. Label values are configured names, protocol ids and fixed words, never input of a
client.

**Series that never counted are omitted**: a labelled counter appears when above 0, a labelled gauge when its labels have
counted anything. \`anyport_accepted_total\` and, with an empty protocol, \`anyport_sessions_active\` always appear for every
listener, \`anyport_endpoint_up\` for every endpoint, and metrics without names as labels always.

**\`(other)\`**: a worker's memory holds about ${room} combinations of listener and protocol. Further names share one series
with this label value.
`;

const COLUMNS = ['name', 'kind', 'labels', 'meaning'];

export function metricsDocs(): string {
  const rows = [COLUMNS, COLUMNS.map(() => '---'), ...metricNames.map(cellsOf)];
  const table = rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  return `${HEAD}\n${table}\n`;
}

function cellsOf(name: MetricName): string[] {
  const entry = entryOf(name);
  return [code(name), kindOf(entry), labelsOf(entry).join(', '), entry.help];
}

function kindOf({ kind, buckets }: MetricEntry): string {
  return buckets === undefined ? kind : `${kind}, ${buckets.length} buckets up to ${buckets.at(-1)} s`;
}

function labelsOf({ scope, by, and, labels = [] }: MetricEntry): string[] {
  const ids = scope === 'primary' ? [] : scopes[scope];
  const closed = [by, and].flatMap((each) => (each ? [closedLabel(each)] : []));
  return [...[...ids, ...labels].map(code), ...closed];
}

/** Links the reasons and the tiers, which are explained elsewhere; other values are listed. */
function closedLabel({ label, values }: ClosedLabel): string {
  if (values === tiers) return `${code(label)} ([${values.map(code).join(', ')}](architecture.md#buffers))`;
  if (values.length > 2) return `${code(label)} ([why a session ended](architecture.md))`;
  return `${code(label)} (${values.map(code).join(', ')})`;
}

const code = (text: string): string => `\`${text}\``;
